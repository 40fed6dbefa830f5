import Bytes

/// How much of a CD's `/chaos/chaos.rdz` is the public root archive. The cluster's credential follows, which nobody may fetch.
/// The build writes this onto the medium, since only the build knows it.
///
///     public 1034532 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
public struct PublicPart: Equatable, Sendable {
  /// In bytes; a multiple of four, as the kernel requires of an archive that another one follows.
  public let size: Int
  /// `ContentDigest` (Boot/Integrity) over these bytes.
  public let digest: [UInt8]

  public init(size: Int, digest: [UInt8]) {
    self.size = size
    self.digest = digest
  }

  public var text: [UInt8] {
    var out = [UInt8]("public ")
    appendDecimal(UInt64(clamping: size), to: &out)
    return out + [UInt8](" ") + hexadecimalText(digest) + [UInt8]("\n")
  }

  /// Nil for any other text, and for a size that is not a multiple of four or is above 64 MiB.
  public init?(text: [UInt8]) {
    guard text.last == UInt8(ascii: "\n") else { return nil }
    let words = text.dropLast().split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard words.count == 3, words[0].spells("public"), let size = decimal(words[1]), size > 0, size % 4 == 0,
      size <= 64 << 20, let digest = hexadecimalBytes(words[2], count: 32)
    else { return nil }
    self.init(size: Int(size), digest: digest)
  }
}
