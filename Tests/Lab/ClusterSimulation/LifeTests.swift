import ClusterSimulation
import Testing

/// What happens in days, and in the two seconds before anybody notices.
@Suite struct LifeTests {
  private static let hour: UInt64 = 3_600_000

  @Test("halves that were parted for a day and longer meet again by themselves", arguments: [23, 25, 60] as [UInt64])
  func parted(_ hours: UInt64) {
    var simulation = ClusterSimulation(seed: hours, settled: 2)
    simulation.run(for: 8000)
    simulation.partition { $0 }
    simulation.run(for: hours * LifeTests.hour)
    #expect(simulation.machines.allSatisfy { $0.membership?.liveCount == 1 })
    simulation.heal()
    simulation.run(for: LifeTests.hour)
    simulation.checkSettled()
    #expect(simulation.faults == [])
    #expect(simulation.machines.allSatisfy { $0.membership?.liveCount == 2 })
  }

  @Test(
    "a machine that gets a dead one's address before anybody has noticed joins, and the dead one is found dead",
    arguments: 1...12 as ClosedRange<UInt64>)
  func reused(_ seed: UInt64) {
    var simulation = ClusterSimulation(seed: seed, settled: 3 + Int(seed) * 2, network: seed % 2 == 0 ? .lan : .bad)
    simulation.run(for: 8000)
    simulation.watchAssociations()
    let victim = 1 + Int(seed) % 3
    let start = simulation.now
    simulation.stop(victim)
    simulation.run(for: seed % 4 * 500 + 500)
    let heir = simulation.addMachine(address: simulation.machines[victim].address)
    simulation.watch(heir)
    simulation.start(heir, through: 0)
    simulation.run(for: 12_000)
    // Its heir may have joined when that was known already.
    let dead = simulation.machines[victim].mac
    #expect(simulation.machines.allSatisfy { $0.membership?.state(of: dead)?.isLive != true }, "it was not found dead")
    #expect(simulation.joinSeen(heir, since: start) != nil, "its heir did not join")
    // It is as well connected as any other.
    simulation.checkPairs(among: [0, 2, heir].filter { $0 != victim })
    simulation.run(for: 80_000)
    simulation.checkSettled()
    #expect(simulation.faults == [])
  }
}
