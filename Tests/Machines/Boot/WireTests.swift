import Testing
import VirtualMachine

/// Real servers on a wire of their own, and what a stranger on that wire sees of a drone.
@Suite struct WireTests {
  @Test("DHCP: address, gateway, names; and the filter answers no ping and no connection")
  func dhcp() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let tap = try await network.tap()
      try await network.serveDHCP([
        "--dhcp-host=52:54:00:12:34:56,192.168.1.77,drone7", "--dhcp-option=option:dns-server,192.168.1.53",
        "--dhcp-option=option:domain-name,lab.example",
      ])
      let configuration = try Image.direct("", cards: [.init(on: .tap(tap))])
      try await withVirtualMachine(configuration, in: network) { machine in
        try await machine.expectShell()
        #expect(try await machine.address() == "192.168.1.77/24")
        #expect(try await machine.output("route -n | grep '^0.0.0.0'").contains("192.168.1.1"))
        #expect(try await machine.output("cat /etc/resolv.conf").contains("nameserver 192.168.1.53"))
        #expect(try await machine.output("hostname") == "drone7")
        #expect(try await machine.output("grep drone7 /etc/hosts").hasPrefix("192.168.1.77"))
        // The drone asks, the world may not.
        #expect(try await machine.run("ping -c1 -W3 192.168.1.1").status == 0)
        machine.type("for p in 22 80 3278; do echo hello | nc -l -p $p & done\n")
        try await machine.expectShell()
        #expect(!(try await network.answersPing("192.168.1.77")))
        for port in [22, 80, 3278] { #expect(!(try await network.hears("192.168.1.77", port)), "port \(port)") }
      }
    }
  }

  @Test("filter=off leaves the drone open, so that the test above means something")
  func open() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let tap = try await network.tap()
      let configuration = try Image.direct("filter=off ip=192.168.1.21", cards: [.init(on: .tap(tap))])
      try await withVirtualMachine(configuration, in: network) { machine in
        try await machine.expectShell()
        #expect(try await machine.address() == "192.168.1.21/24")
        machine.type("echo hello | nc -l -p 80 &\n")
        try await machine.expectShell()
        #expect(try await network.answersPing("192.168.1.21"))
        #expect(try await network.hears("192.168.1.21", 80))
      }
    }
  }

  @Test("BOOTP: dnsmasq answers a question without DHCP's message type", arguments: ["ip=bootp", "ip=::::::bootp"])
  func bootp(_ words: String) async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let tap = try await network.tap()
      try await network.serveDHCP(["--bootp-dynamic", "--dhcp-host=52:54:00:12:34:56,192.168.1.78"])
      try await withVirtualMachine(try Image.direct(words, cards: [.init(on: .tap(tap))]), in: network) { machine in
        try await machine.expectShell()
        #expect(try await machine.address() == "192.168.1.78/24")
      }
    }
  }

  @Test("RARP: rarpd gives the address, the address's class the netmask", arguments: ["ip=rarp", "ip=any"])
  func rarp(_ words: String) async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let tap = try await network.tap()
      try await network.serveRARP()
      try await withVirtualMachine(try Image.direct(words, cards: [.init(on: .tap(tap))]), in: network) { machine in
        try await machine.expectShell()
        #expect(try await machine.address() == "192.168.1.30/24")
      }
    }
  }

  @Test("a card that refuses the MTU of ip= is used with its own, and the line that says so names both")
  func refusedMTU() async throws {
    let words = "ip=10.0.2.21::10.0.2.2:255.255.255.0::eth0:off:9000"
    let configuration = try Image.direct(words, cards: [NetworkCard(.pcnet, on: .user())])
    try await withVirtualMachine(configuration) { machine in
      try await machine.expectShell()
      #expect(try await machine.address() == "10.0.2.21/24")
      #expect(
        try await machine.run("grep MTU /run/boot.log").output.contains("does not take the MTU 9000 and keeps 1500"))
      #expect(try await machine.run("ifconfig eth0").output.contains("MTU:1500"))
    }
  }

  @Test("of two cards the one whose network has a server gets the address")
  func twoCards() async throws {
    let cards = [NetworkCard(.rtl8139, on: .silent), NetworkCard(.e1000, on: .user())]
    try await withVirtualMachine(try Image.direct("", cards: cards)) { machine in
      try await machine.expectShell()
      let both = "{ ip -o -4 addr show eth0; ip -o -4 addr show eth1; }"
      let wait = "n=0; until \(both) | grep 10.0.2 || [ $n = 25 ]; do sleep 1; n=$((n+1)); done"
      #expect(try await machine.run(wait).output.contains("10.0.2.15/24"))
      // Which of the two is eth0 is the kernel's choice; the card with the server is the second one.
      let card = try await machine.output("ip -o -4 addr | awk '/10.0.2.15/ { print $2 }'")
      #expect(try await machine.output("cat /sys/class/net/\(card)/address") == "52:54:00:12:34:57")
    }
  }

  @Test(
    "a wrong ip= is named in one line, and the shell comes",
    arguments: [
      ("ip=192.168.1.300::192.168.1.1:255.255.255.0:::", "192.168.1.300"),
      ("ip=192.168.1.21::192.168.9.1:255.255.255.0:::", "192.168.9.1"),
      ("ip=192.168.1.21:::::eth7", "eth7"),
    ])
  func wrong(_ words: String, _ named: String) async throws {
    try await withVirtualMachine(try Image.direct(words, cards: [.init(on: .silent)])) { machine in
      try await machine.expectShell()
      #expect(try await machine.output("grep -c '\(named)' /run/boot.log") != "0")
    }
  }

  @Test("nobody answers: the shell is there within 10 s of init's start")
  func silence() async throws {
    try await withVirtualMachine(try Image.direct("", cards: [.init(on: .silent)])) { machine in
      try await machine.expectShell()
      let times = try await machine.output("cat /run/boot.log").split(separator: "\n").compactMap { line in
        Double(line.split(separator: " ").first ?? "")
      }
      let first = try #require(times.first)
      let last = try #require(times.last)
      #expect(last - first < 10, "\(first) s to \(last) s")
    }
  }

  /// The 82551's receiver needs microcode that is not free, and the kernel for a Pentium has no driver for cards on USB.
  static let freeCards = NetworkCard.Model.allCases.filter { $0 != .i82551 && $0 != .usb }

  @Test("a card whose firmware is not free is named, with its driver and the file")
  func firmware() async throws {
    try await withVirtualMachine(try Image.direct("ip=dhcp", cards: [.init(.i82551, on: .user())])) { machine in
      try await machine.expectShell()
      let named = try await machine.output("grep firmware /run/boot.log")
      #expect(named.contains("eth0") && named.contains("e100/d102e_ucode.bin"))
    }
  }

  /// The card on the ISA bus has a machine of its own: its interrupt would be one of the PCI bus's.
  @Test("each kind of card carries packets", arguments: [freeCards.filter { $0 != .ne2000ISA }, [.ne2000ISA]])
  func card(_ models: [NetworkCard.Model]) async throws {
    // Each is on a network of its own with the same numbers, so one after the other is up.
    let cards = models.enumerated().map { index, model in
      NetworkCard(model, on: .user(), address: "52:54:00:00:00:\(10 + index)")
    }
    try await withVirtualMachine(try Image.direct("ip=off", cards: cards)) { machine in
      try await machine.expectShell()
      for card in cards {
        let answer = try await machine.run(
          """
          n=20; d=$(grep -l \(card.address ?? "") /sys/class/net/*/address) && d=${d%/address} && d=${d##*/} && \
          ifconfig $d 10.0.2.15 netmask 255.255.255.0 && n=0 && \
          until ping -c1 -W1 10.0.2.2 || [ $n = 20 ]; do sleep 1; n=$((n+1)); done; ifconfig $d down; [ $n -lt 20 ]
          """)
        #expect(answer.status == 0, "\(card.model.rawValue): \(answer.output)")
      }
    }
  }
}
