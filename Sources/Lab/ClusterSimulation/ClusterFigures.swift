import Membership

/// What a cluster of a size costs and how fast it is, measured on a virtual LAN.
public struct ClusterFigures: Sendable {
  public let nodes: Int
  /// At rest, sent by each node in a second; as much comes in.
  public let datagrams: Double
  public let bytes: Double
  /// The node with the most.
  public let associations: Int
  public let memory: Int
  /// How old the load is that nodes see of others, in milliseconds.
  public let age: (mean: UInt64, largest: UInt64)
  /// Until the last node knew, in milliseconds; nil when one did not in half a minute.
  public let join: UInt64?
  public let death: UInt64?
  public let leave: UInt64?
  /// From the moment when two halves can reach each other again, until all nodes see all.
  public let heal: UInt64?
  /// TLS handshakes that one join makes.
  public let handshakes: Int
  public let faults: [String]

  /// - Parameter rest: for how long rest is measured, in milliseconds. Ages are true only if it is longer than they are.
  public init(nodes: Int, seed: UInt64 = 1, rest: UInt64 = 60_000, network: Network = .lan) {
    var simulation = ClusterSimulation(seed: seed, settled: nodes, network: network)
    self.nodes = nodes
    simulation.keepsMaps = false
    simulation.run(for: 20_000)
    simulation.resetTraffic()
    simulation.run(for: rest)
    let perNode = Double(nodes) * Double(rest) / 1000
    datagrams = Double(simulation.traffic.datagrams) / perNode
    bytes = Double(simulation.traffic.bytes) / perNode
    associations = simulation.associations().max() ?? 0
    memory = simulation.machines.map { $0.core?.membership.bytes ?? 0 }.max() ?? 0
    age = ClusterFigures.age(&simulation, samples: 2000)

    let newcomer = simulation.addMachine()
    simulation.watch(newcomer)
    simulation.resetTraffic()
    var start = simulation.now
    simulation.start(newcomer, through: nodes / 2)
    join = ClusterFigures.time(&simulation) { $0.joinSeen(newcomer, since: start) }
    simulation.run(for: 5000)
    handshakes = simulation.traffic.handshakes

    let victim = nodes / 3
    simulation.watch(victim)
    start = simulation.now
    simulation.stop(victim)
    death = ClusterFigures.time(&simulation) { $0.goneSeen(victim, since: start) }
    simulation.watch(newcomer)
    start = simulation.now
    simulation.leave(newcomer)
    leave = ClusterFigures.time(&simulation) { $0.goneSeen(newcomer, since: start) }
    simulation.run(for: 2000)
    simulation.checkSettled()

    simulation.partition { $0 * 7919 % 97 % 2 }
    simulation.run(for: 30_000)
    simulation.heal()
    start = simulation.now
    heal = ClusterFigures.time(&simulation) { simulation in
      let isWhole = simulation.machines.allSatisfy { !$0.isOn || $0.core?.membership.liveCount == nodes - 1 }
      return isWhole ? simulation.now - start : nil
    }
    faults = simulation.faults
  }

  /// How old the load is that nodes see of others: the mean and the largest of so many samples.
  private static func age(_ simulation: inout ClusterSimulation, samples: Int) -> (mean: UInt64, largest: UInt64) {
    var ages: [UInt64] = []
    for _ in 0..<samples {
      let observer = Int(simulation.random.next() % UInt64(simulation.machines.count))
      let other = Int(simulation.random.next() % UInt64(simulation.machines.count))
      guard observer != other, simulation.machines[observer].isOn, simulation.machines[other].isOn,
        let sequence = simulation.machines[observer].membership?.vitalsSequence(of: simulation.machines[other].mac)
      else { continue }
      ages.append(simulation.now - simulation.machines[other].vitals.time(of: sequence))
    }
    return (ages.isEmpty ? 0 : ages.reduce(0, +) / UInt64(ages.count), ages.max() ?? 0)
  }

  private static func time(
    _ simulation: inout ClusterSimulation, _ seen: (borrowing ClusterSimulation) -> UInt64?
  ) -> UInt64? {
    for _ in 0..<300 {
      simulation.run(for: 100)
      if let time = seen(simulation) { return time }
    }
    return nil
  }
}
