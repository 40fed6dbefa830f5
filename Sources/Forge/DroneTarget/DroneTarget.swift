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
  /// What the drone's programs may consist of.
  public let instructions: InstructionSet

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
    emulator: "qemu-system-i386",
    emulatedProcessor: "pentium",
    networkBootProcessor: "pentium,fxsr=on",
    smallestMemory: 32,
    elfClass: 1,
    elfMachine: 3,
    kernel: .i586,
    archiveFilters: [4],
    instructions: .i586)
}
