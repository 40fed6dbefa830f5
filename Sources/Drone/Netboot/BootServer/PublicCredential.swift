import Bytes

/// The credential that a drone from the network gets: the authority's certificate and the cluster's name, and never a key. It
/// is an archive for the kernel's unpacker behind the public root, byte for byte the one that the build puts there before it
/// compresses it (newc: Documentation/driver-api/early-userspace/buffer-format.rst).
public struct PublicCredential: Sendable {
  /// In PEM.
  public let certificate: [UInt8]
  /// Two lines: the cluster's name and its fingerprint.
  public let description: [UInt8]

  public init(certificate: [UInt8], description: [UInt8]) {
    self.certificate = certificate
    self.description = description
  }

  public var archive: [UInt8] {
    var out: [UInt8] = []
    append("credential", inode: 1, mode: 0o040700, links: 2, date: PublicCredential.date, [], to: &out)
    append("credential/ca.crt", inode: 2, mode: 0o100600, links: 1, date: PublicCredential.date, certificate, to: &out)
    append(
      "credential/cluster", inode: 3, mode: 0o100600, links: 1, date: PublicCredential.date, description, to: &out)
    append("TRAILER!!!", inode: 0, mode: 0, links: 1, date: 0, [], to: &out)
    return out
  }

  /// The first second of 1980, as everything in an image.
  private static let date: UInt32 = 315_532_800

  private func append(
    _ name: StaticString, inode: UInt32, mode: UInt32, links: UInt32, date: UInt32, _ content: [UInt8],
    to out: inout [UInt8]
  ) {
    let name = [UInt8](name)
    out += [UInt8]("070701")
    field(inode, to: &out)
    field(mode, to: &out)
    for _ in 0..<2 { field(0, to: &out) }  // user and group: root
    field(links, to: &out)
    field(date, to: &out)
    field(UInt32(clamping: content.count), to: &out)
    for _ in 0..<4 { field(0, to: &out) }  // devices
    field(UInt32(clamping: name.count + 1), to: &out)
    field(0, to: &out)  // a check sum, which this format does not have
    out += name
    out.append(0)
    PublicCredential.pad(&out)
    out += content
    PublicCredential.pad(&out)
  }

  private func field(_ value: UInt32, to out: inout [UInt8]) {
    for shift in [24, 16, 8, 0] as [UInt32] { out += hexadecimalByte(UInt8(truncatingIfNeeded: value >> shift)) }
  }

  /// Names and contents each end on a multiple of four bytes.
  private static func pad(_ out: inout [UInt8]) {
    while out.count % 4 != 0 { out.append(0) }
  }
}
