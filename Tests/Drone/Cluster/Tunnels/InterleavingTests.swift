import ControlChannel
import Foundation
import Testing

@testable import Tunnels

/// Random interleavings of everything that can happen between two and three nodes.
@Suite struct InterleavingTests {
  private static let runs = ProcessInfo.processInfo.environment["DRONEFORGE_TUNNEL_RUNS"].flatMap { UInt64($0) } ?? 15

  static let hostile = World.Hazards(
    connectionsLost: 20, installsFailed: 10, expiries: 10, removals: 3, crashes: 3, restarts: 2)

  @Test(
    "no key is ever installed twice, none stays without its twin, and at rest each talking pair has one pair",
    arguments: [2, 3])
  func hazards(_ count: Int) throws {
    for seed in 1...InterleavingTests.runs {
      var world = World(seed: seed, nodes: count, InterleavingTests.hostile)
      for _ in 0..<2000 where world.faults.isEmpty { world.turn() }
      #expect(world.faults == [], "seed \(seed)")
      try #require(atRest(&world, seed))
    }
  }

  /// Lets all see each other and talk, and compares the kernels.
  private func atRest(_ world: inout World, _ seed: UInt64) -> Bool {
    let count = world.nodes.count
    for index in 0..<count {
      for other in 0..<count where other != index && !world.nodes[index].members.contains(other) {
        world.flip(index, other)
      }
    }
    for _ in 0..<12 {
      for from in 0..<count { for to in 0..<count { world.send(from, to) } }
      world.settle(10_000)
    }
    for index in 0..<count {
      let kernel = world.nodes[index].kernel
      for direction in [TunnelAssociation.Direction.inbound, .outbound] {
        let found = kernel.filter { $0.association.direction == direction }.count
        #expect(found == count - 1, "seed \(seed): node \(index) has \(found) \(direction)")
        if found != count - 1 { return false }
      }
      for installed in kernel where !world.hasTwin(index, installed) {
        Issue.record("seed \(seed): node \(index) has one without a twin")
        return false
      }
    }
    let before = (world.lost, world.delivered, world.asked)
    for from in 0..<count { for to in 0..<count { world.send(from, to) } }
    world.advance(1000)
    #expect(world.lost == before.0 && world.asked == before.2, "seed \(seed)")
    #expect(world.delivered == before.1 + count * (count - 1), "seed \(seed)")
    #expect(world.faults == [], "seed \(seed)")
    return world.faults.isEmpty
  }

  @Test("while nothing fails, no packet is lost, however often keys are renewed", arguments: [2, 3])
  func lossless(_ count: Int) {
    var settings = TunnelSettings()
    settings.rekeyAfter = 8000
    var renewals: UInt64 = 0
    for seed in 1...InterleavingTests.runs {
      var world = World(seed: seed, nodes: count, World.Hazards(expiries: 10), settings: settings)
      for _ in 0..<2000 where world.faults.isEmpty { world.turn() }
      world.settle()
      #expect(world.faults == [], "seed \(seed)")
      #expect(world.lost == 0, "seed \(seed), \(world.nodes.map(\.tunnels.failed)) failures")
      #expect(world.delivered > 100, "seed \(seed)")
      renewals += world.nodes[0].tunnels.completed
    }
    #expect(renewals > InterleavingTests.runs * 5)
  }

  @Test("when nobody talks any longer, nothing stays in any kernel")
  func silence() {
    for seed in 1...20 as ClosedRange<UInt64> {
      var world = World(seed: seed, nodes: 3, InterleavingTests.hostile)
      for _ in 0..<500 { world.turn() }
      world.settle(400_000)
      for node in world.nodes {
        #expect(node.kernel == [], "seed \(seed)")
        #expect(node.tunnels.associations == [], "seed \(seed)")
      }
      #expect(world.connections.isEmpty, "seed \(seed)")
    }
  }
}
