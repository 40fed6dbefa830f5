import Addresses
import Addressing
import Bytes

/// A ProxyDHCP server (PXE 2.1 §2.2, RFC 4578), without sockets: beside the DHCP server of a network, which gives the
/// addresses, it tells boot ROMs where their boot file is.
///
/// It answers boot ROMs alone, and of these the ones that it has a file for. An offer names the file. To a BIOS it says that
/// nothing else is to be asked for; some ROMs ask port 4011 all the same. To UEFI it does not: EDK II's PXE driver drops an
/// offer without an address that has such options (it means to keep the first of them and keeps none,
/// `PxeBcCacheDhcp4Offer`), and one without them it keeps, and asks port 4011. It keeps nothing about clients. Of an address it
/// hears when a ROM asks its server for it, in a broadcast.
public struct ProxyDHCPServer: Sendable {
  public typealias Command = DHCPServer.Command

  /// Answers within a second: a room full of computers that are switched on together. ROMs ask again.
  private static let mostInSecond = 256
  /// Option 43 (PXE 2.1 table 2-1): PXE_DISCOVERY_CONTROL, one byte, "download the boot file that this offer names", the end.
  private static let vendorOptions: [UInt8] = [6, 1, 1 << 3, 255]

  public let network: ServedNetwork
  public let hardware: MACAddress
  private let served: ServedFirmware
  private var misses = Misses()
  private var strangers = Misses()
  private var second: UInt64 = 0
  private var answers = 0

  /// - Parameters:
  ///   - hardware: the server's own card.
  ///   - served: which firmware is answered.
  public init(
    _ network: ServedNetwork, hardware: MACAddress, serving served: ServedFirmware = ServedFirmware(uefi: false)
  ) {
    self.network = network
    self.hardware = hardware
    self.served = served
  }

  /// The number of questions without an answer because too many asked at once.
  public var unanswered: UInt32 { misses.count }
  /// The number of boot ROMs' questions without an answer because there is no file for them.
  public var withoutFile: UInt32 { strangers.count }

  /// Receives the payload of a datagram to port 67.
  /// - Parameters:
  ///   - sender: 0.0.0.0 for a client that has no address.
  ///   - now: milliseconds of a clock that never goes back.
  public mutating func receive(
    _ payload: [UInt8], from sender: IPv4Address = .unspecified, at now: UInt64
  ) -> [Command] {
    guard sender == .unspecified || network.contains(sender), let message = question(payload) else { return [] }
    let hasFile = served.serves(ClientFirmware(message))
    switch message.type {
    case .discover:
      guard hasFile else { return served.miss(message, in: &strangers) }
      guard admits(at: now) else { return miss(message) }
      return [reply(to: message, .offer).sending(from: network.own, hardware)]
    case .request:
      // It has chosen the other server's address.
      guard hasFile, let address = message.addresses(of: .requestedAddress).first, network.contains(address),
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
      message.type == .request || message.type == .inform, served.serves(ClientFirmware(message))
    else { return [] }
    guard admits(at: now) else { return miss(message) }
    return [
      .answer(reply(to: message, .acknowledgement).bytes, to: sender, port: port),
      .news(.leased(message.clientHardware, sender, .rom)),
    ]
  }

  /// Of a boot ROM, and not from a relay.
  private func question(_ payload: [UInt8]) -> BOOTPMessage? {
    guard let message = network.question(payload, to: hardware), message.relayAddress == .unspecified,
      message.isFromBootROM
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
    misses.add(message.clientHardware, [UInt8]("too many boot ROMs ask at once: no answer to "))
  }

  private func reply(to message: BOOTPMessage, _ type: DHCPMessageType) -> BOOTPMessage {
    var out = BOOTPMessage(answering: message, type, from: network.own)
    let firmware = ClientFirmware(message)
    out.add(.vendorClass, [UInt8](firmware.bootClass))
    // A ROM knows its answers by it (RFC 4578 §2.3).
    if let machine = message.value(of: .machineIdentifier) { out.add(.machineIdentifier, machine) }
    if firmware == .bios { out.add(.vendorOptions, ProxyDHCPServer.vendorOptions) }
    out.addBootFile(on: network.own, for: message)
    return out
  }
}
