import Foundation
import SystemPackage
import Target
import Workshop

/// A kernel that a PC's boot loader can start: a bzImage, read as far as Documentation/arch/x86/boot.rst describes it.
public struct KernelImage: Sendable {
  public let path: FilePath
  /// The version in its header, as `uname -r` and more: `6.1.140 (builder@host) #1 …`; empty when it has none.
  public let version: String
  /// The boot protocol, major byte first: 0x020F is 2.15.
  public let bootProtocol: UInt16
  /// Where the compressed kernel lies in the file (payload_offset, payload_length; protocol 2.08); nil where the header does not
  /// say it, or says nonsense.
  public let payload: Range<Int>?
  /// Whether UEFI firmware starts it as a program (CONFIG_EFI_STUB).
  public let isEFIProgram: Bool

  /// As `uname -r` gives it: the version's first word. Empty when it has none.
  public var release: String { String(version.prefix { $0 != " " }) }

  /// Reads the header. Throws one sentence when the file is missing, no kernel, cut off or not of that form.
  public init(_ path: FilePath, form: KernelForm) throws {
    switch try status(of: path.followed()).kind {
    case .regular: break
    default: throw BuildError.input("\(path) is not a file. Give --kernel the path of a bzImage.")
    }
    try self.init(path, contents(of: path), form: form)
  }

  init(_ path: FilePath, _ bytes: [UInt8], form: KernelForm) throws {
    func word(_ offset: Int) -> UInt16 { UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8 }
    func long(_ offset: Int) -> UInt32 { UInt32(word(offset)) | UInt32(word(offset + 2)) << 16 }
    let takes = "A drone's kernel is an x86 bzImage, as in \(form.path) of a kernel tree."
    // The header's fields up to handover_offset lie in the first 616 bytes.
    guard bytes.count >= 0x206, word(0x1FE) == 0xAA55, bytes[0x202..<0x206].elementsEqual("HdrS".utf8) else {
      throw BuildError.input("\(path) is not a Linux kernel. \(takes)")
    }
    guard bytes.count >= 0x268 else { throw BuildError.input("\(path) is cut off within its header. Copy it again.") }
    bootProtocol = word(0x206)
    self.path = path
    guard bootProtocol >= 0x0206, bytes[0x211] & 1 != 0 else {
      throw BuildError.input("\(path) is a zImage or older than Linux 2.6.22. \(takes)")
    }
    // setup_sects counts the 512-byte sectors after the first one (0 means 4), syssize 16-byte paragraphs.
    let setup = (bytes[0x1F1] == 0 ? 5 : Int(bytes[0x1F1]) + 1) * 512
    let whole = setup + Int(long(0x1F4)) * 16
    guard bytes.count >= whole else {
      throw BuildError.input("\(path) is cut off: it has \(bytes.count) of \(whole) bytes. Copy it again.")
    }
    // XLF_KERNEL_64 says that the kernel has the 64-bit entry point. Only x86_64 kernels set it, all of them since the
    // protocol has it (2.12, Linux 3.8), and the 32-bit entry point that they have as well goes to 64-bit mode at once.
    let is64Bit = bootProtocol >= 0x020C && word(0x236) & 1 != 0
    guard !is64Bit || form.is64Bit else {
      throw BuildError.input(
        "\(path) runs on 64-bit computers only; a drone's kernel must run on 32-bit ones. Build it with ARCH=i386.")
    }
    guard is64Bit || !form.is64Bit else {
      throw BuildError.input(
        "\(path) is for 32-bit computers; this drone's programs need a kernel of 64 bits. Build it with ARCH=x86_64.")
    }
    isEFIProgram = bytes.prefix(2).elementsEqual("MZ".utf8)
    let (first, count) = (setup + Int(long(0x248)), Int(long(0x24C)))
    payload = bootProtocol >= 0x0208 && count > 0 && first + count <= bytes.count ? first..<first + count : nil
    let start = Int(word(0x20E)) + 0x200
    if word(0x20E) != 0, start < setup {
      version = String(decoding: bytes[start..<setup].prefix { $0 != 0 }.prefix(200), as: UTF8.self)
    } else {
      version = ""
    }
  }
}

extension FilePath {
  /// The path that a symbolic link leads to, or this one.
  func followed() throws -> FilePath {
    try fileOperation(self, "Check the path and its permissions") {
      guard let real = realpath(string, nil) else { throw Errno(rawValue: errno) }
      defer { free(real) }
      return FilePath(platformString: real)
    }
  }
}
