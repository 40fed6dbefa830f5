import ClusterSimulation
import Foundation
import Testing

/// What is promised of security associations, with real nodes and every interleaving of what can happen between them. In the
/// environment, `DRONEFORGE_TUNNEL_RUNS` says how many seeds there are.
@Suite(.serialized) struct NegotiationTests {
  private static let runs = ProcessInfo.processInfo.environment["DRONEFORGE_TUNNEL_RUNS"].flatMap { UInt64($0) } ?? 15

  @Test(
    "no key or SPI is ever used twice, none stays without its twin, at rest each talking pair has one pair that carries all, and in silence only neighbours have any"
  )
  func hazards() {
    for seed in 1...NegotiationTests.runs {
      #expect(Scenario.negotiations.faults(seed: seed, largest: 3) == [], "seed \(seed), 3 nodes")
    }
    // Most of these are no neighbours of each other.
    for seed in 1...2 as ClosedRange<UInt64> {
      #expect(Scenario.negotiations.faults(seed: seed, largest: 40) == [], "seed \(seed), up to 40 nodes")
    }
  }

  @Test("while nothing fails, no packet is lost, however often keys are renewed", arguments: [2, 3])
  func lossless(_ count: Int) {
    var network = Network.lan
    // Overtaken by others, and by new keys.
    network.reordering = 300
    network.lateness = 400
    var settings = ClusterSimulation.short
    settings.rekeyAfter = 8000
    var renewals: UInt64 = 0
    for seed in 1...NegotiationTests.runs {
      var simulation = ClusterSimulation(seed: seed, settled: count, network: network, settings: settings)
      simulation.run(for: 8000)
      simulation.resetTraffic()
      for turn in 0..<120 {
        for index in 0..<count { for other in 0..<count { simulation.talk(index, other) } }
        if turn % 10 == 0 { simulation.expire(turn / 10 % count, isHard: false) }
        simulation.run(for: 500)
      }
      #expect(simulation.faults == [], "seed \(seed)")
      #expect(simulation.traffic.undecryptable == 0, "seed \(seed)")
      #expect(simulation.traffic.arrived > 100, "seed \(seed)")
      renewals += simulation.machines[0].core?.peers.tunnels.renewed ?? 0
    }
    #expect(renewals > NegotiationTests.runs * 5)
  }
}
