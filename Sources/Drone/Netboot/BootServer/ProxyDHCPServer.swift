import Addresses
import Addressing
import Bytes

/// A ProxyDHCP server (PXE 2.1 §2.2, RFC 4578), without sockets: beside the DHCP server of a network, which gives the
/// addresses, it tells boot ROMs where their boot file is.
///
/// It answers boot ROMs alone, and of these the ones that can run the file. An offer names the file, and says that nothing
/// else is to be asked for; some ROMs ask port 4011 all the same. It keeps nothing about clients. Of an address it hears when
/// a ROM asks its server for it, in a broadcast.
public struct ProxyDHCPServer: Sendable {
  public typealias Command = DHCPServer.Command

  /// Answers within a second: a room full of computers that are switched on together. ROMs ask again.
  private static let mostInSecond = 256
  /// Option 43 (PXE 2.1 table 2-1): PXE_DISCOVERY_CONTROL, one byte, "download the boot file that this offer names", the end.
  private static let vendorOptions: [UInt8] = [6, 1, 1 << 3, 255]

  public let network: ServedNetwork
  public let hardware: MACAddress
  private var misses = Misses()
  private var second: UInt64 = 0
  private var answers = 0

  /// - Parameter hardware: the server's own card.
  public init(_ network: ServedNetwork, hardware: MACAddress) {
    self.network = network
    self.hardware = hardware
  }

  /// The number of questions without an answer because too many asked at once.
  public var unanswered: UInt32 { misses.count }

  /// Receives the payload of a datagram to port 67.
  /// - Parameters:
  ///   - sender: 0.0.0.0 for a client that has no address.
  ///   - now: milliseconds of a clock that never goes back.
  public mutating func receive(
    _ payload: [UInt8], from sender: IPv4Address = .unspecified, at now: UInt64
  ) -> [Command] {
    guard sender == .unspecified || network.contains(sender), let message = question(payload) else { return [] }
    switch message.type {
    case .discover:
      guard admits(at: now) else { return miss(message) }
      return [reply(to: message, .offer).sending(from: network.own, hardware)]
    case .request:
      // It has chosen the other server's address.
      guard let address = message.addresses(of: .requestedAddress).first, network.contains(address),
        address != network.own
      else { return [] }
      return [.news(.leased(message.clientHardware, address, .rom))]
    default: return []
    }
  }

  /// Receives the payload of a datagram to port 4011: a boot ROM has its address and asks for the rest.
  public mutating func receive(
    request payload: [UInt8], from sender: IPv4Address, port: UInt16, at now: UInt64
  ) -> [Command] {
    guard network.contains(sender), sender != network.own, let message = question(payload),
      message.type == .request || message.type == .inform
    else { return [] }
    guard admits(at: now) else { return miss(message) }
    return [
      .answer(reply(to: message, .acknowledgement).bytes, to: sender, port: port),
      .news(.leased(message.clientHardware, sender, .rom)),
    ]
  }

  /// Of a boot ROM that can run the file, and not from a relay.
  private func question(_ payload: [UInt8]) -> BOOTPMessage? {
    guard let message = network.question(payload, to: hardware), message.relayAddress == .unspecified,
      message.isFromBootROM, message.runsBootFile
    else { return nil }
    return message
  }

  private mutating func admits(at now: UInt64) -> Bool {
    if now / 1000 != second {
      second = now / 1000
      answers = 0
    }
    answers += 1
    return answers <= ProxyDHCPServer.mostInSecond
  }

  private mutating func miss(_ message: BOOTPMessage) -> [Command] {
    misses.add(message.clientHardware, "too many boot ROMs ask at once: no answer to ")
  }

  private func reply(to message: BOOTPMessage, _ type: DHCPMessageType) -> BOOTPMessage {
    var out = BOOTPMessage(answering: message, type, from: network.own)
    out.add(.vendorClass, [UInt8](BOOTPMessage.bootROM))
    // A ROM knows its answers by it (RFC 4578 §2.3).
    if let machine = message.value(of: .machineIdentifier) { out.add(.machineIdentifier, machine) }
    out.add(.vendorOptions, ProxyDHCPServer.vendorOptions)
    out.addBootFile(on: network.own, for: message)
    return out
  }
}
