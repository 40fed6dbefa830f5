import Foundation
import Testing
import VirtualMachine
import Workshop

/// What one drone tells of another: processes on request, metrics to who may ask.
@Suite struct ProcessesAndMetricsTests {
  @Test("a busy process on one drone is seen by mtop on the other; metrics are there for whom they were offered")
  func twoDrones() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withDrones(["192.168.1.11", "192.168.1.21"], in: network) { drones in
        let (first, second) = (drones[0], drones[1])
        try await first.machine.succeeds("tyd --metrics 9639")
        try await second.machine.succeeds("tyd -m 192.168.1.11 --metrics 192.168.1.21:9640")
        for drone in drones { try await drone.waits(for: "both alive") { $0.alive.count == 2 } }
        let id = try await second.status().name

        try await second.machine.succeeds("{ dd if=/dev/zero of=/dev/null bs=16 & } 2>/dev/null; sleep 1")
        let picture = try await first.machine.succeeds("mtop --once")
        let line = picture.split(whereSeparator: \.isNewline).first { $0.contains(" dd") }
        #expect(line?.contains(id) == true, "\(picture)")
        #expect(picture.contains("2 nodes, 2 CPUs"))
        let json = try await first.machine.succeeds("mtop --json")
        let round = try JSONDecoder().decode(
          MtopRound.self, from: Data((json.split(whereSeparator: \.isNewline).first { $0.hasPrefix("{") } ?? "").utf8))
        #expect(round.nodes.map(\.answer) == ["came", "came"])
        // Of the other node's: on this one it may be mtop itself, where the builder's computer is busy.
        let busiest = try #require(round.processes.first { $0.node == id })
        #expect(busiest.command == "dd" && busiest.cpu > 30, "\(round.processes.prefix(5))")
        try await onScreen(first.machine, id)

        let metrics = try await first.machine.succeeds("wget -q -O - http://127.0.0.1:9639/metrics")
        #expect(metrics.contains("drone_up{node=\"\(id)\",address=\"192.168.1.21\"} 1"))
        #expect(metrics.contains("tyd_tunnels 1"))
        #expect(try await first.machine.run("wget -q -O - http://127.0.0.1:9639/").status != 0)
        // Offered to the drone itself alone: nobody else gets there, a member neither.
        #expect(try await !fetches(network, "192.168.1.11:9639"))
        #expect(try await second.machine.run("wget -q -T 3 -O - http://192.168.1.11:9639/metrics").status != 0)
        // Offered at an address: strangers and members get there, to that port and no other.
        #expect(try await fetches(network, "192.168.1.21:9640"))
        #expect(
          try await first.machine.succeeds("wget -q -O - http://192.168.1.21:9640/metrics").contains("drone_load1"))
        #expect(try await !fetches(network, "192.168.1.21:9639"))
        #expect(try await first.clearFrames(with: second.address) == [])

        // Where the cable is out, it says so and does not wait for ever.
        try await second.machine.setLink(up: false)
        let without = try await first.machine.succeeds("mtop --once")
        #expect(without.contains("1 node without an answer: \(id)") || without.contains("1 node, 1 CPU"), "\(without)")
      }
    }
  }

  /// mtop on the console, which is a serial line, driven by keys.
  private func onScreen(_ machine: VirtualMachine, _ id: String) async throws {
    machine.type("TERM=vt100 COLUMNS=80 LINES=20 mtop\n")
    try await machine.expect("by cpu")
    machine.type("N")
    try await machine.expect("node")
    machine.type("h")
    try await machine.expect("node by node")
    machine.type("x")
    machine.type("M")
    try await machine.expect("memory")
    machine.type("q")
    try await machine.expectShell()
  }

  /// Whether a stranger on the wire gets metrics there.
  private func fetches(_ network: NetworkNamespace, _ place: String) async throws -> Bool {
    let program = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=3).read().decode())"
    do {
      return try await network.runOnNetwork("/usr/bin/python3", ["-c", program, "http://\(place)/metrics"])
        .contains("drone_up")
    } catch BuildError.commandFailed {
      return false
    }
  }
}

/// The part of `mtop --json` that the test reads.
private struct MtopRound: Decodable {
  struct Node: Decodable {
    var id: String
    var answer: String
  }
  struct Process: Decodable {
    var node: String
    var command: String
    var cpu: Double
  }
  var nodes: [Node]
  var processes: [Process]
}
