import Addresses

/// Finding out whether an address is free before it is used (RFC 5227 §2.1), without socket and clock.
///
/// The standard's three probes take up to nine seconds; here they go out 100 ms apart and the last is listened for as long
/// again, 0.3 s in all: a machine on the same link answers in milliseconds, and whoever is heard later is yielded to
/// (`AddressWatch`).
public struct AddressProbe: Sendable {
  public enum Command: Equatable, Sendable {
    /// Send this frame.
    case send([UInt8])
    /// Nobody objected: the address may be used.
    case use
  }

  public let address: IPv4Address
  public let hardware: MACAddress
  private var sent = 0
  /// When `step` is due; nil once the address may be used.
  public private(set) var nextDue: UInt64?

  private static let probes = 3
  private static let interval: UInt64 = 100

  /// `start`: milliseconds of a clock that never goes back.
  public init(_ address: IPv4Address, hardware: MACAddress, start: UInt64) {
    self.address = address
    self.hardware = hardware
    nextDue = start
  }

  /// Does what is due.
  public mutating func step(at now: UInt64) -> [Command] {
    guard let due = nextDue, now >= due else { return [] }
    guard sent < AddressProbe.probes else {
      nextDue = nil
      return [.use]
    }
    sent += 1
    nextDue = now &+ AddressProbe.interval
    return [.send(ARPPacket.probe(address, by: hardware).broadcastFrame.bytes)]
  }

  /// Receives a frame; returns the holder of the address that it shows, or who is about to take it.
  public func receive(_ bytes: [UInt8]) -> MACAddress? {
    guard let packet = EthernetFrame(bytes).flatMap(ARPPacket.init(frame:)), packet.senderHardware != hardware else {
      return nil
    }
    if packet.sender == address { return packet.senderHardware }
    // Somebody else is probing for the same address at the same time.
    let rivals = packet.operation == .request && packet.sender == .unspecified && packet.target == address
    return rivals ? packet.senderHardware : nil
  }
}
