import Addresses
import Addressing
import Bytes

/// A server of DHCP (RFC 2131) and BOOTP (RFC 951) for computers that boot from this one, without sockets and clock.
///
/// It serves its own network only and does not answer relays. It offers an address to a new card after three ARP probes
/// (0.3 s); from then on the card keeps that address. No client's answer waits for another's.
///
/// Its offers carry no class `PXEClient` (option 60): to a boot ROM they are offers of an ordinary DHCP server that name the
/// boot server and the file, which is all that there is to choose (PXE 2.1 §2.2). With the class and without option 43 a ROM
/// would ask port 4011 first. Firmware that boots by HTTP takes an offer for one with its class alone. Beside another DHCP
/// server `ProxyDHCPServer` stands in its place.
public struct DHCPServer: Sendable {
  public enum Command: Equatable, Sendable {
    /// Send this frame on the card: to a client that has no address yet, or an ARP probe.
    case frame([UInt8])
    /// Send this message to port 68 of a client that has its address.
    case message([UInt8], to: IPv4Address)
    /// Send this message from port 4011, to where it was asked for: by `ProxyDHCPServer` alone.
    case answer([UInt8], to: IPv4Address, port: UInt16)
    case news(BootNews)
  }

  /// A day, in seconds: this is how long drones keep their addresses when this node is gone.
  public static let leaseSeconds: UInt32 = 86_400
  /// The shortest lease in seconds; a client may ask for less than a day (RFC 2131 §4.3.1).
  public static let shortestLease: UInt32 = 20

  private static let leaseTime = UInt64(leaseSeconds) * 1000
  private static let offerTime: UInt64 = 60_000
  /// How long an address stays unused after somebody else was found to have it.
  private static let avoidance: UInt64 = 600_000
  /// A room full of computers that are switched on together.
  private static let mostPending = 256
  /// Addresses that are tried for one client before it has to ask again.
  private static let tries = 8

  /// A client whose address is being probed.
  private struct Pending {
    var message: BOOTPMessage
    var probe: AddressProbe
    var triesLeft = DHCPServer.tries
  }

  public let network: ServedNetwork
  public let hardware: MACAddress
  private var leases: Leases
  private var pending: [Pending] = []
  /// When `step` is due; nil when only a message can change something.
  public private(set) var nextDue: UInt64?
  /// The number of messages from relays, which get no answer.
  public private(set) var relayed: UInt32 = 0
  private let served: ServedFirmware
  private var misses = Misses()
  private var strangers = Misses()

  /// - Parameters:
  ///   - hardware: the server's own card.
  ///   - served: which firmware is told of a boot file; other gets an address alone.
  public init(
    _ network: ServedNetwork, hardware: MACAddress, serving served: ServedFirmware = ServedFirmware(uefi: false)
  ) {
    self.network = network
    self.hardware = hardware
    self.served = served
    leases = Leases(network)
  }

  /// The number of questions without an answer because too many asked at once or all addresses were in use.
  public var unanswered: UInt32 { misses.count }
  /// The number of offers without a boot file because there is none for that firmware.
  public var withoutFile: UInt32 { strangers.count }

  /// Receives an address that a card is known to have, from before this server began or from the cluster's map.
  public mutating func receive(_ known: KnownAddress, at now: UInt64) {
    guard network.contains(known.address), known.address != network.own,
      leases.lease(of: known.hardware)?.address != known.address
    else { return }
    leases.set(known.hardware, known.address, until: now &+ DHCPServer.leaseTime, taken: true)
  }

  // MARK: What comes

  /// Receives the payload of a datagram to port 67.
  /// - Parameters:
  ///   - sender: 0.0.0.0 for a client that has no address. Who asks from another network gets no answer.
  ///   - toEverybody: it was a broadcast. A client that has an address and broadcasts got no answer from its server
  ///   alone (REBINDING, RFC 2131 §4.4.5). Many clients, udhcpc among them, then listen below IP, where packets inside ESP
  ///   do not arrive: such a client gets the answer in a frame as well.
  public mutating func receive(
    _ payload: [UInt8], from sender: IPv4Address = .unspecified, toEverybody: Bool = false, at now: UInt64
  ) -> [Command] {
    guard sender == .unspecified || network.contains(sender) else { return [] }
    let commands = answer(payload, at: now)
    guard toEverybody else { return commands }
    return commands.flatMap { command -> [Command] in
      guard case .message(let bytes, let address) = command, let message = BOOTPMessage(bytes) else { return [command] }
      return [command, message.framed(from: network.own, hardware, to: address, message.clientHardware)]
    }
  }

  private mutating func answer(_ payload: [UInt8], at now: UInt64) -> [Command] {
    guard let message = network.question(payload, to: hardware) else { return [] }
    guard message.relayAddress == .unspecified else {
      relayed &+= 1
      return relayed == 1 ? [.news(.note([UInt8]("a relay asked; this node serves its own network only")))] : []
    }
    guard message.value(of: .messageType) != nil else { return discover(message, at: now) }
    switch message.type {
    case .discover: return discover(message, at: now)
    case .request: return request(message, at: now)
    case .decline: return decline(message, at: now)
    case .release:
      leases.release(message.clientHardware, at: now)
      return []
    case .inform: return inform(message)
    case .offer, .acknowledgement, .refusal, nil: return []
    }
  }

  /// Receives an ARP frame from the card.
  public mutating func receive(arp frame: [UInt8], at now: UInt64) -> [Command] {
    guard let packet = EthernetFrame(frame).flatMap(ARPPacket.init(frame:)) else { return [] }
    for index in pending.indices {
      let probed = pending[index].probe.address
      guard packet.sender == probed || packet.target == probed, let holder = pending[index].probe.receive(frame),
        holder != pending[index].message.clientHardware
      else { continue }
      leases.set(nil, pending[index].probe.address, until: now &+ DHCPServer.avoidance, taken: true)
      pending[index].triesLeft -= 1
      let message = pending[index].message
      let next = pending[index].triesLeft > 0 ? leases.choose(for: message.clientHardware, wanting: nil, at: now) : nil
      guard let next else {
        pending.remove(at: index)
        return miss(message)
      }
      reserve(next, for: message.clientHardware, at: now)
      pending[index].probe = AddressProbe(next, hardware: hardware, start: now)
      return step(at: now)
    }
    return []
  }

  /// Does what is due.
  public mutating func step(at now: UInt64) -> [Command] {
    var commands: [Command] = []
    var due: UInt64?
    var index = 0
    while index < pending.count {
      for command in pending[index].probe.step(at: now) {
        if case .send(let frame) = command { commands.append(.frame(frame)) }
      }
      if let time = pending[index].probe.nextDue {
        due = min(due ?? time, time)
        index += 1
      } else {
        let done = pending.remove(at: index)
        commands += answer(done.message, with: done.probe.address, at: now)
      }
    }
    nextDue = due
    return commands
  }

  // MARK: Messages

  /// DHCPDISCOVER, and BOOTP's only question.
  private mutating func discover(_ message: BOOTPMessage, at now: UInt64) -> [Command] {
    let client = message.clientHardware
    if let index = pending.firstIndex(where: { $0.message.clientHardware == client }) {
      pending[index].message = message
      return []
    }
    if let lease = leases.lease(of: client), lease.isTaken { return answer(message, with: lease.address, at: now) }
    let wanted = message.addresses(of: .requestedAddress).first
    guard pending.count < DHCPServer.mostPending, let address = leases.choose(for: client, wanting: wanted, at: now)
    else { return miss(message) }
    reserve(address, for: client, at: now)
    pending.append(Pending(message: message, probe: AddressProbe(address, hardware: hardware, start: now)))
    return step(at: now)
  }

  private mutating func miss(_ message: BOOTPMessage) -> [Command] {
    misses.add(
      message.clientHardware,
      [UInt8](
        pending.count < DHCPServer.mostPending
          ? "no free address for " : "too many computers ask at once: no answer to "))
  }

  private mutating func reserve(_ address: IPv4Address, for client: MACAddress, at now: UInt64) {
    leases.set(client, address, until: now &+ DHCPServer.offerTime, taken: false)
  }

  /// The reply to a request whose address is decided.
  private mutating func answer(_ message: BOOTPMessage, with address: IPv4Address, at now: UInt64) -> [Command] {
    let client = message.clientHardware
    if message.value(of: .messageType) == nil {
      // A BOOTP client never asks again, so it keeps the address as long as others find one (RFC 1534 §2).
      leases.set(client, address, until: now &+ DHCPServer.leaseTime, taken: true)
      return [send(reply(to: message, nil, address)), .news(.leased(client, address, .bootp))]
    }
    let before = leases.lease(of: client)
    leases.set(
      client, address, until: max(before?.ends ?? 0, now &+ DHCPServer.offerTime), taken: before?.isTaken ?? false)
    let offer = [send(reply(to: message, .offer, address))]
    return served.serves(ClientFirmware(message)) ? offer : offer + served.miss(message, in: &strangers)
  }

  /// DHCPREQUEST in its forms (RFC 2131 §4.3.2).
  private mutating func request(_ message: BOOTPMessage, at now: UInt64) -> [Command] {
    let client = message.clientHardware
    let lease = leases.lease(of: client)
    let wanted = message.addresses(of: .requestedAddress).first
    if let server = message.addresses(of: .serverIdentifier).first {
      // SELECTING: the client has chosen among offers.
      guard server == network.own else {
        leases.withdraw(client)
        return []
      }
      // A client must name the address (RFC 2131 table 5); to one that does not, the offer tells it.
      guard let address = wanted ?? lease?.address, lease?.address == address else { return [refuse(message)] }
      return acknowledge(message, address, at: now)
    }
    if message.clientAddress == .unspecified {
      // INIT-REBOOT: the client remembers an address.
      guard let wanted else { return [] }
      guard network.contains(wanted) else { return [refuse(message)] }
      guard let lease else { return [] }
      return lease.address == wanted ? acknowledge(message, wanted, at: now) : [refuse(message)]
    }
    // RENEWING or REBINDING. A client that is not known had its lease from this node before it restarted.
    let address = message.clientAddress
    if lease?.address == address { return acknowledge(message, address, at: now) }
    guard lease == nil, network.canLease(address), leases.isFree(address, for: client, at: now) else {
      return network.contains(address) ? [refuse(message)] : []
    }
    return acknowledge(message, address, at: now)
  }

  private mutating func acknowledge(_ message: BOOTPMessage, _ address: IPv4Address, at now: UInt64) -> [Command] {
    let client = message.clientHardware
    pending.removeAll { $0.message.clientHardware == client }
    let time = UInt64(leaseSeconds(message)) * 1000
    leases.set(client, address, until: now &+ time, taken: true)
    let kind: BootNews.Client = message.isFromBootROM ? .rom : .dhcp
    return [send(reply(to: message, .acknowledgement, address)), .news(.leased(client, address, kind))]
  }

  private mutating func decline(_ message: BOOTPMessage, at now: UInt64) -> [Command] {
    guard message.addresses(of: .serverIdentifier).first == network.own,
      let address = message.addresses(of: .requestedAddress).first,
      leases.lease(of: message.clientHardware)?.address == address
    else { return [] }
    leases.set(nil, address, until: now &+ DHCPServer.avoidance, taken: true)
    return [.news(.note(message.clientHardware.text + [UInt8](" found ") + address.text + [UInt8](" in use")))]
  }

  /// DHCPINFORM: a client with an address of its own asks for the rest (RFC 2131 §4.3.5).
  private func inform(_ message: BOOTPMessage) -> [Command] {
    guard network.contains(message.clientAddress) else { return [] }
    return [send(reply(to: message, .acknowledgement, nil))]
  }

  // MARK: Replies

  private func refuse(_ message: BOOTPMessage) -> Command {
    var out = BOOTPMessage(answering: message, .refusal, from: network.own)
    // It goes to everybody: the client has no address that it may use (RFC 2131 §4.1).
    out.clientAddress = .unspecified
    out.wantsBroadcast = true
    return send(out)
  }

  /// Offers, acknowledgements and, without a type, BOOTP's reply. `address`: nil when the client has one of its own.
  private func reply(
    to message: BOOTPMessage, _ type: DHCPMessageType?, _ address: IPv4Address?
  ) -> BOOTPMessage {
    var out = BOOTPMessage(answering: message, type, from: network.own)
    out.yourAddress = address ?? .unspecified
    if type != nil, address != nil {
      var seconds: [UInt8] = []
      seconds.append(networkOrder: leaseSeconds(message))
      out.add(.leaseTime, seconds)
    }
    out.add(.subnetMask, network.netmask.address.octets)
    if let gateway = network.gateway { out.add(.routers, gateway.octets) }
    if served.serves(ClientFirmware(message)) { out.addBootFile(on: network.own, for: message) }
    return out
  }

  private func leaseSeconds(_ message: BOOTPMessage) -> UInt32 {
    guard let wanted = message.value(of: .leaseTime), wanted.count == 4 else { return DHCPServer.leaseSeconds }
    let seconds = UInt32(networkOrder: wanted)
    return min(max(seconds, DHCPServer.shortestLease), DHCPServer.leaseSeconds)
  }

  private func send(_ message: BOOTPMessage) -> Command { message.sending(from: network.own, hardware) }
}
