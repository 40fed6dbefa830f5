import Addresses
import Addressing
import BootLine
import Bytes
import Linux
import Netlink
import ProcessControl
import Reporting

/// Runs `network`: brings the cards up and gets their addresses as the kernel command line says; returns its exit status.
///
/// It tells process 1 as soon as every address is there or is known to take longer, and then runs on: it keeps DHCP clients
/// alive, repeats requests without an answer, and serves cards and links that appear later. An address set by hand ends
/// for good whatever would touch the same card; when nothing is left to do, the program ends.
func runNetwork(_ line: BootLine) -> Int32 {
  do throws(SystemError) { try findBlackHoles() } catch { report(.degraded, "network", error.text) }
  do throws(NetlinkSocketError) {
    let network = try Network(line)
    try network.start()
    network.run()
  } catch {
    report(.failed, "network", error.text)
    announceReady()
    return 1
  }
  return 0
}

/// Getting and keeping all addresses of a drone.
final class Network {
  var interfaces: Interfaces
  var cards = CardTable()
  var assignments: [Assignment]
  let settings: NetworkSettings
  /// Keeps the clock right by the lease's or the boot line's NTP servers.
  var timeService: (servers: [IPv4Address], child: Child)?
  /// Every address that was set from here, with its card: any other is somebody's work by hand.
  var given: [(card: Int32, address: IPv4Address)] = []
  private let events: NetlinkSocket
  private let signals: SignalQueue
  private let booted: MACAddress?
  private let started: UInt64
  private var clients: [DHCPClient] = []
  private var listeners: [Listener] = []
  private var isReady = false
  private var hasToldWaiting = false

  /// What is waited for at boot, in milliseconds from the program's start: something at the other end of a cable, and an
  /// address. Process 1 gives the network 7 s.
  private static let linkWait: UInt64 = 3500
  private static let addressWait: UInt64 = 4500
  /// When the first message says that the boot is waiting.
  private static let quietWait: UInt64 = 1500

  init(_ line: BootLine) throws(NetlinkSocketError) {
    started = millisecondsSinceStart()
    signals = SignalQueue()
    interfaces = try Interfaces()
    // Before anything is listed, so that no change falls between the list and the events.
    let groups: RouteGroups = [.links, .addresses]
    events = try NetlinkSocket(.route, groups: groups.rawValue)
    booted = line.bootInterface
    settings = line.networkSettings
    assignments = line.interfaces.compactMap { Assignment($0) }
    NetworkState.write(NetworkState.requestedName, line.fullName)
    // Also for addresses that somebody sets by hand.
    recordNameServers(settings.nameServers)
  }

  /// Takes stock of the cards and sets those that are wanted up.
  func start() throws(NetlinkSocketError) {
    try listCards()
    if let loopback = cards.loopback { try interfaces.perform(.setLink(index: loopback, up: true)) }
    if assignments.isEmpty { report(.ok, "network", "off, as the boot line asks") }
    if cards.cards.isEmpty && !assignments.isEmpty {
      report(.degraded, "network", "there is no network card that the kernel knows; one that comes later is taken")
      for position in assignments.indices { assignments[position].excused = true }
    }
    for position in assignments.indices where !assignments[position].excused {
      guard let device = assignments[position].request.device, candidates(position).isEmpty else { continue }
      report(
        .degraded, "network",
        [UInt8]("there is no card ") + device + [UInt8](" as ip= asks; the cards are ") + cards.text)
      assignments[position].excused = true
    }
  }

  /// Lists all cards and addresses anew: at the start, and after events were lost.
  private func listCards() throws(NetlinkSocketError) {
    let now = millisecondsSinceStart()
    let network = try interfaces.network()
    for link in cards.receive(network, now: now) { setUp(link) }
    for address in network.addresses { receive(.address(address), now) }
    for position in assignments.indices {
      guard let (card, configuration) = assignments[position].applied,
        !network.addresses.contains(where: { $0.interface == card && $0.address == configuration.address })
      else { continue }
      assignments[position].task.receiveLoss(of: configuration.address, on: card)
    }
  }

  func run() {
    while true {
      let now = millisecondsSinceStart()
      for position in assignments.indices { advance(position, now) }
      reconcile(now)
      announceWhenDue(now)
      if isReady && isIdle { return }
      guard wait(until: nextDue()) else { return }
    }
  }

  /// Nothing is left to be done, now or later.
  private var isIdle: Bool {
    clients.isEmpty && timeService == nil && assignments.allSatisfy { $0.task.isIdle }
  }

  /// The cards that an `ip=` word is about; those that another word names or has got are that word's.
  private func candidates(_ position: Int) -> [Card] {
    let others = assignments.indices.filter { $0 != position }.map { assignments[$0] }
    let free = cards.cards.filter { card in
      !others.contains { other in
        if case .settled(card.index, _) = other.task.stage { return true }
        return other.request.device == card.name
      }
    }
    return Card.candidates(named: assignments[position].request.device, booted: booted, among: free)
  }

  private func advance(_ position: Int, _ now: UInt64) {
    let commands = assignments[position].task.step(at: now, candidates(position)) { randomNumber(now) }
    for command in commands {
      switch command {
      case .send(let card, let frame): send(frame, on: card)
      case .configure(let card, let configuration, let method): configure(position, card, configuration, method)
      case .release(let card): release(position, card)
      case .conflict(let card, let address, _, let holder):
        report(.failed, "network", inUse(card, address, by: holder) + [UInt8](": it is not set"))
      case .withdraw(let card, let address, let method, let holder):
        withdraw(position, card, address, method, holder)
      case .contested(let card, let address, let rival):
        reportContested(card, address, rival)
      }
    }
  }

  private func send(_ frame: [UInt8], on card: Int32) {
    guard let type = EthernetFrame(frame)?.type, let listener = listener(card, type) else { return }
    // A card whose queue is full or whose cable was just pulled loses the frame, as the wire might.
    try? listener.socket.send(frame)
  }

  private func listener(_ card: Int32, _ type: EtherType) -> Listener? {
    if let there = listeners.first(where: { $0.what.card == card && $0.what.type == type }) { return there }
    guard let new = try? Listener(.init(card: card, type: type)) else { return nil }
    listeners.append(new)
    return new
  }

  /// Starts what the tasks want and ends what they do not want any longer.
  private func reconcile(_ now: UInt64) {
    let wanted = assignments.flatMap { $0.task.listening }
    for item in wanted where !listeners.contains(where: { $0.what == item }) {
      if let new = try? Listener(item) { listeners.append(new) }
    }
    listeners.removeAll { !wanted.contains($0.what) }

    for client in clients where !assignments[client.assignment].task.dhcpCards.contains(client.card) {
      client.child.stop()
    }
    clients.removeAll { !assignments[$0.assignment].task.dhcpCards.contains($0.card) }
    for position in assignments.indices {
      for index in assignments[position].task.dhcpCards
      where !clients.contains(where: { $0.assignment == position && $0.card == index }) {
        guard let card = cards.card(index) else { continue }
        do throws(SystemError) {
          clients.append(
            try DHCPClient(card: card, assignment: position, request: assignments[position].request, now: now))
        } catch {
          report(.failed, "network", error.text)
        }
      }
    }
    for client in clients { client.child.start(now: now) }
    timeService?.child.start(now: now)
  }

  private func nextDue() -> UInt64? {
    var due = assignments.compactMap { $0.task.nextDue } + clients.compactMap { $0.child.nextStart }
    if let start = timeService?.child.nextStart { due.append(start) }
    if !isReady {
      let waited = millisecondsSinceStart() &- started
      for limit in [Network.quietWait, Network.linkWait, Network.addressWait] where limit > waited {
        due.append(started &+ limit)
      }
    }
    return due.min()
  }

  /// Waits for the next event and takes it in; false when the program is to end.
  private func wait(until due: UInt64?) -> Bool {
    let now = millisecondsSinceStart()
    var milliseconds = due.map { Int(clamping: $0 > now ? $0 &- now : 0) }
    if let longest = signals.longestWait { milliseconds = min(milliseconds ?? longest, longest) }
    let fixed = [events.descriptor, signals.number]
    let numbers = fixed + listeners.map { $0.socket.descriptor } + clients.map { $0.number }
    let readable = waitReadable(numbers, milliseconds: milliseconds)
    let then = millisecondsSinceStart()
    if readable[0] { receiveEvents(then) }
    for (position, listener) in listeners.enumerated() where readable[fixed.count + position] {
      receiveFrames(listener, then)
    }
    for (position, client) in clients.enumerated() where readable[fixed.count + listeners.count + position] {
      for event in client.events() { assignments[client.assignment].task.receive(event.kind, on: client.card) }
    }
    while let child = collectChild() {
      for client in clients { _ = client.child.ended(child.process, now: then) }
      _ = timeService?.child.ended(child.process, now: then)
    }
    return !isToldToEnd()
  }

  private func isToldToEnd() -> Bool {
    while let signal = signals.next() {
      guard signal == Signal.terminate.rawValue else { continue }
      for client in clients { client.child.stop() }
      timeService?.child.stop()
      return true
    }
    return false
  }

  private func receiveFrames(_ listener: Listener, _ now: UInt64) {
    for _ in 0..<64 {
      guard let frame = try? listener.socket.receive() else { return }
      // The kernel answers for each address on every card: another card on the same wire is no other machine.
      if let origin = EthernetFrame(frame)?.origin, cards.isOwn(origin) { continue }
      for position in assignments.indices {
        assignments[position].task.receive(frame, on: listener.what.card, at: now)
      }
    }
  }

  private func receiveEvents(_ now: UInt64) {
    do throws(NetlinkSocketError) {
      for event in try events.routeEvents(within: 0) { receive(event, now) }
    } catch {
      if case .lost = error { try? listCards() }
    }
  }

  private func receive(_ event: RouteMessage, _ now: UInt64) {
    switch event {
    case .link(let link):
      if cards.update(link, now: now) { setUp(link) }
    case .linkRemoved(let link):
      cards.remove(link.index)
    case .address(let address):
      let isOurs =
        address.origin == Interfaces.origin
        && (given.isEmpty || given.contains { $0.card == address.interface && $0.address == address.address })
      if !isOurs && address.address.isHostAddress { yield(address.interface) }
    case .addressRemoved(let address):
      for position in assignments.indices {
        assignments[position].task.receiveLoss(of: address.address, on: address.interface)
      }
    default:
      break
    }
  }

  /// Somebody set an address by hand: whatever would get the card another one ends for good.
  private func yield(_ card: Int32) {
    for position in assignments.indices {
      switch assignments[position].task.stage {
      case .searching where candidates(position).contains { $0.index == card }, .settled(card, _):
        assignments[position].task.end()
      default: break
      }
    }
  }

  /// Sets a card up if an `ip=` word may want it, as far as it can with the hardware address and the MTU that the word gives.
  private func setUp(_ link: Link) {
    for position in assignments.indices where candidates(position).contains(where: { $0.index == link.index }) {
      let request = assignments[position].request
      if let mac = request.mac, request.device != nil {
        change(
          link, .setLink(index: link.index, address: mac), [UInt8]("does not take the hardware address ") + mac.text)
      }
      if let mtu = request.mtu {
        var text = [UInt8]("does not take the MTU ")
        appendDecimal(UInt64(mtu), to: &text)
        text += [UInt8](" and keeps ")
        appendDecimal(UInt64(link.mtu), to: &text)
        change(link, .setLink(index: link.index, mtu: UInt32(mtu)), text)
      }
      change(link, .setLink(index: link.index, up: true), [UInt8]("cannot be set up"))
      return
    }
  }

  /// Asks for a change of a card. What the card refuses is told and keeps it from nothing else.
  private func change(_ link: Link, _ request: NetlinkRequest, _ refusal: [UInt8]) {
    do throws(NetlinkSocketError) { try interfaces.perform(request) } catch {
      report(.degraded, "network", link.name + [UInt8](" ") + refusal + [UInt8](": ") + error.text)
    }
  }

  /// Tells process 1 not to wait any longer, and reports what was waited for.
  private func announceWhenDue(_ now: UInt64) {
    guard !isReady else { return }
    let waited = now &- started
    for position in assignments.indices where !assignments[position].isSettled {
      let linked = candidates(position).filter { $0.linkSince != nil }
      if linked.isEmpty ? waited >= Network.linkWait : waited >= Network.addressWait {
        report(.degraded, "network", standing(position, linked) + [UInt8]("; it goes on behind the shell"))
        assignments[position].excused = true
      } else if waited >= Network.quietWait && !hasToldWaiting {
        report(.ok, "network", standing(position, linked) + [UInt8](", waiting up to 5 s"))
      }
    }
    if waited >= Network.quietWait { hasToldWaiting = true }
    guard assignments.allSatisfy({ $0.isSettled }) else { return }
    isReady = true
    reportMissingRoutes()
    announceReady()
  }

  /// Names each route of the boot line that no card's configuration holds.
  private func reportMissingRoutes() {
    for wanted in settings.routes
    where !assignments.contains(where: { $0.applied?.configuration.routes.contains(wanted.route) ?? false }) {
      report(.degraded, "network", [UInt8]("no card leads to ") + wanted.text + [UInt8](", as rd.route= asks"))
    }
  }

  private func standing(_ position: Int, _ linked: [Card]) -> [UInt8] {
    var names: [UInt8] = []
    for card in linked.isEmpty ? candidates(position) : linked {
      if !names.isEmpty { names += [UInt8](", ") }
      names += card.name
    }
    if linked.isEmpty { return names + [UInt8](": no link (is the cable in?)") }
    return names + [UInt8](": no answer yet by ") + assignments[position].protocolNames
  }
}

/// A packet socket and what it is for.
final class Listener {
  let what: AddressTask.Listening
  let socket: PacketSocket

  init(_ what: AddressTask.Listening) throws(SystemError) {
    self.what = what
    socket = try PacketSocket(
      interface: what.card, PacketSocket.FrameType(rawValue: what.type.value), sender: what.sender)
  }
}

/// Four bytes of the kernel's generator; while that is not ready yet, a number that differs between moments. It only keeps
/// machines apart and guards nothing.
private func randomNumber(_ now: UInt64) -> UInt32 {
  guard let bytes = randomBytes(4) else { return UInt32(truncatingIfNeeded: now &* 0x9E37_79B9_7F4A_7C15 >> 16) }
  return UInt32(networkOrder: bytes)
}
