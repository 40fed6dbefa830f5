import Addresses
import ControlChannel
import Testing

@testable import Tunnels

/// A few nodes with their kernels and the connections between them, run by random events on a virtual clock. Everything
/// follows from the seed.
struct World {
  /// What goes wrong.
  struct Hazards {
    /// Of a thousand events, how many are of each kind.
    var connectionsLost = 0
    var installsFailed = 0
    var expiries = 0
    var removals = 0
    var crashes = 0
    var restarts = 0
  }

  struct Key: Hashable {
    let connection: Int
    let context: KeyContext
  }

  struct Installed: Equatable {
    let association: TunnelAssociation
    let key: Key
    let order: UInt64
    var packets: UInt64 = 0
    var twinless: UInt64?
  }

  struct Node {
    var tunnels: Tunnels
    var kernel: [Installed] = []
    /// Nodes that this one takes for members.
    var members: Set<Int> = []
    var incarnation: UInt8 = 0
    var nextIncoming: UInt32 = 2
  }

  struct End: Hashable {
    let node: Int
    let channel: UInt32
  }

  struct Connection {
    let number: Int
    let ends: [End]
    /// To each end: messages, nil for the connection's end.
    var queues: [[ControlMessage?]] = [[], []]
    var isOpened = false
  }

  var generator: SplitMix
  var now: UInt64 = 1000
  var nodes: [Node] = []
  var connections: [Connection] = []
  var packets: [(due: UInt64, from: Int, to: Int, spi: UInt32, key: Key)] = []
  let hazards: Hazards
  let settings: TunnelSettings
  private var connectionCount = 0
  private var order: UInt64 = 0
  private var used: Set<String> = []
  private(set) var faults: [String] = []
  private(set) var lost = 0
  private(set) var delivered = 0
  private(set) var asked = 0

  init(seed: UInt64, nodes count: Int, _ hazards: Hazards = Hazards(), settings: TunnelSettings = TunnelSettings()) {
    generator = SplitMix(state: seed)
    self.hazards = hazards
    self.settings = settings
    for index in 0..<count {
      nodes.append(Node(tunnels: machine(index, 0)))
      for other in 0..<count where other != index { nodes[index].members.insert(other) }
    }
    for index in 0..<count { introduce(index) }
  }

  private mutating func machine(_ index: Int, _ incarnation: UInt8) -> Tunnels {
    Tunnels(
      id: UInt16(index + 1), fingerprint: fingerprint(index, incarnation), settings: settings, seed: generator.next())
  }

  private func fingerprint(_ index: Int, _ incarnation: UInt8) -> [UInt8] {
    [UInt8(index), incarnation] + [UInt8](repeating: 0xF0, count: 30)
  }

  private func peer(_ index: Int) -> TunnelPeer {
    TunnelPeer(
      id: UInt16(index + 1), address: IPv4Address(10, 0, 0, UInt8(index + 1)),
      fingerprint: fingerprint(index, nodes[index].incarnation))
  }

  private func index(_ address: IPv4Address) -> Int { Int(address.bits & 0xFF) - 1 }

  private mutating func introduce(_ index: Int) {
    for other in nodes[index].members { carryOut(index, nodes[index].tunnels.add(peer(other), at: now)) }
  }

  // MARK: Effects

  mutating func carryOut(_ index: Int, _ effects: [TunnelCommand]) {
    for effect in effects { carryOut(index, effect) }
  }

  private mutating func carryOut(_ index: Int, _ effect: TunnelCommand) {
    switch effect {
    case .connect(let channel, let peer):
      let other = self.index(peer.address)
      guard peer == self.peer(other) else {
        carryOut(index, nodes[index].tunnels.receiveEnd(of: channel, at: now))
        return
      }
      let incoming = nodes[other].nextIncoming
      nodes[other].nextIncoming += 2
      connectionCount += 1
      connections.append(
        Connection(
          number: connectionCount, ends: [End(node: index, channel: channel), End(node: other, channel: incoming)]))
    case .send(let channel, let message): put(message, from: End(node: index, channel: channel))
    case .close(let channel): put(nil, from: End(node: index, channel: channel))
    case .install(let channel, let keyed):
      let end = End(node: index, channel: channel)
      guard let connection = connections.first(where: { $0.ends.contains(end) }), !happens(hazards.installsFailed)
      else {
        carryOut(index, nodes[index].tunnels.receiveInstallation(over: channel, isDone: false, at: now))
        return
      }
      for one in keyed { install(index, one, connection.number) }
      carryOut(index, nodes[index].tunnels.receiveInstallation(over: channel, isDone: true, at: now))
    case .remove(let association): nodes[index].kernel.removeAll { $0.association == association }
    case .removeLarval: break
    case .readAssociations: carryOut(index, nodes[index].tunnels.receiveAssociations(uses(index), at: now))
    }
  }

  private mutating func install(_ index: Int, _ keyed: KeyedAssociation, _ connection: Int) {
    let association = keyed.association
    let mark = "\(index) \(association.direction) \(connection) \(keyed.context.bytes)"
    if !used.insert(mark).inserted { faults.append("a key was installed twice at \(index)") }
    if nodes[index].kernel.contains(where: { $0.association == association }) {
      faults.append("an SPI was installed twice at \(index)")
    }
    order += 1
    nodes[index].kernel.append(
      Installed(
        association: association, key: Key(connection: connection, context: keyed.context), order: order))
  }

  private func uses(_ index: Int) -> [AssociationUse] {
    nodes[index].kernel.map { AssociationUse($0.association, packets: $0.packets, installed: $0.order) }
  }

  private mutating func put(_ message: ControlMessage?, from end: End) {
    guard let place = connections.firstIndex(where: { $0.ends.contains(end) }) else { return }
    connections[place].queues[connections[place].ends[0] == end ? 1 : 0].append(message)
  }

  // MARK: Events

  private var isHostile: Bool { hazards.connectionsLost > 0 }

  mutating func happens(_ ofAThousand: Int) -> Bool { generator.below(1000) < ofAThousand }

  /// One random event.
  mutating func turn() {
    switch generator.below(10) {
    case 0, 1, 2, 3, 4: deliver()
    case 5:
      guard generator.below(4) == 0 else { return advance(UInt64(generator.below(60))) }
      // A network without hazards is in time, too.
      advance(UInt64(generator.below(20_000)), isTimely: !isHostile || generator.below(3) > 0)
    case 6: advance(UInt64(generator.below(60)))
    default: send(generator.below(nodes.count), generator.below(nodes.count))
    }
    if happens(hazards.connectionsLost), !connections.isEmpty { cut(generator.below(connections.count)) }
    let index = generator.below(nodes.count)
    if happens(hazards.expiries) { expire(index) }
    if happens(hazards.removals) { flip(index, generator.below(nodes.count)) }
    if happens(hazards.crashes) { crash(index) }
    if happens(hazards.restarts) { restart(index) }
    check()
  }

  /// Hands over the next message of some connection.
  mutating func deliver() {
    guard !connections.isEmpty else { return }
    let place = generator.below(connections.count)
    if !connections[place].isOpened {
      connections[place].isOpened = true
      let end = connections[place].ends[0]
      carryOut(end.node, nodes[end.node].tunnels.receiveConnection(end.channel))
      return
    }
    let side = generator.below(2)
    for side in [side, 1 - side] where !connections[place].queues[side].isEmpty {
      let message = connections[place].queues[side].removeFirst()
      let connection = connections[place]
      let end = connection.ends[side]
      guard let message else {
        connections.remove(at: place)
        carryOut(end.node, nodes[end.node].tunnels.receiveEnd(of: end.channel, at: now))
        return
      }
      if case .offer(let offer) = message {
        let sender = peer(connection.ends[1 - side].node)
        carryOut(
          end.node,
          nodes[end.node].tunnels.receive(
            offer, from: sender.fingerprint, address: sender.address, over: end.channel, at: now))
      } else {
        carryOut(end.node, nodes[end.node].tunnels.receive(message, over: end.channel, at: now))
      }
      return
    }
  }

  mutating func cut(_ place: Int) {
    let connection = connections.remove(at: place)
    for end in connection.ends {
      carryOut(end.node, nodes[end.node].tunnels.receiveEnd(of: end.channel, at: now))
    }
  }

  /// Lets time pass; every node does what is due at the time it is due.
  /// - Parameter isTimely: every message arrives within a moment.
  mutating func advance(_ milliseconds: UInt64, isTimely: Bool = false) {
    let end = now + milliseconds
    while true {
      if isTimely { for _ in 0..<1000 where !connections.isEmpty { deliver() } }
      let due = nodes.compactMap { $0.tunnels.nextDue }.min() ?? .max
      let arrival = packets.map(\.due).min() ?? .max
      now = max(now, min(due, arrival, end))
      for packet in packets where packet.due <= now { arrive(packet) }
      packets.removeAll { $0.due <= now }
      for index in nodes.indices where (nodes[index].tunnels.nextDue ?? .max) <= now {
        carryOut(index, nodes[index].tunnels.step(at: now))
      }
      if now >= end { return }
    }
  }

  /// A packet goes by the newest association, or makes the kernel ask for one.
  mutating func send(_ from: Int, _ to: Int) {
    guard from != to, nodes[from].members.contains(to) else { return }
    let address = peer(to).address
    let candidates = nodes[from].kernel.indices.filter {
      nodes[from].kernel[$0].association.direction == .outbound && nodes[from].kernel[$0].association.peer == address
    }
    guard let place = candidates.max(by: { nodes[from].kernel[$0].order < nodes[from].kernel[$1].order }) else {
      asked += 1
      carryOut(from, nodes[from].tunnels.receiveAcquire(address, at: now))
      return
    }
    nodes[from].kernel[place].packets += 1
    let used = nodes[from].kernel[place]
    packets.append((now + UInt64(generator.below(1000)), from, to, used.association.spi, used.key))
  }

  private mutating func arrive(_ packet: (due: UInt64, from: Int, to: Int, spi: UInt32, key: Key)) {
    guard
      let place = nodes[packet.to].kernel.firstIndex(where: {
        $0.association.direction == .inbound && $0.association.spi == packet.spi && $0.key == packet.key
      })
    else {
      lost += 1
      return
    }
    nodes[packet.to].kernel[place].packets += 1
    delivered += 1
  }

  mutating func expire(_ index: Int) {
    guard !nodes[index].kernel.isEmpty else { return }
    let place = generator.below(nodes[index].kernel.count)
    let association = nodes[index].kernel[place].association
    let isHard = generator.below(4) == 0 && hazards.removals > 0
    if isHard { nodes[index].kernel.remove(at: place) }
    carryOut(
      index, nodes[index].tunnels.receiveExpiry(of: association.spi, peer: association.peer, isHard: isHard, at: now))
  }

  /// One node's view of another changes.
  mutating func flip(_ index: Int, _ other: Int) {
    guard index != other else { return }
    if nodes[index].members.remove(other) != nil {
      carryOut(index, nodes[index].tunnels.remove(UInt16(other + 1)))
    } else {
      nodes[index].members.insert(other)
      carryOut(index, nodes[index].tunnels.add(peer(other), at: now))
    }
    forgetTwins()
  }

  /// The program ends and comes back; the kernel keeps what it has.
  mutating func crash(_ index: Int) {
    drop(index)
    nodes[index].tunnels = machine(index, nodes[index].incarnation)
    introduce(index)
    carryOut(index, nodes[index].tunnels.resume(uses(index), at: now))
  }

  /// The whole node starts anew, with another key; the others learn that at once.
  mutating func restart(_ index: Int) {
    drop(index)
    nodes[index].incarnation &+= 1
    nodes[index].kernel = []
    nodes[index].tunnels = machine(index, nodes[index].incarnation)
    introduce(index)
    for other in nodes.indices where other != index && nodes[other].members.contains(index) { introduce(other) }
    forgetTwins()
  }

  private mutating func drop(_ index: Int) {
    for place in connections.indices.reversed() {
      guard let side = connections[place].ends.firstIndex(where: { $0.node == index }) else { continue }
      let other = connections.remove(at: place).ends[1 - side]
      carryOut(other.node, nodes[other.node].tunnels.receiveEnd(of: other.channel, at: now))
    }
  }

  private mutating func forgetTwins() {
    for index in nodes.indices {
      for place in nodes[index].kernel.indices { nodes[index].kernel[place].twinless = nil }
    }
  }

  // MARK: Promises

  func hasTwin(_ index: Int, _ installed: Installed) -> Bool {
    let other = self.index(installed.association.peer)
    return nodes[other].kernel.contains {
      $0.key == installed.key && $0.association.spi == installed.association.spi
        && $0.association.direction != installed.association.direction
    }
  }

  mutating func check() {
    for index in nodes.indices {
      let planned = nodes[index].tunnels.associations
      for place in nodes[index].kernel.indices {
        let installed = nodes[index].kernel[place]
        if !planned.contains(installed.association) { faults.append("an association that node \(index) forgot") }
        let other = self.index(installed.association.peer)
        // A node that does not take this one for a member cannot have it.
        if hasTwin(index, installed) || !nodes[other].members.contains(index) {
          nodes[index].kernel[place].twinless = nil
        } else {
          let since = installed.twinless ?? now
          nodes[index].kernel[place].twinless = since
          let bound = installed.association.direction == .outbound ? World.outboundBound : World.inboundBound
          if now - since > bound { faults.append("node \(index) kept \(installed) without its twin") }
        }
      }
    }
  }

  /// An outbound one without its twin sends into the void until its node hears of the failure, or notices the silence, or
  /// has nothing to send for `idle`; an inbound one waits for the end of `idle` and `linger`.
  static let outboundBound: UInt64 = 150_000
  static let inboundBound: UInt64 = 200_000

  /// No more hazards: everything under way ends.
  mutating func settle(_ milliseconds: UInt64 = 60_000) {
    let end = now + milliseconds
    while now < end {
      for _ in 0..<200 { deliver() }
      advance(100)
      check()
    }
  }
}

struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }
}
