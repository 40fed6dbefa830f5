import Bytes

/// Why no unified kernel image can be made.
public enum UnifiedKernelError: Error, Equatable, Sendable {
  /// The stub's bytes end before its headers do.
  case truncated(needed: Int, available: Int)
  /// The stub does not begin as a program for UEFI: MZ, PE, PE32+.
  case noProgram
  /// The stub is for another machine (COFF header, Machine) than x86_64.
  case machine(UInt16)
  /// The stub's header holds a value that the format or this writer does not allow; `offset` is the field's place.
  case header(offset: Int)
  /// The stub has a section of this part's name already.
  case present(UnifiedKernelPart)
  /// Its headers have no room for the parts' section headers.
  case crowded
  /// A part without bytes, or a negative number of them.
  case empty(UnifiedKernelPart)
  /// The image would be larger than `UnifiedKernelLayout.largest`.
  case tooLarge

  /// A sentence's end about the stub or the parts: what is wrong.
  public var text: [UInt8] {
    switch self {
    case .truncated: [UInt8]("the boot stub ends within its headers")
    case .noProgram: [UInt8]("the boot stub is no program for UEFI of 64 bits")
    case .machine: [UInt8]("the boot stub is for another machine than x86_64")
    case .header: [UInt8]("the boot stub has damaged headers, or some that this program does not know")
    case .present: [UInt8]("the boot stub has a kernel image's parts in it already")
    case .crowded: [UInt8]("the boot stub's headers have no room for further sections")
    case .empty(.kernel): [UInt8]("the kernel is empty")
    case .empty(.root): [UInt8]("the root is empty")
    case .empty(.commandLine): [UInt8]("the command line is empty")
    case .empty(.system): [UInt8]("the description of the system is empty")
    case .tooLarge: [UInt8]("kernel and root are larger than 1 GiB together")
    }
  }
}
