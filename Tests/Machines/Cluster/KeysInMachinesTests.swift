import Testing
import VirtualMachine

/// Keys that wear out while they are used.
@Suite struct KeysInMachinesTests {
  @Test(
    "under a running TCP transfer keys are replaced by time and by packets, and nothing is lost; at the hard limit packets wait, and none goes in clear"
  )
  func renewal() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withDrones(["192.168.1.11", "192.168.1.21"], in: network) { drones in
        let (sender, receiver) = (drones[0], drones[1])

        // Every five seconds, for some twenty-five.
        try await formCluster(drones, options: "--rekey 5")
        var before = try await sender.status().rekeys(with: receiver.address)
        try await transfer(from: sender, to: receiver, pieces: 100, pause: 0.2)
        try await sender.waits(for: "three changes of keys") { $0.rekeys(with: receiver.address) >= before + 3 }

        // After so many packets: the kernel says that the soft limit has come (XFRM_MSG_EXPIRE).
        try await endCluster(drones)
        try await formCluster(drones, options: "--rekey-packets 1000")
        before = try await sender.status().rekeys(with: receiver.address)
        try await transfer(from: sender, to: receiver, pieces: 48, pause: 0.1)
        try await sender.waits(for: "two changes of keys") { $0.rekeys(with: receiver.address) >= before + 2 }

        // The other side's tyd cannot agree on new keys: the kernel ends the association at twice the soft limit.
        try await endCluster(drones)
        let former = try await sender.sequenceNumbers(to: receiver.address).count
        try await formCluster(drones, options: "--rekey-packets 64")
        #expect(try await sender.reaches(receiver.address))
        try await receiver.machine.succeeds("kill -STOP $(pidof tyd)")
        try await sender.machine.succeeds(
          // The shell's own pause: a program for each takes a slow machine longer than it has until the other is missed.
          "n=0; while [ $n -lt 300 ]; do echo datagram; n=$((n+1)); i=0; while [ $i -lt 60 ]; do i=$((i+1)); done; done "
            + "| timeout 4 nc -u -w 1 \(receiver.address) 6000; true")
        try await receiver.machine.succeeds("kill -CONT $(pidof tyd)")
        for drone in drones { try await drone.waits(for: "both alive") { $0.alive.count == 2 } }
        #expect(try await sender.reaches(receiver.address))
        let numbers = try await sender.sequenceNumbers(to: receiver.address).dropFirst(former)
        #expect(
          numbers.max() == 128, "the last association of 64 packets ended at its hard limit: \(numbers.max() ?? 0)")

        #expect(try await sender.clearFrames(with: receiver.address) == [])
        #expect(try await receiver.clearFrames(with: sender.address) == [])
      }
    }
  }

  /// Sends so many times 64 KiB of random bytes over one TCP connection; what arrives has the same checksum.
  private func transfer(from sender: Drone, to receiver: Drone, pieces: Int, pause: Double) async throws {
    try await receiver.machine.succeeds("{ timeout 200 nc -l -p 6000 </dev/null | md5sum >/tmp/got & }")
    try await sender.machine.succeeds("dd if=/dev/urandom of=/tmp/sent bs=1024 count=64 2>/dev/null")
    let all = "n=0; while [ $n -lt \(pieces) ]; do cat /tmp/sent; n=$((n+1)); "
    let sent = try await sender.machine.output("{ \(all) done; } | md5sum")
    try await sender.machine.succeeds(
      "{ \(all) sleep \(pause); done; } | timeout 200 nc \(receiver.address) 6000", within: .seconds(220))
    let got = try await receiver.machine.output("while pidof nc >/dev/null; do sleep 0.2; done; cat /tmp/got")
    #expect(!sent.isEmpty && got == sent)
  }

  private func endCluster(_ drones: [Drone]) async throws {
    for drone in drones {
      try await drone.machine.succeeds("tyd --stop; while ps | grep -q '[ /][t]yd'; do sleep 0.1; done")
    }
  }
}

extension Drone {
  /// ESP's sequence numbers of the packets to `other` that have crossed the wire.
  fileprivate func sequenceNumbers(to other: String) async throws -> [Int] {
    // `… ESP(spi=0x4a2c6b01,seq=0x11), length 120`
    try await frames("esp and src host \(address) and dst host \(other)").compactMap { line in
      line.split(separator: ",").compactMap { part in
        part.hasPrefix("seq=0x") ? Int(part.dropFirst(6).prefix { $0.isHexDigit }, radix: 16) : nil
      }.first
    }
  }
}
