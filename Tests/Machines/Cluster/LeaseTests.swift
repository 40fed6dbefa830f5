import Foundation
import SystemPackage
import TestCluster
import Testing
import VirtualMachine

/// A lease of a member that boots others, held by another member: what goes between them must be ESP.
@Suite struct LeaseTests {
  @Test(
    "a member renews its lease of another member inside ESP; when no answer comes in time it asks everybody and is heard, before the lease is over"
  )
  func renewal() async throws {
    let capture = FilePath(NSTemporaryDirectory()).appending("lease-\(UUID()).pcap")
    defer { try? FileManager.default.removeItem(atPath: capture.string) }
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withMachineGroup(of: 2) {
        try await withPXEMaster(in: network, capture: capture) { master in
          let card = NetworkCard(on: .tap(try await network.tap("tap1")), address: "52:54:00:00:00:22")
          try await withRootArchive(of: Image.iso) { archive in
            let configuration = MachineConfiguration(
              boot: .kernel(
                try Image.file("pxe/chaos/bzImage"), initramfs: archive,
                commandLine: "\(MachineConfiguration.kernelWords) tyd=any"), cards: [card])
            try await withVirtualMachine(configuration, in: network) { drone in
              try await drone.expectShell()
              try await drone.succeeds(Self.until("tyd --status 2>/dev/null | grep -c alive | grep -q 2", seconds: 60))
              let address = try await drone.address().split(separator: "/").first.map(String.init) ?? ""
              // To agree on keys takes a busy computer a while.
              #expect(try await drone.reaches("192.168.1.11"))
              try await drone.succeeds(
                "mkdir /tmp/l; printf '#!/bin/sh\\necho $1 $ip $lease >>/tmp/l/told\\n' >/tmp/l/told.sh; chmod 755 /tmp/l/told.sh"
              )

              // A client of the ordinary time is told to renew: it asks its server alone.
              try await Self.startClient(drone, "")
              var said = try await Self.told(drone, "bound")
              #expect(said.contains("bound \(address) 86400"), "\(said)")
              let sent = try await Self.clear(capture, from: address).count
              try await drone.succeeds("kill -USR1 $(cat /tmp/l/pid)")
              said = try await Self.told(drone, "renew")
              #expect(said.contains("renew \(address) 86400"), "\(said)")
              #expect(try await Self.clear(capture, from: address).count == sent, "it went as ESP")
              try await drone.succeeds("kill $(cat /tmp/l/pid); rm /tmp/l/told")

              // One of 20 s asks its server at half of it, and after three seconds without an answer everybody.
              try await Self.startClient(drone, "-x lease:20")
              said = try await Self.told(drone, "bound")
              #expect(said.contains("bound \(address) 20"), "\(said)")
              try await drone.run("sleep 7")
              try await master.succeeds("kill -STOP $(pidof tyd-boot); sleep 8; kill -CONT $(pidof tyd-boot)")
              said = try await Self.told(drone, "renew", seconds: 15)
              let events = said.split(separator: "\n").map { $0.prefix { $0 != " " } }
              #expect(events.suffix(2) == ["bound", "renew"], "\(said)")
              #expect(try await drone.reaches("192.168.1.11"))
            }
          }
        }
      }
    }
  }

  private static func startClient(_ drone: VirtualMachine, _ options: String) async throws {
    try await drone.succeeds(
      "{ udhcpc -f -i eth0 -p /tmp/l/pid -s /tmp/l/told.sh \(options) </dev/null >/dev/null 2>&1 & }")
  }

  /// What its script was told, once there is such an event.
  private static func told(_ drone: VirtualMachine, _ event: String, seconds: Int = 10) async throws -> String {
    try await drone.run(until("grep -q \(event) /tmp/l/told", seconds: seconds))
    return try await drone.output("cat /tmp/l/told")
  }

  private static func until(_ condition: String, seconds: Int) -> String {
    "n=0; until \(condition) || [ $n = \(seconds) ]; do sleep 1; n=$((n+1)); done; \(condition)"
  }

  /// DHCP that the drone sent in clear to the master alone.
  private static func clear(_ capture: FilePath, from address: String) async throws -> [String] {
    try await frames(in: capture, "udp port 67 and src host \(address) and dst host 192.168.1.11")
  }
}
