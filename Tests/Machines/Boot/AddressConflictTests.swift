import Testing
import VirtualMachine

/// An address that somebody else on the wire has already.
@Suite struct AddressConflictTests {
  private static let line = "ip=192.168.1.21::192.168.1.1:255.255.255.0:::"

  @Test("an address that somebody has is reported with its holder, and not taken")
  func early() async throws {
    try await withNetworkNamespace(address: "192.168.1.21/24") { network in
      let tap = try await network.tap()
      let holder = try await network.hardwareAddress()
      let configuration = try Image.direct(Self.line, cards: [.init(.rtl8139, on: .tap(tap))])
      // A probe waits 0.3 s for its answer: beside another machine the emulator may deliver it later.
      try await withMachinesAlone {
        try await withVirtualMachine(configuration, in: network) { machine in
          try await machine.expectShell()
          let log = try await machine.output("cat /run/boot.log")
          #expect(log.contains("eth0 (52:54:00:12:34:56): 192.168.1.21 is in use by \(holder): it is not set"))
          #expect(try await machine.address(seconds: 2) == "")
        }
      }
    }
  }

  /// QEMU's e1000 delivers nothing in the first second after it is switched on. When its link is there at once, all probes
  /// fall into it.
  @Test("behind a card that is deaf at first the holder is heard after the address was set, which is then given up")
  func late() async throws {
    try await withNetworkNamespace(address: "192.168.1.21/24") { network in
      let tap = try await network.tap()
      let holder = try await network.hardwareAddress()
      let configuration = try Image.direct(Self.line, cards: [.init(.e1000, on: .tap(tap))])
      try await withVirtualMachine(configuration, in: network) { machine in
        try await machine.expectShell()
        try await machine.waitForLog("given up")
        let log = try await machine.output("cat /run/boot.log")
        #expect(log.contains("eth0 192.168.1.21/24 static"))
        #expect(log.contains("eth0 (52:54:00:12:34:56): 192.168.1.21 is in use by \(holder): it is given up"))
        #expect(try await machine.output("ip -o -4 addr show eth0") == "")
        #expect(try await machine.run("grep 192.168.1.21 /etc/hosts").status != 0)
      }
    }
  }

  @Test("a lease whose holder is heard late is declined, and the server leases another address")
  func lease() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let tap = try await network.tap()
      let holder = try await network.hardwareAddress()
      // It wakes up after the client looked for 0.3 s and before the last probe.
      try await network.configure(
        "leased", "#!/bin/sh\n[ \"$1 $3\" = 'add 192.168.1.77' ] && sleep 1 && ip address add $3/32 dev lan\nexit 0\n")
      try await network.run("chmod", ["+x", "/etc/leased"])
      try await network.serveDHCP(["--dhcp-host=52:54:00:12:34:56,192.168.1.77", "--dhcp-script=/etc/leased"])
      let configuration = try Image.direct("ip=dhcp", cards: [.init(on: .tap(tap))])
      try await withVirtualMachine(configuration, in: network) { machine in
        try await machine.expectShell()
        try await machine.waitForLog("given up")
        let log = try await machine.output("cat /run/boot.log")
        #expect(log.contains("eth0 192.168.1.77/24 DHCP"))
        #expect(log.contains("192.168.1.77 is in use by \(holder): it is given up; its lease is declined"))
        let address = try await machine.address()
        #expect(address.hasPrefix("192.168.1.1") && address.hasSuffix("/24"), "\(address)")
        #expect(try await machine.output("cat /etc/hosts").contains(address.dropLast(3)))
      }
    }
  }

  @Test("an address that was used for some time stays, and whoever else takes it is reported and told")
  func contested() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let tap = try await network.tap()
      let holder = try await network.hardwareAddress()
      let configuration = try Image.direct(Self.line, cards: [.init(.rtl8139, on: .tap(tap))])
      try await withVirtualMachine(configuration, in: network) { machine in
        try await machine.expectShell()
        // This is what it hears first, and three seconds later the address stands.
        #expect(try await machine.run("ping -c1 -W3 192.168.1.1; sleep 5").status == 0)
        try await network.run("ip", ["address", "add", "192.168.1.21/32", "dev", NetworkNamespace.bridge])
        try await network.announce("192.168.1.21")
        try await machine.waitForLog("too:")
        let log = try await machine.output("cat /run/boot.log")
        #expect(log.contains("192.168.1.21 is in use by \(holder), too: both keep it"))
        #expect(try await machine.address(seconds: 1) == "192.168.1.21/24")
      }
    }
  }

  @Test("another card of the same drone on the same wire is no other holder")
  func ownCards() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let taps = try await [network.tap("tap0"), network.tap("tap1")]
      let cards = taps.map { NetworkCard(.rtl8139, on: .tap($0)) }
      try await withVirtualMachine(try Image.direct(Self.line, cards: cards), in: network) { machine in
        try await machine.expectShell()
        #expect(try await machine.run("ping -c1 -W3 192.168.1.1; sleep 5").status == 0)
        #expect(try await machine.address(seconds: 1) == "192.168.1.21/24")
        #expect(try await machine.run("grep 'in use' /run/boot.log").status != 0)
      }
    }
  }
}

extension VirtualMachine {
  /// Waits up to 20 s of the guest's time until the boot log holds this.
  fileprivate func waitForLog(_ text: String) async throws {
    let wait = "n=0; until grep -q '\(text)' /run/boot.log || [ $n = 20 ]; do sleep 1; n=$((n+1)); done"
    _ = try await run(wait)
  }
}

extension NetworkNamespace {
  /// The bridge's, with which it answers for its addresses.
  fileprivate func hardwareAddress() async throws -> String {
    let words = try await run("ip", ["-o", "link", "show", Self.bridge]).split(separator: " ")
    return String(words.drop { $0 != "link/ether" }.dropFirst().first ?? "no hardware address")
  }

  /// Says to everybody that this address is the bridge's.
  fileprivate func announce(_ address: String) async throws {
    try await run("busybox", ["arping", "-A", "-c", "1", "-I", Self.bridge, address])
  }
}
