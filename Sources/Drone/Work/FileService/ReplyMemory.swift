import Bytes

/// What was answered to the last calls that must not be carried out twice: a client that lost its connection sends them again (RFC 1813
/// §4.5).
struct ReplyMemory {
  private struct Entry {
    let xid: UInt32
    let digest: UInt64
    let reply: [UInt8]
  }

  private var entries: [Entry] = []
  private var oldest = 0
  private static let most = 128
  /// A longer one is not kept; none of these calls has one.
  private static let longest = 2048

  func reply(_ xid: UInt32, _ digest: UInt64) -> [UInt8]? {
    entries.first { $0.xid == xid && $0.digest == digest }?.reply
  }

  mutating func keep(_ xid: UInt32, _ digest: UInt64, _ reply: [UInt8]) {
    guard reply.count <= ReplyMemory.longest else { return }
    let entry = Entry(xid: xid, digest: digest, reply: reply)
    if entries.count < ReplyMemory.most {
      entries.append(entry)
    } else {
      entries[oldest] = entry
      oldest = (oldest + 1) % ReplyMemory.most
    }
  }

  /// Tells calls apart that have the same number: FNV-1a, 64 bits. Only the client itself could make two the same.
  static func digest(_ record: [UInt8]) -> UInt64 {
    var out: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in record { out = (out ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return out
  }
}
