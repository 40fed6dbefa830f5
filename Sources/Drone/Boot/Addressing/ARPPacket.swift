import Addresses
import Bytes

/// An ARP packet for IPv4 over Ethernet (RFC 826), and its reverse (RFC 903), which has the same layout.
public struct ARPPacket: Equatable, Sendable {
  public enum Operation: UInt16, Sendable {
    case request = 1
    case reply = 2
    case reverseRequest = 3
    case reverseReply = 4
  }

  public var operation: Operation
  public var senderHardware: MACAddress
  public var sender: IPv4Address
  public var targetHardware: MACAddress
  public var target: IPv4Address

  public init(
    operation: Operation, senderHardware: MACAddress, sender: IPv4Address, targetHardware: MACAddress,
    target: IPv4Address
  ) {
    self.operation = operation
    self.senderHardware = senderHardware
    self.sender = sender
    self.targetHardware = targetHardware
    self.target = target
  }

  /// "Does anybody have this address?", asked without claiming any: the sender's address is 0.0.0.0 (RFC 5227 §2.1.1).
  public static func probe(_ address: IPv4Address, by hardware: MACAddress) -> ARPPacket {
    ARPPacket(
      operation: .request, senderHardware: hardware, sender: .unspecified, targetHardware: .zero, target: address)
  }

  /// "This address is mine": sender and target are the same, so that old entries in neighbours' tables are replaced
  /// (RFC 5227 §2.3).
  public static func announcement(_ address: IPv4Address, by hardware: MACAddress) -> ARPPacket {
    ARPPacket(operation: .request, senderHardware: hardware, sender: address, targetHardware: .zero, target: address)
  }

  /// "Which address is mine?" (RFC 903): both hardware addresses are the asker's own.
  public static func reverseRequest(by hardware: MACAddress) -> ARPPacket {
    ARPPacket(
      operation: .reverseRequest, senderHardware: hardware, sender: .unspecified, targetHardware: hardware,
      target: .unspecified)
  }

  /// Reads the payload of a frame; nil if it is too short, for other networks than IPv4 over Ethernet, or for an
  /// operation that is not one of the four. Padding after it is ignored.
  public init?(_ payload: some Collection<UInt8>) {
    var reader = ByteReader<ReadingError>([UInt8](payload.prefix(28)))
    do throws(ReadingError) {
      guard try reader.uint16() == 1, try reader.uint16() == EtherType.ipv4.value, try reader.uint8() == 6,
        try reader.uint8() == 4, let operation = Operation(rawValue: try reader.uint16())
      else { return nil }
      self.init(
        operation: operation, senderHardware: try reader.macAddress(), sender: try reader.ipv4Address(),
        targetHardware: try reader.macAddress(), target: try reader.ipv4Address())
    } catch {
      return nil
    }
  }

  /// The packet inside a frame; nil if the frame's type does not belong to the operation.
  public init?(frame: EthernetFrame) {
    guard let packet = ARPPacket(frame.payload), frame.type == packet.etherType else { return nil }
    self = packet
  }

  private var etherType: EtherType {
    switch operation {
    case .request, .reply: .arp
    case .reverseRequest, .reverseReply: .reverseARP
    }
  }

  /// The 28 bytes of the packet.
  public var bytes: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(28)
    out.append(networkOrder: UInt16(1))  // hardware: Ethernet
    out.append(networkOrder: EtherType.ipv4.value)
    out.append(6)
    out.append(4)
    out.append(networkOrder: operation.rawValue)
    out += senderHardware.octets
    out += sender.octets
    out += targetHardware.octets
    out += target.octets
    return out
  }

  /// The packet in a frame to everybody on the link.
  public var broadcastFrame: EthernetFrame {
    EthernetFrame(destination: .broadcast, source: senderHardware, type: etherType, payload: bytes)
  }
}

extension EthernetFrame {
  /// Whose frame it is: of ARP who the packet says, since that is what others take up, whatever the frame's own source is.
  public var origin: MACAddress { ARPPacket(frame: self)?.senderHardware ?? source }
}
