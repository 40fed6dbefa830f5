import Bytes
import DroneLayout
import UnifiedKernel

/// `drone-x64.efi`: the drone of 64 bits as one file for UEFI, put together from what the medium holds anyway.
public enum UnifiedDrone {
  /// The same words as the served prompt of a BIOS has for its standard label. Nobody may sit before such a computer: it joins the
  /// cluster by itself, and waits until it is approved.
  static let commandLine: StaticString = "console=ttyS0,115200 console=tty0 tyd=any"

  /// A file of the medium that is open.
  public struct Part: Sendable {
    /// Its number, for `ServedParts.Source.file`.
    public let file: Int
    /// In bytes.
    public let size: Int

    public init(file: Int, size: Int) {
      self.file = file
      self.size = size
    }
  }

  /// The file's parts.
  /// - Parameters:
  ///   - beginning: the stub's first bytes: `UnifiedKernelLayout.mostHeaderBytes`, or all.
  ///   - root: with the public credential at its end.
  public static func parts(
    stub: Part, beginning: [UInt8], kernel: Part, root: ServedParts
  ) throws(UnifiedKernelError) -> ServedParts {
    let texts = (system: SoftwareVersion.current.systemDescription, commandLine: [UInt8](commandLine))
    let layout = try UnifiedKernelLayout(
      stub: beginning, stubSize: stub.size,
      sizes: UnifiedKernelSizes(
        system: texts.system.count, commandLine: texts.commandLine.count, root: root.size, kernel: kernel.size))
    var parts = ServedParts()
    for extent in layout.extents {
      switch extent.source {
      case .header: parts.append(layout.header)
      case .stub: parts.append(.file(stub.file, from: extent.offset), count: extent.count)
      case .zeros: parts.append(.zeros, count: extent.count)
      case .part(.system): parts.append(texts.system)
      case .part(.commandLine): parts.append(texts.commandLine)
      case .part(.root): parts.append(root)
      case .part(.kernel): parts.append(.file(kernel.file, from: 0), count: kernel.size)
      }
    }
    return parts
  }

  /// Whether a stub can start this kernel: one of 64 bits that is a program for UEFI as well
  /// (Documentation/arch/x86/boot.rst: header, version, xloadflags).
  /// - Parameter beginning: the kernel's first bytes, 1024 at least.
  public static func canStart(_ beginning: [UInt8]) -> Bool {
    guard beginning.count >= 0x238, beginning.starts(with: [UInt8]("MZ")),
      beginning[0x202..<0x206].spells("HdrS")
    else { return false }
    let version = UInt16(beginning[0x207]) << 8 | UInt16(beginning[0x206])
    // XLF_KERNEL_64, XLF_EFI_HANDOVER_64
    return version >= 0x20C && beginning[0x236] & 0b1001 == 0b1001
  }
}
