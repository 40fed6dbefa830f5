import Addresses

/// Seeing that somebody else has an address that is in use here already (RFC 5227 §2.3, §2.4), without socket and clock.
///
/// `AddressProbe` asks for 0.3 s, and may ask in vain: some cards hear nothing in their first second, and a switch
/// with a spanning tree passes nothing for half a minute or more. So the address is asked for again while it is in use. These
/// are probes, too, because every holder answers them, whereas Linux answers no announcement; this machine's own kernel
/// does not hear them, since a frame does not come back to its sender.
///
/// The address is *new* until three seconds after anything was heard at all. While it is new, whoever else uses it was there
/// before, and it is given up. After that it *stands*: nothing that anybody sends takes it away, since ARP
/// can be forged by everybody on the link. It is then defended with one announcement in ten seconds, for as long as it
/// is in use (RFC 5227 §2.4 c).
public struct AddressWatch: Sendable {
  public enum Command: Equatable, Sendable {
    /// Send this frame.
    case send([UInt8])
    /// Somebody else has the new address: give it up.
    case yield(to: MACAddress)
    /// Somebody else uses the address, which is kept: tell people.
    case report(rival: MACAddress)
  }

  public let address: IPv4Address
  public let hardware: MACAddress
  /// The drone keeps the address from now on.
  public private(set) var isStanding = false
  /// Something has come through the card.
  private var hasHeard: Bool
  /// What the times of probes count from.
  private var start: UInt64
  private var sent: UInt64 = 0
  private var nextDefence: UInt64 = 0
  private var nextNews: UInt64 = 0
  private var newsPause = AddressWatch.defencePause

  /// The first probe; each next one is twice as far from the start, without end while nothing is heard.
  private static let firstProbe: UInt64 = 1000
  private static let newFor: UInt64 = 3000
  /// RFC 5227 §1.1, DEFEND_INTERVAL.
  private static let defencePause: UInt64 = 10_000
  private static let longestNewsPause: UInt64 = 3_600_000

  /// - Parameters:
  ///   - hasHeard: The card is known to hear, for example because the address came through it.
  ///   - start: When the address was set, in milliseconds of a clock that never goes back.
  public init(_ address: IPv4Address, hardware: MACAddress, hasHeard: Bool, start: UInt64) {
    self.address = address
    self.hardware = hardware
    self.hasHeard = hasHeard
    self.start = start
  }

  /// When `step` is due; nil once the address stands.
  public var nextDue: UInt64? { isStanding ? nil : min(nextProbe, end ?? nextProbe) }

  /// When the address is new no longer; nil before anything was heard.
  private var end: UInt64? { hasHeard ? start &+ AddressWatch.newFor : nil }
  private var nextProbe: UInt64 { start &+ AddressWatch.firstProbe << sent }

  /// Does what is due.
  public mutating func step(at now: UInt64) -> [Command] {
    guard !isStanding else { return [] }
    if let end, now >= end {
      isStanding = true
      return []
    }
    var commands: [Command] = []
    while now >= nextProbe {
      sent &+= 1
      commands.append(.send(ARPPacket.probe(address, by: hardware).broadcastFrame.bytes))
      // The second announcement belongs two seconds behind the first.
      if sent == 2 { commands.append(.send(announcement)) }
    }
    return commands
  }

  private var announcement: [UInt8] { ARPPacket.announcement(address, by: hardware).broadcastFrame.bytes }

  /// Receives a frame, which may show another holder. Somebody who only probes for the address is none: the kernel answers
  /// them.
  public mutating func receive(_ bytes: [UInt8], at now: UInt64) -> [Command] {
    guard let packet = EthernetFrame(bytes).flatMap(ARPPacket.init(frame:)), packet.senderHardware != hardware else {
      return []
    }
    guard packet.sender == address else {
      if !hasHeard {
        hasHeard = true
        start = now
        sent = 0
      }
      return []
    }
    guard isStanding else { return [.yield(to: packet.senderHardware)] }
    var commands: [Command] = []
    if now >= nextDefence {
      nextDefence = now &+ AddressWatch.defencePause
      commands.append(.send(announcement))
    }
    if now >= nextNews {
      nextNews = now &+ newsPause
      newsPause = min(newsPause &* 2, AddressWatch.longestNewsPause)
      commands.append(.report(rival: packet.senderHardware))
    }
    return commands
  }
}
