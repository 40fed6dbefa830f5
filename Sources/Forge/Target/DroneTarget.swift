/// The kind of computer an image is for: the one place that knows its triple, processor and emulator.
///
/// Everything that differs between targets is a member here, so that a second target is a second value.
public struct DroneTarget: Sendable {
  /// Short name, used in cache paths and messages: `i586`.
  public let name: String
  /// The argument of `swift build --triple` for the drone's programs.
  public let swiftTriple: String
  /// The processor as clang's `-march=` and Swift's `-target-cpu` name it.
  public let processor: String
  /// What keeps clang to the target's instructions: no later ones, no branch-target marks.
  public let instructionSetFlags: [String]
  /// The argument of `clang -target` for C programs on musl.
  public let clangTriple: String
  /// `ld -m`.
  public let linkerEmulation: String
  /// `make ARCH=` of the kernel.
  public let kernelArchitecture: String
  /// The arguments of OpenSSL's `Configure` for the target: its name for it, and the processor.
  public let opensslTarget: [String]
  /// Debian's name for the target.
  public let debianArchitecture: String
  public let emulator: Emulator
  /// ELF identification of the drone's programs (gABI: EI_CLASS, e_machine).
  public let elfClass: UInt8
  public let elfMachine: UInt16
  /// What a kernel's configuration must say.
  public let kernel: KernelDemands
  /// What the target's programs may consist of.
  public let instructions: InstructionSet
  /// What its images are like; nil when there are none. For those a kernel and BusyBox are built, too.
  public let image: ImageProfile?
  /// The project's programs that are built for the target.
  public let programs: [ProgramPlace]

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
    emulator: Emulator(
      program: "qemu-system-i386", processor: "pentium", networkBootProcessor: "pentium,fxsr=on", memory: 32),
    elfClass: 1,
    elfMachine: 3,
    kernel: .i586,
    instructions: .i586,
    image: .i586,
    programs: [.processOne, .tyd])

  /// Any PC of 64 bits: drones, and a master's programs, on whatever Linux it runs.
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
    emulator: Emulator(
      program: "qemu-system-x86_64", processor: "qemu64", networkBootProcessor: "qemu64", memory: 256),
    elfClass: 2,
    elfMachine: 62,
    kernel: .x86_64,
    instructions: .x86_64,
    image: .x86_64,
    programs: [.processOne, .tyd])

  /// Every target, in the order of a help text.
  public static let all = [i586, x86_64]
  /// What a machine or a program is for when nobody names a target.
  public static let standard = i586
  /// What the package for a master is for.
  public static let master = x86_64
}

extension DroneTarget {
  /// The target of that name.
  public init?(named name: String) {
    guard let target = Self.all.first(where: { $0.name == name }) else { return nil }
    self = target
  }
}
