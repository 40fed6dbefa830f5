/// The kind of computer an image is for: the one place that knows its triple, processor and emulator.
///
/// Everything that differs between targets is a member here, so that a second target is a second value.
public struct DroneTarget: Sendable {
  /// Short name, used in cache paths and messages: `i586`.
  public let name: String
  /// What `swift build --triple` takes for the drone's programs.
  public let swiftTriple: String
  /// The processor as clang's `-march=` and Swift's `-target-cpu` name it.
  public let processor: String
  /// What keeps clang to the target's instructions: no later ones, no branch-target marks.
  public let instructionSetFlags: [String]
  /// What `clang -target` takes for C programs on musl.
  public let clangTriple: String
  /// `ld -m`.
  public let linkerEmulation: String
  /// `make ARCH=` of the kernel.
  public let kernelArchitecture: String
  /// What OpenSSL's `Configure` takes for the target: its name for it, and the processor.
  public let opensslTarget: [String]
  /// Debian's name for the target.
  public let debianArchitecture: String
  /// QEMU's program and `-cpu`: the oldest machine that the image must boot on.
  public let emulator: String
  public let emulatedProcessor: String
  /// `-cpu` for booting from the network: the oldest one with what QEMU's boot ROMs need beside it. They stop at FXSAVE,
  /// which a Pentium lacks; nothing of the drone uses it.
  public let networkBootProcessor: String
  /// Memory in MiB that the image must boot in.
  public let smallestMemory: Int
  /// ELF identification of the drone's programs (gABI: EI_CLASS, e_machine).
  public let elfClass: UInt8
  public let elfMachine: UInt16
  /// What a kernel's configuration must say.
  public let kernel: KernelDemands
  /// Filters of the XZ format that the kernel's unpacker knows besides LZMA2 (The .xz File Format, §5.3.2): 4 is x86's.
  public let archiveFilters: Set<UInt64>
  /// What the target's programs may consist of.
  public let instructions: InstructionSet
  /// Whether there are images for it: then a kernel and BusyBox are built, too.
  public let hasImage: Bool
  /// The programs that are built for the target, by the names of Package.swift's products.
  public let programs: [String]

  /// A Pentium and everything after it, 32 bits.
  public static let i586 = DroneTarget(
    name: "i586",
    swiftTriple: "i686-unknown-none-elf",
    processor: "pentium",
    instructionSetFlags: ["-march=pentium", "-fcf-protection=none"],
    clangTriple: "i586-linux-musl",
    linkerEmulation: "elf_i386",
    kernelArchitecture: "i386",
    opensslTarget: ["linux-x86", "386", "no-sse2"],
    debianArchitecture: "i386",
    emulator: "qemu-system-i386",
    emulatedProcessor: "pentium",
    networkBootProcessor: "pentium,fxsr=on",
    smallestMemory: 32,
    elfClass: 1,
    elfMachine: 3,
    kernel: .i586,
    archiveFilters: [4],
    instructions: .i586,
    hasImage: true,
    programs: ["init", "tyd"])

  /// Any PC of 64 bits: for a master's programs, on whatever Linux it runs. There are no images for it yet.
  public static let x86_64 = DroneTarget(
    name: "x86_64",
    swiftTriple: "x86_64-unknown-none-elf",
    processor: "x86-64",
    instructionSetFlags: ["-march=x86-64", "-fcf-protection=none"],
    clangTriple: "x86_64-linux-musl",
    linkerEmulation: "elf_x86_64",
    kernelArchitecture: "x86_64",
    opensslTarget: ["linux-x86_64"],
    debianArchitecture: "amd64",
    emulator: "qemu-system-x86_64",
    emulatedProcessor: "qemu64",
    networkBootProcessor: "qemu64",
    smallestMemory: 256,
    elfClass: 2,
    elfMachine: 62,
    kernel: .x86_64,
    archiveFilters: [4],
    instructions: .x86_64,
    hasImage: false,
    programs: ["tyd"])

  /// Every target, in the order of a help text.
  public static let all = [i586, x86_64]
}
