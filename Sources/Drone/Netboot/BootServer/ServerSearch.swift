import Addresses
import Addressing

/// A search for another DHCP server on a network, without socket and clock: DHCPDISCOVER three times within three seconds. It
/// requests no address from a server that answers.
public struct ServerSearch: Sendable {
  public enum Step: Equatable, Sendable {
    /// Send this frame and ask again.
    case send([UInt8])
    /// Listen until then and ask again.
    case wait(until: UInt64)
    /// Nobody answered.
    case over
  }

  private let hardware: MACAddress
  private let transaction: UInt32
  private var sent = 0
  private var next: UInt64

  private static let questions = 3
  private static let interval: UInt64 = 1000

  /// `transaction`: random. `start`: milliseconds of a clock that never goes back.
  public init(hardware: MACAddress, transaction: UInt32, start: UInt64) {
    self.hardware = hardware
    self.transaction = transaction
    next = start
  }

  /// What to do now.
  public mutating func step(at now: UInt64) -> Step {
    guard now >= next else { return .wait(until: next) }
    guard sent < ServerSearch.questions else { return .over }
    var message = BOOTPMessage(operation: .request, transaction: transaction, clientHardware: hardware)
    message.seconds = UInt16(clamping: sent)
    message.wantsBroadcast = true
    message.add(.messageType, [DHCPMessageType.discover.rawValue])
    message.add(.parameterList, [VendorExtension.Code.subnetMask.number])
    sent += 1
    next = now &+ ServerSearch.interval
    return .send(message.broadcastFrame?.bytes ?? [])
  }

  /// The server that sent a received frame as its answer; nil for any other frame.
  public func server(in bytes: [UInt8]) -> IPv4Address? {
    guard let frame = EthernetFrame(bytes), let message = BOOTPMessage(frame: frame),
      message.transaction == transaction, message.clientHardware == hardware
    else { return nil }
    let named = message.addresses(of: .serverIdentifier).first ?? message.serverAddress
    return named.isHostAddress ? named : UDPDatagram(ipv4: frame.payload)?.source
  }
}
