import NetworkAddresses

/// How an address was got.
public enum AddressMethod: Sendable {
  case fixed
  case dhcp
  case bootp
  case rarp
}

/// Getting one address, on one of several cards: what one `ip=` word asks for. It holds no socket, process or clock.
///
/// Whoever drives it calls `step` after every event and when `nextStep` has come, carries out the actions, and keeps running
/// what `dhcpCards` and `listening` name and nothing else. DHCP is somebody else's; ARP, BOOTP and RARP are done here.
///
/// The first answer wins: from then on only the winner's DHCP client is wanted, so that the lease is renewed. An address that
/// does not come from DHCP (whose client looks by itself) is used only after nobody objected to it. When DHCP is asked too,
/// BOOTP and RARP begin one and two seconds later, since a lease brings more than they do.
public struct AddressTask: Sendable {
  public enum Goal: Sendable {
    case fixed(AddressConfiguration)
    case ask(Protocols)
  }

  public struct Protocols: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let dhcp = Protocols(rawValue: 1)
    public static let bootp = Protocols(rawValue: 2)
    public static let rarp = Protocols(rawValue: 4)
  }

  public enum Action: Equatable, Sendable {
    case send(card: Int32, frame: [UInt8])
    /// Give the card this address. It may have had another from here before.
    case configure(card: Int32, AddressConfiguration, AddressMethod)
    /// Take the address from the card: its lease is over.
    case release(card: Int32)
    /// Somebody else has the address, so it is not used.
    case conflict(card: Int32, IPv4Address, AddressMethod, holder: MACAddress)
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

    public init(card: Int32, type: EtherType) {
      self.card = card
      self.type = type
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
  public private(set) var stage = Stage.searching
  /// When `step` is due without any event; nil when only an event can change something.
  public private(set) var nextStep: UInt64?
  /// The cards on which a DHCP client is to run.
  public private(set) var dhcpCards: [Int32] = []
  private var inquiries: [Inquiry] = []
  private var probe: Probe?
  private var pending: [Action] = []

  public init(_ goal: Goal, server: IPv4Address? = nil) {
    self.goal = goal
    self.server = server
  }

  /// The frames that `receive` wants to see.
  public var listening: [Listening] {
    var out = inquiries.map { Listening(card: $0.card, type: $0.inquiry.method == .bootp ? .ipv4 : .reverseARP) }
    if let probe { out.append(Listening(card: probe.card, type: .arp)) }
    return out
  }

  /// Gives up; what was configured stays.
  public mutating func end() {
    stage = .ended
    quiet()
  }

  /// Nothing is asked any longer.
  private mutating func quiet() {
    dhcpCards = []
    inquiries = []
    probe = nil
    nextStep = nil
  }

  /// Does what is due. `candidates`: the cards in question, in order of preference, with their links as they are now.
  /// `random`: gives any number.
  public mutating func step(at now: UInt64, _ candidates: [Card], random: () -> UInt32) -> [Action] {
    nextStep = nil
    if stage == .searching {
      switch goal {
      case .fixed(let configuration): choose(configuration, candidates, now)
      case .ask(let protocols): ask(protocols, candidates, now, random)
      }
      advanceProbe(now)
    }
    defer { pending = [] }
    return pending
  }

  private mutating func due(_ time: UInt64) { nextStep = min(nextStep ?? time, time) }

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

  private mutating func ask(_ protocols: Protocols, _ candidates: [Card], _ now: UInt64, _ random: () -> UInt32) {
    let linked = candidates.filter { $0.linkSince != nil }
    dhcpCards = protocols.contains(.dhcp) ? linked.map { $0.index } : []
    inquiries.removeAll { inquiry in !linked.contains { $0.index == inquiry.card } }
    if let probe, !linked.contains(where: { $0.index == probe.card }) { self.probe = nil }
    for card in linked where !inquiries.contains(where: { $0.card == card.index }) {
      let start = protocols.contains(.dhcp) ? now &+ AddressTask.headStart : now
      for (method, wanted, delay) in [
        (AddressInquiry.Method.bootp, Protocols.bootp, 0 as UInt64),
        (.rarp, .rarp, protocols.contains(.dhcp) ? AddressTask.headStart : 0),
      ] where protocols.contains(wanted) {
        let inquiry = AddressInquiry(
          method, hardware: card.hardware, transaction: random(), start: start &+ delay, server: server)
        inquiries.append(Inquiry(card: card.index, inquiry: inquiry))
      }
    }
    for position in inquiries.indices {
      if let frame = inquiries[position].inquiry.question(at: now, random: random()) {
        pending.append(.send(card: inquiries[position].card, frame: frame))
      }
      due(inquiries[position].inquiry.nextQuestion)
    }
  }

  private static let headStart: UInt64 = 1000

  private mutating func advanceProbe(_ now: UInt64) {
    while var current = probe {
      switch current.probe.step(at: now) {
      case .send(let frame):
        pending.append(.send(card: current.card, frame: frame))
        probe = current
      case .wait(let time):
        due(time)
        return
      case .free:
        pending.append(
          .send(
            card: current.card,
            frame: ARPPacket.announcement(current.probe.address, by: current.probe.hardware).broadcastFrame.bytes))
        settle(current.card, current.configuration, current.method)
      }
    }
  }

  private mutating func settle(_ card: Int32, _ configuration: AddressConfiguration, _ method: AddressMethod) {
    stage = .settled(card: card, method)
    quiet()
    if method == .dhcp { dhcpCards = [card] }
    pending.append(.configure(card: card, configuration, method))
  }

  /// Takes in a frame that a card received.
  public mutating func receive(_ frame: [UInt8], on card: Int32, at now: UInt64) {
    guard stage == .searching else { return }
    if let current = probe, current.card == card, let holder = current.probe.holder(in: frame) {
      probe = nil
      pending.append(.conflict(card: card, current.configuration.address, current.method, holder: holder))
      if case .fixed = goal { end() }
      return
    }
    // While one answer is being probed, another must wait for its next question.
    guard probe == nil else { return }
    for inquiry in inquiries where inquiry.card == card {
      guard let configuration = inquiry.inquiry.answer(in: frame) else { continue }
      let method: AddressMethod = inquiry.inquiry.method == .bootp ? .bootp : .rarp
      startProbe(configuration, card, inquiry.inquiry.hardware, method, now)
      return
    }
  }

  /// Takes in what the DHCP client on a card reports.
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
    case .unanswered, .refused:
      break
    }
  }
}
