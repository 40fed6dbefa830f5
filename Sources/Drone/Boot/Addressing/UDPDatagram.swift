import Addresses
import Bytes

/// A UDP datagram (RFC 768) with the IPv4 header (RFC 791) that it is sent under.
public struct UDPDatagram: Equatable, Sendable {
  public var source: IPv4Address
  public var destination: IPv4Address
  public var sourcePort: UInt16
  public var destinationPort: UInt16
  public var payload: [UInt8]

  /// More than this does not go into one frame (1500 bytes without both headers).
  public static let largestPayload = 1472

  /// Nil when the payload is above `largestPayload`.
  public init?(
    source: IPv4Address, destination: IPv4Address, sourcePort: UInt16, destinationPort: UInt16, payload: [UInt8]
  ) {
    guard payload.count <= UDPDatagram.largestPayload else { return nil }
    self.source = source
    self.destination = destination
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.payload = payload
  }

  /// Reads an IPv4 packet; bytes after its total length are padding. Nil for anything but a whole, unfragmented UDP
  /// datagram whose checksums are right.
  ///
  /// A UDP checksum that holds only the sum of the pseudo-header counts as right: a virtual network card hands over
  /// packets of its own host in which the sum was left for hardware to complete.
  public init?(ipv4 packet: [UInt8]) {
    guard let first = packet.first, first >> 4 == 4 else { return nil }
    let headerLength = Int(first & 0xF) * 4
    guard headerLength >= 20, headerLength <= packet.count else { return nil }
    let (source, destination, segment): (IPv4Address, IPv4Address, ArraySlice<UInt8>)
    let (sourcePort, destinationPort, length, checksum): (UInt16, UInt16, UInt16, UInt16)
    do throws(ReadingError) {
      var reader = ByteReader<ReadingError>(packet)
      try reader.skip(2)
      let total = Int(try reader.uint16())
      guard total >= headerLength + 8, total <= packet.count else { return nil }
      try reader.skip(2)
      guard try reader.uint16() & 0x3FFF == 0 else { return nil }  // a fragment
      try reader.skip(1)
      guard try reader.uint8() == 17 else { return nil }
      try reader.skip(2)
      source = try reader.ipv4Address()
      destination = try reader.ipv4Address()

      segment = packet[headerLength..<total]
      reader = ByteReader<ReadingError>(segment)
      sourcePort = try reader.uint16()
      destinationPort = try reader.uint16()
      length = try reader.uint16()
      checksum = try reader.uint16()
    } catch {
      return nil
    }
    var headerSum = InternetChecksum()
    headerSum.add(packet.prefix(headerLength))
    guard headerSum.folded == 0xFFFF, length >= 8, Int(length) <= segment.count else { return nil }
    let datagram = segment.prefix(Int(length))
    if checksum != 0 {
      var sum = UDPDatagram.pseudoHeader(source, destination, length: length)
      let partial = sum.folded
      sum.add(datagram)
      guard sum.folded == 0xFFFF || checksum == partial else { return nil }
    }
    self.init(
      source: source, destination: destination, sourcePort: sourcePort, destinationPort: destinationPort,
      payload: [UInt8](datagram.dropFirst(8)))
  }

  /// The IPv4 packet as it is sent: 20 bytes of header without options, time to live 64, may not be fragmented.
  public var ipv4: [UInt8] {
    // The initializer keeps the payload far below what the 16-bit lengths hold; a longer one set later is cut.
    let payload = self.payload.prefix(UDPDatagram.largestPayload)
    let length = UInt16(8 + payload.count)
    var header: [UInt8] = [0x45, 0]  // version 4, header of 5 words; ordinary service
    header.append(networkOrder: 20 + length)
    header.append(networkOrder: UInt16(0))  // identification: meaningless when never fragmented (RFC 6864 §4.1)
    header.append(networkOrder: UInt16(0x4000))  // do not fragment
    header.append(64)
    header.append(17)
    var headerSum = InternetChecksum()
    headerSum.add(header)
    headerSum.add(source.octets)
    headerSum.add(destination.octets)
    header.append(networkOrder: headerSum.value)
    header += source.octets
    header += destination.octets

    var datagram: [UInt8] = []
    datagram.append(networkOrder: sourcePort)
    datagram.append(networkOrder: destinationPort)
    datagram.append(networkOrder: length)
    var sum = UDPDatagram.pseudoHeader(source, destination, length: length)
    sum.add(datagram)
    sum.add(payload)
    // A sum of zero is sent as its other form: zero would mean that there is none (RFC 768).
    datagram.append(networkOrder: sum.value == 0 ? 0xFFFF : sum.value)
    return header + datagram + payload
  }

  private static func pseudoHeader(
    _ source: IPv4Address, _ destination: IPv4Address, length: UInt16
  ) -> InternetChecksum {
    var sum = InternetChecksum()
    sum.add(source.octets)
    sum.add(destination.octets)
    sum.add(UInt16(17))
    sum.add(length)
    return sum
  }
}
