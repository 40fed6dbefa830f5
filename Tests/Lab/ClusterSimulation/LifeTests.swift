import ClusterSimulation
import Testing

/// What happens in days, and in the two seconds before anybody notices.
@Suite struct LifeTests {
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
