import TestCluster
import Testing
import VirtualMachine

/// A cluster in two networks, with a router between them that is no member and forwards no multicast: an address must be said.
///
/// By hand, after `make iso pxe`: `swift test --filter AcrossRouterTests`.
@Suite struct AcrossRouterTests {
  @Test(
    "two networks, one cluster: it joins by address, ids that collide move on, ESP alone crosses, whatever size the way lets through, and cuts heal"
  )
  func acrossRouter() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { router in
      try await router.route(to: "lan2", address: "10.1.1.1/24")
      var army = try DroneArmy()
      army.wires = [2: ("lan2", "10.1.1.1")]
      try await army.run(["192.168.1.11", "192.168.1.21", "10.1.1.21"], in: router) { drones in
        let way = Way(router: router, near: drones[0], neighbour: drones[1], far: drones[2])
        try await formCluster(drones)
        try await oneMap(drones)
        try await silentRouter(way)
        try await speakingRouter(way)
        try await leastSize(way)
        try await cuts(way)
        try await onlyESP(way)
        try await death(way)
      }
    }
  }

  /// What the drones are to each other.
  private struct Way {
    let router: NetworkNamespace
    let near: Drone
    /// In the same network as `near`.
    let neighbour: Drone
    let far: Drone

    /// Both ways through the router.
    var both: [(from: Drone, to: Drone)] { [(near, far), (far, near)] }

    func setSize(_ device: String, _ bytes: Int) async throws {
      try await router.run("ip", ["link", "set", device, "mtu", "\(bytes)"])
    }

    func setFarWire(up: Bool) async throws {
      try await router.run("ip", ["link", "set", "lan2", up ? "up" : "down"])
    }
  }

  /// The low 16 bits of 192.168.1.21 and of 10.1.1.21 are the same: who comes later gets the next id.
  private func oneMap(_ drones: [Drone]) async throws {
    for (drone, own) in zip(drones, ["0x010b", "0x0115", "0x0116"]) {
      let map = try await drone.machine.succeeds("showmap").replacing("\r", with: "")
      #expect(
        map.contains(
          """
          My Node-Id: \(own)

          Base Node-Id Address          Count
          ------------ ---------------- -----
          0x010b       192.168.1.11     1
          0x0115       192.168.1.21     1
          0x0116       10.1.1.21        1
          """), "\(map)")
      for other in drones where other.address != drone.address {
        #expect(try await drone.reaches(other.address), "\(drone.address) to \(other.address)")
      }
    }
    #expect(try await drones[2].frames("ip multicast and src net 192.168.1.0/24") == [])
  }

  /// A black hole: the router believes that 2000 bytes fit on its wires, which let 1280 through and tell nobody.
  /// (A bridge lets four bytes more through than a device is said to take, for a VLAN's number.)
  private func silentRouter(_ way: Way) async throws {
    for bridge in ["lan", "lan2"] { try await way.setSize(bridge, 2000) }
    for drone in [way.near, way.far] { try await way.setSize(drone.tap, 1276) }
    for (from, to) in way.both {
      try await transfer(from: from, to: to)
      #expect(try await !from.sent("ip[2:2] > 1280", to: to).isEmpty)
      #expect(try await to.frames("esp and src host \(from.address) and ip[2:2] > 1280") == [])
      #expect(try await from.frames("icmp") == [])
    }
    for drone in [way.near, way.far] { try await way.setSize(drone.tap, 1500) }
  }

  /// Each of the router's wires takes less than the drones' own, and the router says so to whoever sends too much: in clear,
  /// a stranger to them, about packets of which it sees only that they are ESP.
  private func speakingRouter(_ way: Way) async throws {
    for (from, to, bridge, size) in [(way.far, way.near, "lan", 1400), (way.near, way.far, "lan2", 1280)] {
      let before = try await from.sent("ip[2:2] > \(size)", to: to).count
      try await way.setSize(bridge, size)
      // The first may be what the router's word is about.
      let pings = try await from.machine.output("ping -c3 -W3 -s 1400 \(to.address)")
      #expect(pings.contains(" 2 packets received") || pings.contains(" 3 packets received"), "\(pings)")
      try await datagrams(from: from, to: to)
      try await transfer(from: from, to: to)
      let tooLarge = try await from.sent("ip[2:2] > \(size)", to: to).count - before
      #expect((1...20).contains(tooLarge), "\(tooLarge) packets were too large for \(bridge)")
      #expect(try await !from.frames("icmp[0:2] = 0x0304 and icmp[6:2] = \(size)").isEmpty)
    }
  }

  /// Anybody who sees ESP can say that next to nothing fits. The kernel believes at most 552 bytes, `min_pmtu`.
  private func leastSize(_ way: Way) async throws {
    let (from, to) = (way.near, way.far)
    let before = try await from.sent("ip[2:2] > 552", to: to).count
    try await way.setSize("lan2", 300)
    try await transfer(from: from, to: to, kilobytes: 256)
    let tooLarge = try await from.sent("ip[2:2] > 552", to: to).count - before
    #expect((1...20).contains(tooLarge), "\(tooLarge) packets of more than 552 bytes")
    #expect(try await from.sent("ip[2:2] > 500 and ip[2:2] <= 552", to: to).count > 400)
    try await way.setSize("lan2", 1280)
  }

  private func cuts(_ way: Way) async throws {
    let drones = [way.near, way.neighbour, way.far]
    // It may end before anybody is called dead, or just after.
    try await way.setFarWire(up: false)
    try await Task.sleep(for: .seconds(3))
    try await way.setFarWire(up: true)
    for drone in drones {
      try await drone.waits(for: "all alive after 3 s", within: .seconds(30)) { $0.alive.count == 3 }
    }
    try await way.setFarWire(up: false)
    let end = ContinuousClock.now + .seconds(15)
    try await way.far.waits(for: "alone", within: .seconds(14)) { $0.alive == [way.far.address] }
    for drone in [way.near, way.neighbour] {
      try await drone.waits(for: "two alive", within: .seconds(14)) {
        $0.alive == [way.near.address, way.neighbour.address]
      }
    }
    #expect(try await way.near.reaches(way.neighbour.address))
    try await Task.sleep(until: end)
    try await way.setFarWire(up: true)
    for drone in drones {
      try await drone.waits(for: "one cluster again", within: .seconds(40)) { $0.alive.count == 3 }
    }
    for (from, to) in way.both { #expect(try await from.reaches(to.address)) }
  }

  /// On the wires of both networks, from the first frame to this one.
  private func onlyESP(_ way: Way) async throws {
    for (drone, other) in way.both + [(way.neighbour, way.far), (way.far, way.neighbour)] {
      #expect(try await drone.clearFrames(with: other.address) == [])
    }
    #expect(try await !way.far.frames("esp and host \(way.near.address)").isEmpty)
  }

  /// Within 5 s of the guest's time; the host's clock may run ahead of an emulated one.
  private func death(_ way: Way) async throws {
    way.far.machine.type("poweroff -f\n")
    _ = try await way.far.machine.waitForEnd()
    for drone in [way.near, way.neighbour] {
      try await drone.waits(for: "10.1.1.21 dead", within: .seconds(12)) { $0.state(of: way.far.address) == .dead }
    }
  }

  // MARK: Traffic

  /// Sends random bytes over TCP; what arrives has the same checksum.
  private func transfer(from: Drone, to: Drone, kilobytes: Int = 1024) async throws {
    try await to.machine.succeeds("{ timeout 60 nc -l -p 6000 </dev/null | md5sum >/tmp/got & }")
    let sent = try await from.machine.output(
      "dd if=/dev/urandom of=/tmp/sent bs=1024 count=\(kilobytes) 2>/dev/null; md5sum </tmp/sent")
    try await from.machine.succeeds("timeout 40 nc \(to.address) 6000 </tmp/sent")
    let got = try await to.machine.output("while pidof nc >/dev/null; do sleep 0.1; done; cat /tmp/got")
    #expect(!sent.isEmpty && got == sent, "\(from.address) to \(to.address): \(sent), \(got)")
  }

  /// Of two datagrams of 1400 bytes the second arrives at least.
  private func datagrams(from: Drone, to: Drone) async throws {
    try await to.machine.succeeds("{ timeout 9 nc -l -u -p 6001 </dev/null >/tmp/datagrams 2>/dev/null & }")
    try await from.machine.succeeds(
      "dd if=/dev/urandom of=/tmp/one bs=1400 count=1 2>/dev/null; "
        + "{ cat /tmp/one; sleep 0.5; cat /tmp/one; sleep 0.5; } | timeout 2 nc -u \(to.address) 6001; true")
    try await to.machine.succeeds("killall nc")
    #expect(["1400", "2800"].contains(try await to.machine.output("wc -c </tmp/datagrams")))
  }
}

extension Drone {
  /// The ESP packets to `other` that left this drone's card and match the filter.
  fileprivate func sent(_ filter: String, to other: Drone) async throws -> [String] {
    try await frames("esp and src host \(address) and dst host \(other.address) and \(filter)")
  }
}
