import Addresses
import Testing

@testable import Reporting

@Suite struct GreetingTests {
  private static let key = Array("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".utf8)
  private static let standings: [NodeStanding] = [
    .outside, .silent, .joining, .pending(key: key), .member(id: 0x0115, nodes: 3), .member(id: 0xFFFF, nodes: 1000),
  ]

  private func lines(_ greeting: Greeting) -> [String] {
    String(decoding: greeting.text, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test("a drone in its cluster says so, and how others join")
  func member() {
    let greeting = Greeting(
      name: Array("chaos-c0a80115".utf8), addresses: [IPv4Address(192, 168, 1, 21)],
      cluster: .member(id: 0x0115, nodes: 3), root: .watched)
    #expect(
      String(decoding: greeting.text, as: UTF8.self) == """

        Drone      chaos-c0a80115
        Address    192.168.1.21
        Cluster    0x0115 is in, 3 nodes; others join by: tyd -m 192.168.1.21
        Network    no remote shell; wget, nc and their like reach members only
        Root       any change restarts the drone; to make one: killall certaintyd
        Boot log   /run/boot.log, dmesg        End   reboot, halt, poweroff

        """)
  }

  @Test(
    "the cluster's line says how the drone stands and what to do",
    arguments: [
      (.outside, "Cluster    not in one: tyd starts one; tyd -m ADDRESS, or tyd -m any, joins one"),
      (.silent, "Cluster    tyd runs and does not answer; /run/tyd/log tells why"),
      (.joining, "Cluster    tyd is on its way into one: tyd --status, /run/tyd/log"),
      (.pending(key: key), "Cluster    on a member that may admit: tyd --approve 0123456789abcdef"),
      (.member(id: 1, nodes: 1), "Cluster    0x0001 is in, 1 node"),
    ] as [(NodeStanding, String)])
  func cluster(_ standing: NodeStanding, _ expected: String) {
    #expect(lines(Greeting(name: [], addresses: [], cluster: standing, root: .watched))[2] == expected)
  }

  @Test("without an address it says how to set one; without a filter it promises nothing about the network")
  func without() {
    let lines = lines(Greeting(name: [], addresses: [], cluster: .outside, root: .unwatched, isFiltered: false))
    #expect(lines[1] == "Address    none yet; by hand: ifconfig eth0 ADDRESS; fix_hosts")
    #expect(lines[3] == "Network    no remote shell; the packet filter was left off")
    #expect(lines[4] == "Root       not watched: certaintyd does not run")
  }

  @Test(
    "it is at most six lines of at most 79 columns, whatever the name, and steers no terminal",
    arguments: [0, 1, 2, 9], RootWatchState.allCases)
  func size(_ count: Int, _ root: RootWatchState) {
    let addresses = [IPv4Address](repeating: IPv4Address(192, 168, 100, 121), count: count)
    let name = Array("a-very-long-name-of-a-drone-that-goes-on-and-on-and-on-and-on-and-on-and-on\u{1B}[31m".utf8)
    for standing in Self.standings {
      let lines = lines(Greeting(name: name, addresses: addresses, cluster: standing, root: root))
      #expect(lines.count == 6)
      #expect(lines.allSatisfy { $0.count <= 79 && $0.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } })
      #expect(lines[1].contains("192.168.100.121") == (count > 0))
    }
  }

  @Test("what tyd says of itself is read as it was meant", arguments: standings.dropFirst(2))
  func roundTrip(_ standing: NodeStanding) {
    #expect(NodeStanding(standing.text) == standing)
  }

  @Test(
    "anything else counts as no answer",
    arguments: [
      "", " ", "member", "member 1", "member 65536 1", "member 1 -1", "pending", "pending 12ab", "in", "\u{0}",
    ])
  func garbage(_ text: String) {
    #expect(NodeStanding(Array(text.utf8)) == .silent)
  }
}
