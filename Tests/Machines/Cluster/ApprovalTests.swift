import Foundation
import SystemPackage
import TestCluster
import Testing
import VirtualMachine

/// How a drone that booted from the network becomes a member.
@Suite struct ApprovalTests {
  @Test("a drone from the network's boot ROM waits, shows its key, and is in once a member has approved that key")
  func byFingerprint() async throws {
    _ = try Image.file("pxe/pxelinux.0")
    let capture = FilePath(NSTemporaryDirectory()).appending("approval-\(UUID()).pcap")
    defer { try? FileManager.default.removeItem(atPath: capture.string) }
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await network.serveDHCP([
        "--dhcp-host=52:54:00:00:00:77,192.168.1.77", "--enable-tftp",
        "--tftp-root=\(Image.build.appending("pxe").string)", "--dhcp-boot=pxelinux.0",
      ])
      let tap = try await network.tap("pxe")
      let configuration = MachineConfiguration(
        boot: .network, cards: [.init(on: .tap(tap), address: "52:54:00:00:00:77", capture: capture)])
      try await withDrones(["192.168.1.11"], in: network) { drones in
        let member = drones[0]
        try await member.machine.succeeds("tyd")
        try await withVirtualMachine(configuration, in: network) { joiner in
          try await joiner.expect("boot:")
          joiner.type("\n")
          try await joiner.expectShell()
          #expect(try await joiner.address() == "192.168.1.77/24")
          #expect(try await joiner.run("test -e /run/cluster/ca.key").status != 0)
          // Without the key it is no beginning of a cluster, and changes nothing.
          let table = "ip xfrm policy; cat /proc/sys/net/core/xfrm_acq_expires"
          let before = try await joiner.run(table).output
          let alone = try await joiner.run("tyd")
          #expect(alone.status == 1 && alone.output.contains("it cannot begin one; join with tyd -m"), "\(alone)")
          #expect(try await joiner.run(table).output == before)
          joiner.type("tyd -m 192.168.1.11\n")
          try await joiner.expect("tyd --approve ")
          let shown = try await joiner.expect("\n")

          let waiting = try await member.machine.output("tyd --pending")
          let digits = shown.filter(\.isHexDigit)
          #expect(digits.count == 64 && waiting.contains(digits) && waiting.contains("192.168.1.77"), "\(waiting)")
          #expect(try await member.status().alive == ["192.168.1.11"])
          // Another key than the one that waits lets nobody in.
          let other = String(repeating: "0", count: 64)
          _ = try await member.machine.run("tyd --approve \(other)")
          try await member.machine.run("sleep 3")
          #expect(try await member.status().alive == ["192.168.1.11"])

          try await member.machine.succeeds("tyd --approve \(shown.trimmingCharacters(in: .whitespaces))")
          try await joiner.expectShell()
          try await member.waits(for: "192.168.1.77 alive") { $0.alive == ["192.168.1.11", "192.168.1.77"] }
          #expect(try await member.machine.output("tyd --pending").contains("Nobody"))
          #expect(try await member.reaches("192.168.1.77"))
          #expect(try await joiner.reaches("192.168.1.11"))
          #expect(try await member.clearFrames(with: "192.168.1.77") == [])
        }
      }
    }
  }
}
