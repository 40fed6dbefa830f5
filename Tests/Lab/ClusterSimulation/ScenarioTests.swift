import ClusterSimulation
import Foundation
import Testing

/// Whole clusters on a virtual network. In the environment, `DRONEFORGE_SIMULATION_SEEDS` says how many seeds each scenario gets,
/// `DRONEFORGE_SIMULATION_SEED` from which one on, and `DRONEFORGE_SIMULATION_NODES` how many nodes there are at most.
@Suite(.serialized) struct ScenarioTests {
  private static func number(_ name: String) -> UInt64? {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
  }

  @Test(
    "views converge, nobody alive stays dead, nobody removed comes back, ids are unique", arguments: Scenario.allCases)
  func scenarios(_ scenario: Scenario) {
    let first = ScenarioTests.number("DRONEFORGE_SIMULATION_SEED") ?? 1
    let count = ScenarioTests.number("DRONEFORGE_SIMULATION_SEEDS") ?? 2
    let nodes = ScenarioTests.number("DRONEFORGE_SIMULATION_NODES").flatMap { Int(exactly: $0) } ?? 25
    for seed in first..<first &+ count {
      let faults = scenario.faults(seed: seed, largest: nodes)
      let rerun =
        "DRONEFORGE_SIMULATION_SEED=\(seed) DRONEFORGE_SIMULATION_SEEDS=1 DRONEFORGE_SIMULATION_NODES=\(nodes)"
        + " swift test --filter ScenarioTests"
      #expect(faults == [], "\(scenario): \(rerun)")
    }
  }

  @Test("a story in which something was found once finds nothing", arguments: [(Scenario.storm, 19 as UInt64, 25)])
  func found(_ scenario: Scenario, _ seed: UInt64, _ nodes: Int) {
    #expect(scenario.faults(seed: seed, largest: nodes) == [])
  }

  @Test("the same seed gives the same story")
  func deterministic() {
    func story() -> Traffic {
      var simulation = ClusterSimulation(seed: 7, settled: 20, network: .bad)
      simulation.run(for: 5000)
      simulation.stop(3)
      simulation.start(simulation.addMachine(), through: 5)
      simulation.run(for: 10_000)
      return simulation.traffic
    }
    let first = story()
    let second = story()
    #expect(first.datagrams == second.datagrams && first.bytes == second.bytes && first.handshakes == second.handshakes)
    #expect(first.datagrams > 500)
  }

  @Test("what a cluster costs does not grow with its size", arguments: [3, 10, 100])
  func costs(_ nodes: Int) {
    let figures = ClusterFigures(nodes: nodes, rest: 10_000)
    #expect(figures.faults == [])
    #expect(figures.bytes <= 600)
    #expect(figures.associations <= 16)
    #expect(figures.memory <= 200_000)
    #expect(figures.join.map { $0 <= 5000 } == true, "joined after \(figures.join ?? 0) ms")
    #expect(figures.death.map { $0 <= 5000 } == true, "dead after \(figures.death ?? 0) ms")
    #expect(figures.leave.map { $0 <= 1000 } == true, "left after \(figures.leave ?? 0) ms")
  }

  @Test("a thousand nodes hear of a joiner within five seconds")
  func thousand() {
    var simulation = ClusterSimulation(seed: 1, settled: 1000)
    simulation.run(for: 2000)
    let newcomer = simulation.addMachine()
    simulation.watch(newcomer)
    let start = simulation.now
    simulation.start(newcomer, through: 500)
    simulation.run(for: 3000)
    #expect(simulation.joinSeen(newcomer, since: start).map { $0 <= 3000 } == true)
    #expect(simulation.machines.allSatisfy { ($0.core?.membership.bytes ?? 0) <= 200_000 })
    #expect(simulation.faults == [])
  }
}
