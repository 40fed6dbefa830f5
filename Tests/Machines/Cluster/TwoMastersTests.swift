import Foundation
import Image
import SystemPackage
import Testing
import VirtualMachine
import Workshop

/// Two operators' machines with IPv6 beside the IPv4 that a cluster is by.
@Suite struct TwoMastersTests {
  @Test(
    "between two full Linuxes IPv4 goes as ESP and IPv6 not at all, while others reach both by IPv6; when one has left and an operator says so, IPv6 goes as before"
  )
  func twoMasters() async throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("masters-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    let capture = folder.appending("wire.pcap")
    let credential = try Master.freshCredential()
    let firewall = Master.firewall(Master.openings + ["meta l4proto ipv6-icmp accept"])
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await network.run("ip", ["address", "add", "fd00:1::1/64", "dev", NetworkNamespace.bridge, "nodad"])
      let taps = try await [network.tap("tap0"), network.tap("tap1")]
      try await withMachineGroup(of: 2) {
        try await withMaster(
          firewall: firewall, package: Master.package, files: credential,
          card: .init(.virtio, on: .tap(taps[0]), address: "52:54:00:00:00:11", capture: capture), in: network
        ) { first in
          try await withMaster(
            address: "192.168.1.12/24", firewall: firewall, package: Master.package, files: credential,
            card: .init(.virtio, on: .tap(taps[1]), address: "52:54:00:00:00:12"), in: network
          ) { second in
            for (machine, address) in [(first, "fd00:1::11"), (second, "fd00:1::12")] {
              try await machine.expectShell()
              try await machine.succeeds("ip address add \(address)/64 dev eth0 nodad")
            }
            let asks = "nc -w 3 fd00:1::11 22 </dev/null"
            #expect(try await second.output(asks) == "hello", "before there is a cluster")
            try await second.succeeds("ping -c1 -W3 fd00:1::11")

            try await first.succeeds("tyd")
            try await second.succeeds("tyd -m 192.168.1.11")
            for machine in [first, second] {
              try await machine.waits(for: "both alive") { $0.components(separatedBy: "\"alive\"").count == 3 }
            }
            #expect(try await second.output("nc -w 5 192.168.1.11 22 </dev/null") == "hello")
            #expect(try await first.output("nc -w 5 192.168.1.12 22 </dev/null") == "hello")
            #expect(try await second.reaches("192.168.1.11"))
            try await first.succeeds(
              "n=0; until nft list set inet tyd others6 | grep -q fd00:1::12 || [ $n = 20 ]; do sleep 1; n=$((n+1)); done; "
                + "nft list set inet tyd others6 | grep -q fd00:1::12")
            #expect(try await second.output("nft list set inet tyd others6").contains("fd00:1::11"))
            let seen = try await frames(in: capture, Self.between).count
            #expect(seen > 0, "what went before is in the capture")
            #expect(try await !second.output(asks).contains("hello"))
            #expect(try await !first.output("nc -w 3 fd00:1::12 22 </dev/null").contains("hello"))
            #expect(try await second.run("ping -c1 -W2 fd00:1::11").status != 0)
            #expect(try await first.run("ping -c1 -W2 fd00:1::12").status != 0)
            // From the address that the link gives itself, too.
            let link =
              try await first.output("ip -o -6 address show dev eth0 scope link | tr -s ' ' | cut -d' ' -f4")
              .split(separator: "/").first ?? ""
            #expect(try await second.run("ping -c1 -W2 -I eth0 \(link)").status != 0, "\(link)")
            #expect(try await frames(in: capture, Self.between).count == seen, "none of it left")

            for address in ["fd00:1::11", "fd00:1::12"] {
              #expect(try await network.hears(address, 22), "\(address)")
              #expect(try await network.succeeds("busybox", ["ping6", "-c1", "-W3", address]))
            }

            try await second.succeeds("tyd --leave; while ps | grep -q '[ /][t]yd'; do sleep 1; done")
            // Whoever makes a member look gone must not read what goes to it.
            #expect(try await !second.output(asks).contains("hello"), "its addresses are kept")
            try await first.succeeds("tyd --release 192.168.1.12")
            #expect(try await second.output(asks) == "hello", "after it has left, and an operator said so")
          }
        }
      }
    }
    #expect(try await !frames(in: capture, "esp").isEmpty)
    let clear = try await frames(
      in: capture,
      "ip host 192.168.1.11 and ip host 192.168.1.12 and not esp and not tcp port 3278 and not udp port 2727")
    #expect(clear == [])
  }

  /// What goes between the two by IPv6, but for neighbour discovery (RFC 4861 §4: ICMPv6 types 133 to 137).
  private static let between =
    "ip6 and ether host 52:54:00:00:00:11 and ether host 52:54:00:00:00:12 "
    + "and not (icmp6 and ip6[40] >= 133 and ip6[40] <= 137)"
}
