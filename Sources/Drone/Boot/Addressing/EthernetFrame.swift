import Addresses
import Bytes

/// What an Ethernet frame carries (IEEE 802 EtherType).
public struct EtherType: Hashable, Sendable {
  public let value: UInt16

  public init(_ value: UInt16) { self.value = value }

  public static let ipv4 = EtherType(0x0800)
  /// RFC 826.
  public static let arp = EtherType(0x0806)
  /// RFC 903.
  public static let reverseARP = EtherType(0x8035)
}

/// An Ethernet II frame without its check sequence (RFC 894).
public struct EthernetFrame: Equatable, Sendable {
  public var destination: MACAddress
  public var source: MACAddress
  public var type: EtherType
  /// With whatever padding the sender added: the payload's own lengths say where it ends.
  public var payload: [UInt8]

  public init(destination: MACAddress, source: MACAddress, type: EtherType, payload: [UInt8]) {
    self.destination = destination
    self.source = source
    self.type = type
    self.payload = payload
  }

  /// Nil for fewer than the header's 14 bytes.
  public init?(_ bytes: [UInt8]) {
    var reader = ByteReader<ReadingError>(bytes)
    do throws(ReadingError) {
      self.init(
        destination: try reader.macAddress(), source: try reader.macAddress(), type: EtherType(try reader.uint16()),
        payload: [UInt8](reader.remainder()))
    } catch {
      return nil
    }
  }

  /// The frame as it is sent, padded with zeros to Ethernet's 60 bytes: some old drivers do not pad by themselves.
  public var bytes: [UInt8] {
    var out = destination.octets
    out += source.octets
    out.append(networkOrder: type.value)
    out += payload
    if out.count < 60 { out.append(zeros: 60 - out.count) }
    return out
  }
}
