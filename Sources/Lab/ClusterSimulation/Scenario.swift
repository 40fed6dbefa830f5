import Addresses
import Bytes
import Membership

/// A story that a simulated cluster goes through, different in its particulars for each seed, and what must hold in it.
public enum Scenario: String, CaseIterable, Sendable {
  /// Nodes join one after the other and several at once, through any member.
  case growth
  /// Nodes crash, come back, leave and join for minutes.
  case churn
  /// The network falls apart and comes together again.
  case partition
  /// One node is cut off, and comes back.
  case cutOff
  /// All nodes but one restart at once, with nothing in memory, and find their ids again.
  case powerFailure
  /// A removed node tries to come back, also through a member that has just restarted; later it is allowed.
  case removal
  /// A node and its neighbours on the ring die together.
  case neighboursDie
  /// Two nodes with one wanted id join in two places at once.
  case sameID
  /// Nodes get other addresses.
  case readdressing
  /// Processes stand still for some seconds, as in swapping machines.
  case pauses
  /// Programs talk across the cluster at the same moments, so that both ends negotiate, while keys wear out and programs crash.
  case negotiations
  /// Machines without a certificate ask to be admitted.
  case admissions
  /// All of it at once.
  case storm

  /// Runs with 3 to `largest` nodes; what went wrong, with nothing for all well.
  public func faults(seed: UInt64, largest: Int, planted: Set<PlantedFault> = []) -> [String] {
    var generator = SplitMix64(seed: seed ^ 0x5CE7_A210)
    let nodes = Int(generator.number(in: 3...UInt64(max(3, largest))))
    let network: Network = generator.happens(500) ? .lan : .bad
    var story = Story(
      simulation: self == .growth
        ? ClusterSimulation(seed: seed, network: network, planted: planted)
        : ClusterSimulation(seed: seed, settled: nodes, network: network, planted: planted),
      random: generator, nodes: nodes)
    if self != .growth { story.simulation.run(for: 8000) }
    story.simulation.watchAssociations()
    story.play(self)
    return story.simulation.faults
  }
}

/// A scenario while it runs.
private struct Story: ~Copyable {
  var simulation: ClusterSimulation
  var random: SplitMix64
  let nodes: Int

  mutating func any(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

  var running: [Int] { simulation.machines.indices.filter { simulation.machines[$0].isOn } }

  mutating func anyRunning() -> Int { running[any(running.count)] }

  mutating func wait(_ duration: ClosedRange<UInt64>) { simulation.run(for: random.number(in: duration)) }

  /// Enough for idle tunnels to be taken down, and for suspicion, retries of the dead and comparisons to come to an end.
  mutating func settle(_ duration: UInt64 = 80_000) {
    for _ in 0..<duration / 5000 {
      simulation.run(for: 5000)
      simulation.checkMistakes()
    }
    simulation.checkSettled()
  }

  mutating func play(_ scenario: Scenario) {
    switch scenario {
    case .growth: growth()
    case .churn: churn()
    case .partition: partition()
    case .cutOff: cutOff()
    case .powerFailure: powerFailure()
    case .removal: removal()
    case .neighboursDie: neighboursDie()
    case .sameID: sameID()
    case .readdressing: readdressing()
    case .pauses: pauses()
    case .negotiations: negotiations()
    case .admissions: admissions()
    case .storm: storm()
    }
  }

  mutating func growth() {
    for _ in 0..<nodes { simulation.addMachine() }
    simulation.start(0)
    wait(100...2000)
    for index in 1..<nodes {
      let admitted = running.filter { $0 == 0 || (simulation.machines[$0].core?.membership.liveCount ?? 1) > 1 }
      simulation.start(index, through: admitted[any(admitted.count)])
      if random.happens(600) { wait(0...3000) }
    }
    settle()
  }

  mutating func churn() {
    for _ in 0..<40 {
      switch any(6) {
      case 0, 1: if running.count > 2 { simulation.stop(anyRunning()) }
      case 2: if running.count > 2 { simulation.leave(anyRunning()) }
      case 3: simulation.start(simulation.addMachine(), through: anyRunning())
      default:
        let off = simulation.machines.indices.filter { simulation.machines[$0].core == nil }
        if !off.isEmpty {
          let member = anyRunning()
          simulation.start(off[any(off.count)], through: member)
        }
      }
      wait(0...4000)
    }
    settle()
  }

  mutating func partition() {
    let parts = 2 + any(2)
    let salt = random.next()
    // By place on the ring, or mixed.
    let isMixed = random.happens(500)
    let size = nodes / parts + 1
    simulation.partition { isMixed ? Int((UInt64($0) &* 0x9E37_79B9 ^ salt) % 97) % parts : $0 / size }
    wait(1000...40_000)
    simulation.heal()
    settle(90_000)
  }

  mutating func cutOff() {
    let victim = any(nodes)
    simulation.partition { $0 == victim ? 1 : 0 }
    wait(500...30_000)
    simulation.heal()
    settle(90_000)
  }

  mutating func powerFailure() {
    let survivor = any(nodes)
    let ids = simulation.machines.map { $0.membership?.own.id }
    for index in 0..<nodes where index != survivor { simulation.stop(index) }
    wait(0...10_000)
    for index in 0..<nodes where index != survivor {
      simulation.start(index, through: survivor)
      if random.happens(300) { wait(0...500) }
    }
    settle()
    for index in 0..<nodes where simulation.machines[index].core?.membership.own.id != ids[index] {
      simulation.fault("node \(index) has another id than before")
    }
  }

  mutating func removal() {
    let victim = any(nodes)
    var other = any(nodes)
    if other == victim { other = (victim + 1) % nodes }
    guard let id = simulation.machines[victim].core?.membership.own.id else { return }
    simulation.watch(victim)
    let start = simulation.now
    if !simulation.remove(id, by: other) { simulation.fault("node \(other) cannot remove the id \(id)") }
    wait(4000...6000)
    if simulation.goneSeen(victim, since: start) == nil { simulation.fault("a node did not hear of the removal") }
    // With another key, from the same machine.
    simulation.stop(victim)
    simulation.start(victim, through: other)
    wait(1000...8000)
    // All but one restart, and still nobody lets it in.
    let survivor = other
    for index in 0..<nodes where index != survivor && index != victim { simulation.stop(index) }
    for index in 0..<nodes where index != survivor && index != victim { simulation.start(index, through: survivor) }
    wait(5000...8000)
    simulation.stop(victim)
    let member = (0..<nodes).first { $0 != survivor && $0 != victim } ?? survivor
    simulation.start(victim, through: member)
    wait(5000...8000)
    for index in running where index != victim {
      if simulation.machines[index].core?.membership.state(of: simulation.machines[victim].mac)?.isLive == true {
        simulation.fault("node \(index) sees the removed node \(victim)")
      }
    }
    simulation.stop(victim)
    if !simulation.allow(id, by: member) { simulation.fault("node \(member) cannot allow the id \(id)") }
    wait(4000...6000)
    simulation.start(victim, through: survivor)
    settle()
  }

  mutating func neighboursDie() {
    let count = min(nodes - 1, 2 + any(3))
    let first = any(nodes)
    let start = simulation.now
    let victims = (0..<count).map { (first + $0) % nodes }
    for victim in victims {
      simulation.watch(victim)
      simulation.stop(victim)
    }
    simulation.run(for: 12_000)
    for victim in victims {
      // Whoever is left alone doubts itself first.
      let bound: UInt64 = simulation.network.loss > 0 ? 12_000 : nodes - count > 1 ? 5000 : 7000
      let seen = simulation.goneSeen(victim, since: start)
      if seen.map({ $0 > bound }) ?? true {
        let time = seen.map { "\($0) ms" } ?? "never"
        simulation.fault(
          "the death of node \(victim), one of \(count), of \(nodes) nodes, was seen after \(time), not \(bound) ms")
      }
    }
    settle()
  }

  mutating func sameID() {
    let low = UInt16(0x4000 + any(100))
    let pair = [1, 2].map { simulation.addMachine(address: IPv4Address(bits: 0x0B00_0000 + $0 << 16 + UInt32(low))) }
    let isSplit = random.happens(300)
    if isSplit { simulation.partition { ($0 + ($0 >= nodes ? nodes : 0)) % 2 } }
    for index in pair {
      let part = simulation.machines[index].part
      let members = (0..<nodes).filter { simulation.machines[$0].part == part }
      simulation.start(index, through: members[any(members.count)])
    }
    wait(2000...20_000)
    if isSplit { simulation.heal() }
    settle(90_000)
    let ids = pair.map { simulation.machines[$0].core?.membership.own.id }
    if !ids.contains(low) { simulation.fault("nobody has the id that both wanted: \(ids)") }
  }

  mutating func readdressing() {
    for turn in 0..<3 {
      let index = any(nodes)
      let id = simulation.machines[index].core?.membership.own.id
      simulation.readdress(index, IPv4Address(bits: 0x0C00_0001 + UInt32(turn * nodes + index)))
      wait(100...5000)
      if simulation.machines[index].core?.membership.own.id != id { simulation.fault("node \(index) changed its id") }
    }
    settle()
  }

  mutating func pauses() {
    for _ in 0..<4 {
      simulation.pause(any(nodes), for: random.number(in: 500...9000))
      wait(100...6000)
    }
    settle(90_000)
  }

  mutating func negotiations() {
    // A connection that is cut may be the one by which two nodes meet again; the next is ten seconds later.
    simulation.allowMistakes(for: 20_000)
    for _ in 0..<30 {
      for _ in 0..<any(6) {
        let (a, b) = (any(nodes), any(nodes))
        simulation.talk(a, b)
        // At the same moment, so that both may ask for keys.
        if random.happens(500) { simulation.talk(b, a) }
      }
      if random.happens(300) {
        // Both ends of a tunnel may crash.
        let first = any(nodes)
        simulation.crash(first)
        if random.happens(500) { simulation.crash((first + 1) % nodes) }
      }
      if random.happens(30) { restart(any(nodes)) }
      if random.happens(50) { simulation.pause(any(nodes), for: random.number(in: 500...9000)) }
      if random.happens(300) { simulation.expire(any(nodes), isHard: random.happens(250)) }
      if random.happens(200) { simulation.cutLine() }
      wait(0...10_000)
    }
    settle()
    simulation.network = .lan
    for index in 0..<nodes where simulation.machines[index].core == nil {
      restart(index)
      wait(5000...5000)
    }
    // A pair that was idle is made anew once, and what waits for it is sent.
    let members = Array(running.prefix(3))
    for _ in 0..<4 {
      for index in members { for other in members { simulation.talk(index, other) } }
      wait(10_000...10_000)
    }
    simulation.checkPairs(among: members)
    settle(2 * (simulation.settings.idle + simulation.settings.linger))
    simulation.checkSilence()
  }

  /// With another key, through any other node.
  mutating func restart(_ index: Int) {
    let others = running.filter { $0 != index && simulation.machines[$0].core?.isIn == true }
    guard !others.isEmpty else { return }
    simulation.stop(index)
    simulation.start(index, through: others[any(others.count)])
  }

  mutating func admissions() {
    let member = any(nodes)
    simulation.openWindow(member)
    for _ in 0..<3 {
      let index = simulation.addMachine()
      simulation.startStranger(index, through: member)
      wait(0...3000)
    }
    // Nobody lets them in there.
    let closed = (member + 1) % nodes
    let stranger = simulation.addMachine()
    simulation.startStranger(stranger, through: closed)
    wait(40_000...40_000)
    if simulation.machines[stranger].isMember { simulation.fault("a stranger was certified that nobody approved") }
    simulation.stop(stranger)
    settle()
  }

  mutating func storm() {
    var spare = UInt32(0)
    var removed: NodeID?
    for _ in 0..<40 {
      switch any(12) {
      case 0: if running.count > 2 { simulation.stop(anyRunning()) }
      case 1: if running.count > 2 { simulation.leave(anyRunning()) }
      case 2: simulation.start(simulation.addMachine(), through: anyRunning())
      case 3, 4:
        let off = simulation.machines.indices.filter { simulation.machines[$0].core == nil }
        if !off.isEmpty {
          let member = anyRunning()
          simulation.start(off[any(off.count)], through: member)
        }
      case 5: simulation.crash(anyRunning())
      case 6:
        spare += 1
        simulation.readdress(anyRunning(), IPv4Address(bits: 0x0C00_0000 + spare))
      case 7:
        let salt = random.next()
        simulation.partition { Int((UInt64($0) &* 0x9E37_79B9 ^ salt) % 97) % 2 }
      case 8: simulation.heal()
      case 9:
        if let id = removed {
          if simulation.allow(id, by: anyRunning()) { removed = nil }
        } else if running.count > 3, let id = simulation.machines[anyRunning()].core?.membership.own.id {
          let operators = running.filter { simulation.machines[$0].core?.membership.own.id != id }
          if simulation.remove(id, by: operators[any(operators.count)]) { removed = id }
        }
      case 10: simulation.pause(anyRunning(), for: random.number(in: 500...6000))
      default:
        for _ in 0..<any(8) {
          let (a, b) = (any(simulation.machines.count), any(simulation.machines.count))
          simulation.talk(a, b)
          simulation.talk(b, a)
        }
      }
      wait(0...4000)
    }
    simulation.heal()
    settle(130_000)
  }
}
