import Addresses

/// How an address was got.
public enum AddressMethod: Sendable {
  case fixed
  case dhcp
  case bootp
  case rarp
}

/// Getting one address, on one of several cards: what one `ip=` word asks for. It holds no socket, process or clock.
///
/// Whoever drives it calls `step` after every event and when `nextDue` has come, carries out the commands, and keeps running
/// what `dhcpCards` and `listening` name and nothing else. DHCP is somebody else's; ARP, BOOTP and RARP are done here.
///
/// The first answer wins: from then on only the winner's DHCP client is wanted, so that the lease is renewed. An address that
/// does not come from DHCP (whose client looks by itself) is used only after nobody objected to it. When DHCP is asked too,
/// BOOTP and RARP begin one and two seconds later, since a lease brings more than they do.
///
/// An address in use is watched (`AddressWatch`). While it is new, it is given up to whoever else has it: a fixed one for
/// good, others are asked for again later, and the server of a lease is told that the address is no good.
public struct AddressTask: Sendable {
  public enum Goal: Sendable {
    case fixed(AddressConfiguration)
    case ask(AddressProtocols)
  }

  public enum Command: Equatable, Sendable {
    case send(card: Int32, frame: [UInt8])
    /// Give the card this address. It may have had another from here before.
    case configure(card: Int32, AddressConfiguration, AddressMethod)
    /// Take the address from the card: its lease is over.
    case release(card: Int32)
    /// Somebody else has the address, so it is not used.
    case conflict(card: Int32, IPv4Address, AddressMethod, holder: MACAddress)
    /// Somebody else has the address that the card was given a moment ago: take it away.
    case withdraw(card: Int32, IPv4Address, AddressMethod, holder: MACAddress)
    /// Somebody else uses the address that the card has had for some time. It stays; people should know.
    case contested(card: Int32, IPv4Address, rival: MACAddress)
  }

  /// Where the task stands.
  public enum Stage: Equatable, Sendable {
    case searching
    case settled(card: Int32, AddressMethod)
    /// Nothing more will come: a fixed address was taken, or somebody said so.
    case ended
  }

  public struct Listening: Equatable, Sendable {
    public let card: Int32
    public let type: EtherType
    /// Of ARP packets: only those with this sender, which are rare; nil for all.
    public let sender: IPv4Address?

    public init(card: Int32, type: EtherType, sender: IPv4Address? = nil) {
      self.card = card
      self.type = type
      self.sender = sender
    }
  }

  private struct Inquiry {
    let card: Int32
    var inquiry: AddressInquiry
  }

  private struct Probe {
    let card: Int32
    let method: AddressMethod
    let configuration: AddressConfiguration
    var probe: AddressProbe
  }

  public let goal: Goal
  /// For RARP: only this server counts.
  private let server: IPv4Address?
  /// What the DHCP client calls itself (RFC 2132 §9.14), its type in front; nil for its card's hardware address.
  private let identifier: [UInt8]?
  public private(set) var stage = Stage.searching
  /// When `step` is due without any event; nil when only an event can change something.
  public private(set) var nextDue: UInt64?
  /// The cards on which a DHCP client is to run.
  public private(set) var dhcpCards: [Int32] = []
  private var inquiries: [Inquiry] = []
  private var probe: Probe?
  /// What the card of the stage `settled` has been given; nil when somebody took it away.
  private var held: AddressConfiguration?
  private var watch: AddressWatch?
  /// A lease whose address somebody else uses; its server has not been told yet.
  private var declined: (card: Int32, hardware: MACAddress, lease: AddressConfiguration)?
  /// Nothing is asked before, after an address was given up.
  private var resumption: UInt64 = 0
  private var pending: [Command] = []

  public init(_ goal: Goal, server: IPv4Address? = nil, identifier: [UInt8]? = nil) {
    self.goal = goal
    self.server = server
    self.identifier = identifier
  }

  /// Nothing is left to be done, whatever comes.
  public var isIdle: Bool { stage != .searching && dhcpCards.isEmpty && listening.isEmpty }

  /// The frames that `receive` wants to see.
  public var listening: [Listening] {
    var out = inquiries.map { Listening(card: $0.card, type: $0.inquiry.method == .bootp ? .ipv4 : .reverseARP) }
    if let probe { out.append(Listening(card: probe.card, type: .arp)) }
    if case .settled(let card, _) = stage, let watch {
      out.append(Listening(card: card, type: .arp, sender: watch.isStanding ? watch.address : nil))
    }
    return out
  }

  /// Gives up; what was configured stays.
  public mutating func end() {
    stage = .ended
    quiet()
    forget()
  }

  /// Somebody took an address away from a card: it is no longer watched, if it is the one from here.
  public mutating func receiveLoss(of address: IPv4Address, on card: Int32) {
    if case .settled(card, _) = stage, held?.address == address { forget() }
  }

  private mutating func forget() {
    held = nil
    watch = nil
  }

  /// Nothing is asked any longer.
  private mutating func quiet() {
    dhcpCards = []
    inquiries = []
    probe = nil
    nextDue = nil
  }

  /// Does what is due. `candidates`: the cards in question, in order of preference, with their links as they are now.
  /// `random`: gives any number.
  public mutating func step(at now: UInt64, _ candidates: [Card], random: () -> UInt32) -> [Command] {
    nextDue = nil
    if let declined { decline(declined.lease, declined.card, declined.hardware, random()) }
    if stage == .searching && now < resumption {
      due(resumption)
    } else if stage == .searching {
      switch goal {
      case .fixed(let configuration): choose(configuration, candidates, now)
      case .ask(let protocols): ask(protocols, candidates, now, random)
      }
      advanceProbe(now)
    }
    advanceWatch(candidates, now)
    defer { pending = [] }
    return pending
  }

  private mutating func due(_ time: UInt64) { nextDue = min(nextDue ?? time, time) }

  private mutating func choose(_ configuration: AddressConfiguration, _ candidates: [Card], _ now: UInt64) {
    if let probe, candidates.contains(where: { $0.index == probe.card && $0.linkSince != nil }) { return }
    probe = nil
    switch CardChoice(among: candidates, now: now) {
    case .card(let card): startProbe(configuration, card.index, card.hardware, .fixed, now)
    case .wait(let time): due(time)
    case .noneHasLink: break
    }
  }

  private mutating func startProbe(
    _ configuration: AddressConfiguration, _ card: Int32, _ hardware: MACAddress, _ method: AddressMethod,
    _ now: UInt64
  ) {
    probe = Probe(
      card: card, method: method, configuration: configuration,
      probe: AddressProbe(configuration.address, hardware: hardware, start: now))
  }

  private mutating func ask(_ protocols: AddressProtocols, _ candidates: [Card], _ now: UInt64, _ random: () -> UInt32)
  {
    let linked = candidates.filter { $0.linkSince != nil }
    dhcpCards = protocols.contains(.dhcp) ? linked.map { $0.index } : []
    inquiries.removeAll { inquiry in !linked.contains { $0.index == inquiry.card } }
    if let probe, !linked.contains(where: { $0.index == probe.card }) { self.probe = nil }
    for card in linked where !inquiries.contains(where: { $0.card == card.index }) {
      let start = protocols.contains(.dhcp) ? now &+ AddressTask.headStart : now
      for (method, wanted, delay) in [
        (AddressInquiry.Method.bootp, AddressProtocols.bootp, 0 as UInt64),
        (.rarp, .rarp, protocols.contains(.dhcp) ? AddressTask.headStart : 0),
      ] where protocols.contains(wanted) {
        let inquiry = AddressInquiry(
          method, hardware: card.hardware, transaction: random(), start: start &+ delay, server: server)
        inquiries.append(Inquiry(card: card.index, inquiry: inquiry))
      }
    }
    for position in inquiries.indices {
      if let frame = inquiries[position].inquiry.step(at: now, random: random()) {
        pending.append(.send(card: inquiries[position].card, frame: frame))
      }
      due(inquiries[position].inquiry.nextDue)
    }
  }

  private static let headStart: UInt64 = 1000

  private mutating func advanceProbe(_ now: UInt64) {
    guard var current = probe else { return }
    let commands = current.probe.step(at: now)
    probe = current
    for command in commands {
      switch command {
      case .send(let frame): pending.append(.send(card: current.card, frame: frame))
      case .use:
        let announcement = ARPPacket.announcement(current.probe.address, by: current.probe.hardware)
        pending.append(.send(card: current.card, frame: announcement.broadcastFrame.bytes))
        settle(current.card, current.configuration, current.method)
      }
    }
    if let time = probe?.probe.nextDue { due(time) }
  }

  private mutating func settle(_ card: Int32, _ configuration: AddressConfiguration, _ method: AddressMethod) {
    // A renewed lease is the same address, which has been watched already.
    if stage != .settled(card: card, method) || held?.address != configuration.address { watch = nil }
    stage = .settled(card: card, method)
    held = configuration
    quiet()
    if method == .dhcp { dhcpCards = [card] }
    pending.append(.configure(card: card, configuration, method))
  }

  private mutating func advanceWatch(_ candidates: [Card], _ now: UInt64) {
    guard case .settled(let card, let method) = stage, let held else { return }
    if watch == nil, let hardware = candidates.first(where: { $0.index == card })?.hardware {
      // What was given by a server came through the card.
      watch = AddressWatch(held.address, hardware: hardware, hasHeard: method != .fixed, start: now)
    }
    follow(watch?.step(at: now) ?? [], held, card, method, now)
    if let time = watch?.nextDue { due(time) }
  }

  /// How long after an address was given up the next is asked for (RFC 2131 §3.1 item 5).
  private static let pauseAfterWithdrawal: UInt64 = 10_000

  private mutating func withdraw(
    _ held: AddressConfiguration, _ card: Int32, _ method: AddressMethod, _ holder: MACAddress, _ now: UInt64
  ) {
    pending.append(.withdraw(card: card, held.address, method, holder: holder))
    if case .fixed = goal { return end() }
    if method == .dhcp, let hardware = watch?.hardware { declined = (card, hardware, held) }
    stage = .searching
    quiet()
    forget()
    resumption = now &+ AddressTask.pauseAfterWithdrawal
  }

  /// Declines a lease: tells its server that somebody else has the address.
  private mutating func decline(
    _ lease: AddressConfiguration, _ card: Int32, _ hardware: MACAddress, _ random: UInt32
  ) {
    declined = nil
    guard let server = lease.server,
      let frame = BOOTPMessage.decline(
        lease.address, leasedBy: server, hardware: hardware, identifier: identifier ?? [1] + hardware.octets,
        transaction: random
      ).broadcastFrame
    else { return }
    pending.append(.send(card: card, frame: frame.bytes))
  }

  private mutating func receiveSettled(_ frame: [UInt8], _ card: Int32, _ method: AddressMethod, _ now: UInt64) {
    guard let held else { return }
    follow(watch?.receive(frame, at: now) ?? [], held, card, method, now)
  }

  private mutating func follow(
    _ commands: [AddressWatch.Command], _ held: AddressConfiguration, _ card: Int32, _ method: AddressMethod,
    _ now: UInt64
  ) {
    for command in commands {
      switch command {
      case .send(let frame): pending.append(.send(card: card, frame: frame))
      case .yield(let holder): withdraw(held, card, method, holder, now)
      case .report(let rival): pending.append(.contested(card: card, held.address, rival: rival))
      }
    }
  }

  /// Receives a frame from a card.
  public mutating func receive(_ frame: [UInt8], on card: Int32, at now: UInt64) {
    if case .settled(card, let method) = stage { return receiveSettled(frame, card, method, now) }
    guard stage == .searching else { return }
    if let current = probe, current.card == card, let holder = current.probe.receive(frame) {
      probe = nil
      pending.append(.conflict(card: card, current.configuration.address, current.method, holder: holder))
      if case .fixed = goal { end() }
      return
    }
    // While one answer is being probed, another must wait for its next question.
    guard probe == nil else { return }
    for inquiry in inquiries where inquiry.card == card {
      guard let configuration = inquiry.inquiry.receive(frame) else { continue }
      let method: AddressMethod = inquiry.inquiry.method == .bootp ? .bootp : .rarp
      startProbe(configuration, card, inquiry.inquiry.hardware, method, now)
      return
    }
  }

  /// Receives a report of the DHCP client on a card.
  public mutating func receive(_ event: LeaseEvent.Kind, on card: Int32) {
    guard dhcpCards.contains(card) else { return }
    switch event {
    case .bound(let configuration):
      // Also for a renewed lease, which may say something new.
      settle(card, configuration, .dhcp)
    case .deconfigured:
      guard stage == .settled(card: card, .dhcp) else { return }
      pending.append(.release(card: card))
      stage = .searching
      forget()
    case .unanswered, .refused:
      break
    }
  }
}
