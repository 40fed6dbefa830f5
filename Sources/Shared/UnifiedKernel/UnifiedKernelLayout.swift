/// A unified kernel image (UAPI Group Specifications, UAPI.5): systemd's boot stub with a kernel, its root and its command
/// line as further sections of the program. Here are its headers and where everything lies; whoever writes or serves it
/// takes the bytes from where they are.
///
/// The same sizes and the same stub give the same image. Symbols and signatures of the stub are left out.
public struct UnifiedKernelLayout: Equatable, Sendable {
  /// Where the bytes of an extent come from.
  public enum Source: Equatable, Sendable {
    /// `UnifiedKernelLayout.header`, the whole of it.
    case header
    /// The stub's own bytes, from the same offset as in the image.
    case stub
    case part(UnifiedKernelPart)
    case zeros
  }

  /// Some of the image's bytes.
  public struct Extent: Equatable, Sendable {
    public let source: Source
    /// In the image.
    public let offset: Int
    /// At least 1.
    public let count: Int
  }

  /// The image's first bytes.
  public let header: [UInt8]
  /// All of its bytes: each extent begins where the one before it ends.
  public let extents: [Extent]
  /// The image's bytes.
  public let size: Int

  /// The largest image: a GiB, so that no place in it is a number of more than 31 bits.
  public static let largest = 1 << 30

  /// - Parameters:
  ///   - stub: the stub's first bytes, its headers at least (`mostHeaderBytes` are enough of any).
  ///   - stubSize: how many bytes the whole stub has.
  public init(stub: [UInt8], stubSize: Int, sizes: UnifiedKernelSizes) throws(UnifiedKernelError) {
    var headers = try StubHeader(stub, of: stubSize)
    var extents = [Extent(source: .header, offset: 0, count: headers.bytes.count)]
    var end = headers.bytes.count
    func add(_ source: Source, upTo next: Int) {
      guard next > end else { return }
      extents.append(Extent(source: source, offset: end, count: next - end))
      end = next
    }
    add(.stub, upTo: headers.fileEnd)
    for part in UnifiedKernelPart.allCases {
      let offset = try headers.add(part, of: sizes[part])
      add(.zeros, upTo: offset)
      add(.part(part), upTo: offset + sizes[part])
    }
    add(.zeros, upTo: headers.fileEnd)
    header = headers.bytes
    self.extents = extents
    size = end
  }

  /// More headers than this no stub has that can be used.
  public static let mostHeaderBytes = 0x10000
}
