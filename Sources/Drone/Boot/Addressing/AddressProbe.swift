import Addresses

/// Finding out whether an address is free before it is used (RFC 5227 §2.1), without socket and clock.
///
/// The standard's three probes take up to nine seconds; here they go out 150 ms apart and the last is listened for as long
/// again and a little more, half a second in all: a machine on the same link answers in milliseconds.
public struct AddressProbe: Sendable {
  public enum Step: Equatable, Sendable {
    /// Send this frame and ask again.
    case send([UInt8])
    /// Listen until then and ask again.
    case wait(until: UInt64)
    /// Nobody objected.
    case free
  }

  public let address: IPv4Address
  public let hardware: MACAddress
  private var sent = 0
  private var next: UInt64

  private static let probes = 3
  private static let interval: UInt64 = 150
  private static let lastWait: UInt64 = 200

  /// `start`: milliseconds of a clock that never goes back.
  public init(_ address: IPv4Address, hardware: MACAddress, start: UInt64) {
    self.address = address
    self.hardware = hardware
    next = start
  }

  /// What to do now.
  public mutating func step(at now: UInt64) -> Step {
    guard now >= next else { return .wait(until: next) }
    guard sent < AddressProbe.probes else { return .free }
    sent += 1
    next = now &+ (sent == AddressProbe.probes ? AddressProbe.lastWait : AddressProbe.interval)
    return .send(ARPPacket.probe(address, by: hardware).broadcastFrame.bytes)
  }

  /// The holder of the address, or who is about to take it, according to a received frame; nil for any other frame.
  public func holder(in bytes: [UInt8]) -> MACAddress? {
    guard let packet = EthernetFrame(bytes).flatMap(ARPPacket.init(frame:)), packet.senderHardware != hardware else {
      return nil
    }
    if packet.sender == address { return packet.senderHardware }
    // Somebody else is probing for the same address at the same time.
    let rivals = packet.operation == .request && packet.sender == .unspecified && packet.target == address
    return rivals ? packet.senderHardware : nil
  }
}
