import Addresses
import Addressing

/// A search for another DHCP server on a network, without socket and clock: DHCPDISCOVER four times in ten seconds. It
/// requests no address from a server that answers.
///
/// Many servers first ask the network whether the address that they will offer is free (RFC 2131 §2.2): dnsmasq listens three
/// seconds for an answer to its ping. So the last question is listened for longer than that.
public struct ServerSearch: Sendable {
  public enum Command: Equatable, Sendable {
    /// Send this frame.
    case send([UInt8])
    /// This server answered, with an offer of this address: the search is over.
    case yield(to: IPv4Address, offering: IPv4Address)
    /// Nobody answered.
    case serve
  }

  private let hardware: MACAddress
  private let transaction: UInt32
  private let start: UInt64
  private let network: ServedNetwork?
  private var sent = 0
  /// When `step` is due; nil when the search is over.
  public private(set) var nextDue: UInt64?

  /// From one question to the next, and from the last to the end, in milliseconds.
  private static let intervals: [UInt64] = [1000, 2000, 3000, 4000]

  /// - Parameters:
  ///   - transaction: random.
  ///   - start: milliseconds of a clock that never goes back.
  ///   - network: offers of addresses on another one are passed over; nil for none.
  public init(hardware: MACAddress, transaction: UInt32, start: UInt64, within network: ServedNetwork? = nil) {
    self.hardware = hardware
    self.transaction = transaction
    self.start = start
    self.network = network
    nextDue = start
  }

  /// Does what is due.
  public mutating func step(at now: UInt64) -> [Command] {
    guard let due = nextDue, now >= due else { return [] }
    guard sent < ServerSearch.intervals.count else {
      nextDue = nil
      return [.serve]
    }
    var message = BOOTPMessage(operation: .request, transaction: transaction, clientHardware: hardware)
    message.seconds = UInt16(clamping: (now &- start) / 1000)
    message.wantsBroadcast = true
    message.add(.messageType, [DHCPMessageType.discover.rawValue])
    message.add(.parameterList, [VendorExtension.Code.subnetMask.number])
    nextDue = now &+ ServerSearch.intervals[sent]
    sent += 1
    return [.send(message.broadcastFrame?.bytes ?? [])]
  }

  /// Receives a frame from the card. Only an answer to this search matters.
  public mutating func receive(_ bytes: [UInt8]) -> [Command] {
    guard nextDue != nil, let frame = EthernetFrame(bytes), let message = BOOTPMessage(frame: frame),
      message.transaction == transaction, message.clientHardware == hardware,
      network?.contains(message.yourAddress) ?? true
    else { return [] }
    let named = message.addresses(of: .serverIdentifier).first ?? message.serverAddress
    guard let server = named.isHostAddress ? named : UDPDatagram(ipv4: frame.payload)?.source, server.isHostAddress
    else { return [] }
    nextDue = nil
    return [.yield(to: server, offering: message.yourAddress)]
  }
}
