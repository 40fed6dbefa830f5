import Image

/// A kernel, its command line and its initial root in one program for UEFI, by the sections of its stub (UAPI Group
/// Specifications, Unified Kernel Image).
struct UnifiedKernel {
  let kernel: Extent
  let root: Extent?
  /// Without zeros at its end.
  let commandLine: [UInt8]?
  /// In the form of os-release(5).
  let system: [UInt8]

  /// Finds the parts and says what is wrong with them; nil when the program has no kernel.
  init?(_ program: EFIProgram, _ bytes: some ByteSource, at place: String, _ findings: inout [Finding]) {
    func wrong(_ reason: String) { findings.append(Finding(.firmwareProgram, place, reason)) }
    func part(_ name: String, largest: Int = .max) -> Extent? {
      let sections = program.sections.filter { $0.name == name }
      guard let section = sections.first else { return nil }
      if sections.count > 1 { wrong("it has more than one section \(name), and a stub takes any") }
      // The stub finds its parts in memory, where firmware copied the file to.
      let size = section.memorySize
      if size == 0 { wrong("its section \(name) is empty") }
      if size > section.fileSize { wrong("its section \(name) is longer in memory than in the file") }
      guard size <= largest, size <= section.fileSize, bytes.part(section.offset, size) != nil else {
        if size > largest { wrong("its section \(name) has \(size) bytes, more than it may have") }
        return nil
      }
      return Extent(whole: bytes, start: section.offset, count: size)
    }
    func text(_ name: String) -> [UInt8]? {
      part(name, largest: 1 << 16).flatMap { $0.part(0, $0.count) }.map { Array($0.prefix { $0 != 0 }) }
    }
    guard let kernel = part(".linux") else {
      wrong("it has no kernel in it (section .linux)")
      return nil
    }
    self.kernel = kernel
    root = part(".initrd")
    commandLine = text(".cmdline")
    system = text(".osrel") ?? []
    if system.isEmpty { wrong("it does not say what it is (section .osrel)") }
    if let count = commandLine?.count, count > longestBootLine {
      wrong("its command line has \(count) bytes, and the kernel takes \(longestBootLine)")
    }
    if commandLine?.contains(where: { !(0x20...0x7E).contains($0) && $0 != 0x0A }) == true {
      wrong("its command line is no text")
    }
  }
}
