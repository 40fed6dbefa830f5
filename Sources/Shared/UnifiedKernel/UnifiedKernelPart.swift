/// What is put into a unified kernel image beside its stub, in the order in which it lies there.
///
/// The kernel is the last one, as ukify(1) has it: a stub may unpack it in place, over what is behind it in memory.
public enum UnifiedKernelPart: CaseIterable, Sendable {
  /// The text of an os-release(5).
  case system
  /// The kernel's command line.
  case commandLine
  /// The initial root: archives, as the kernel unpacks them.
  case root
  case kernel

  /// The section that a stub looks for (UAPI Group Specifications, UAPI.5 "Unified Kernel Image", PE sections).
  public var section: StaticString {
    switch self {
    case .system: ".osrel"
    case .commandLine: ".cmdline"
    case .root: ".initrd"
    case .kernel: ".linux"
    }
  }
}

/// How many bytes each part has.
public struct UnifiedKernelSizes: Equatable, Sendable {
  public var system: Int
  public var commandLine: Int
  public var root: Int
  public var kernel: Int

  public init(system: Int, commandLine: Int, root: Int, kernel: Int) {
    self.system = system
    self.commandLine = commandLine
    self.root = root
    self.kernel = kernel
  }

  public subscript(part: UnifiedKernelPart) -> Int {
    switch part {
    case .system: system
    case .commandLine: commandLine
    case .root: root
    case .kernel: kernel
    }
  }
}
