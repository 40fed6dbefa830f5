import Testing
import VirtualMachine
import Workshop

/// What can be seen on the wire of a cluster, and what a stranger on it finds.
@Suite struct WireOfClusterTests {
  @Test("ping, TCP and UDP between members cross the wire as ESP alone")
  func onlyESP() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withDrones(["192.168.1.11", "192.168.1.21", "192.168.1.22"], in: network) { drones in
        try await formCluster(drones)
        for drone in drones {
          for other in drones where other.address != drone.address {
            #expect(try await drone.reaches(other.address), "\(drone.address) to \(other.address)")
          }
        }
        let (sender, receiver) = (drones[0], drones[2])
        try await receiver.machine.succeeds(
          "{ timeout 60 nc -l -u -p 6000 </dev/null >/tmp/udp & timeout 60 nc -l -p 6000 </dev/null >/tmp/tcp & }")
        try await sender.machine.succeeds(
          "{ echo datagram; sleep 1; } | timeout 3 nc -u \(receiver.address) 6000; true")
        try await sender.machine.succeeds("dd if=/dev/urandom of=/tmp/sent bs=1024 count=1024 2>/dev/null")
        try await sender.machine.succeeds("timeout 50 nc \(receiver.address) 6000 </tmp/sent")
        let sent = try await sender.machine.output("md5sum </tmp/sent")
        let got = try await receiver.machine.output("sleep 1; md5sum </tmp/tcp; cat /tmp/udp")
        #expect(got.contains(sent) && got.contains("datagram"))

        for drone in drones {
          #expect(try await !drone.frames("esp").isEmpty)
          for other in drones where other.address != drone.address {
            #expect(try await drone.clearFrames(with: other.address) == [])
          }
        }
      }
    }
  }

  @Test("a stranger's scan finds TCP 3278 and nothing else, and no echo is answered")
  func stranger() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withDrones(["192.168.1.11", "192.168.1.21"], in: network) { drones in
        try await formCluster(drones)
        #expect(try await !network.answersPing("192.168.1.11"))
        // Nobody answers on a closed port, so the scan is told not to wait long nor to ask twice.
        let scan = try await network.runOnNetwork(
          "nmap",
          [
            "-n", "-Pn", "-sS", "-p", "1-65535", "--min-rate", "4000", "--max-retries", "1", "--host-timeout", "150s",
            "-oG", "-", "192.168.1.11",
          ])
        let open = scan.split(separator: "\n").filter { $0.contains("/open/") }
        #expect(open.count == 1 && open[0].contains("3278/open/tcp"), "\(scan)")
        let udp = try await network.runOnNetwork(
          "nmap",
          [
            "-n", "-Pn", "-sU", "-p", "7,53,67-69,111,123,137,161,500,514,520,1900,2049,2727,2728,3278,4500,5353",
            "--max-retries", "1", "--host-timeout", "60s", "-oG", "-", "192.168.1.11",
          ])
        #expect(!udp.contains("/open/udp") && !udp.contains("/closed/"), "\(udp)")
        // What the stranger tried has not hurt the cluster.
        #expect(try await drones[1].reaches("192.168.1.11"))
      }
    }
  }
}
