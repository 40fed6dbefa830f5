/// Frames as tcpdump and Wireshark read them: the pcap file format (draft-ietf-opsawg-pcap), microseconds, least significant
/// byte first.
public enum PacketCapture {
  /// What a file begins with.
  public static let header: [UInt8] =
    little(0xA1B2_C3D4)  // So a reader knows the order of bytes and the unit of time.
    + [2, 0, 4, 0]  // Version 2.4.
    + little(0) + little(0)  // Nobody uses these.
    + little(UInt32(FrameReader.longestFrame))  // No record is longer.
    + little(1)  // LINKTYPE_ETHERNET.

  /// A frame, seen at a time in microseconds since 1970.
  public static func record(_ frame: [UInt8], at microseconds: UInt64) -> [UInt8] {
    let count = UInt32(truncatingIfNeeded: frame.count)
    return little(UInt32(truncatingIfNeeded: microseconds / 1_000_000))
      + little(UInt32(microseconds % 1_000_000)) + little(count) + little(count) + frame
  }

  private static func little(_ value: UInt32) -> [UInt8] {
    [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> $0) }
  }
}
