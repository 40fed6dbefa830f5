import Foundation
import SystemPackage
import Testing
import VirtualMachine

/// A drone's logs die with its memory: what it says is kept by others.
@Suite struct LogTests {
  @Test("kernel, init, tyd and people are heard by the host that syslog= names, certaintyd's alarm last of all")
  func syslog() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      // The lease names this server for names, too.
      try await network.run(
        "dnsmasq",
        [
          "--conf-file=/dev/null", "--pid-file=", "--dhcp-leasefile=/etc/leases", "--user=root", "--group=root",
          "--interface=\(NetworkNamespace.bridge)", "--bind-interfaces", "--no-ping", "--no-resolv", "--no-hosts",
          "--dhcp-authoritative", "--dhcp-range=192.168.1.100,192.168.1.150,255.255.255.0,10m",
          "--address=/log.lab/192.168.1.1",
        ])
      try await network.receive(on: 514)
      let card = NetworkCard(.rtl8139, on: .tap(try await network.tap("tap0")))
      try await withVirtualMachine(try Image.cd(cards: [card]), in: network) { machine in
        try await machine.expect("boot:")
        machine.type("first syslog=log.lab\n")
        try await machine.expectShell()
        #expect(try await machine.run("logger said-by-hand").status == 0)
        for text in [
          "Linux version", "drone: ", "filter      ok", "192.168.1.1:514", "tyd: ", "is in, the first node",
          "said-by-hand",
        ] {
          #expect(try await network.received(text), "\(text)")
        }
        // Nobody else gets anything.
        try await machine.run("echo x | nc -u -w1 192.168.1.1 515")
        #expect(try await machine.run("dmesg | grep -q 'drop out .*DPT=515'").status == 0)
        try await machine.run("killall certaintyd; { certaintyd --delay 0 >/dev/null 2>&1 </dev/null & }")
        try await machine.run("sleep 3")
        machine.type("touch /etc/passwd\n")
        #expect(try await machine.waitForEnd() == .reset)
        #expect(try await network.received("certaintyd: /etc/passwd"))
      }
    }
  }

  @Test("a kernel that panics shows it for ten seconds, tells netconsole= of it, and restarts")
  func panic() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await network.receive(on: 6666)
      let card = NetworkCard(.rtl8139, on: .tap(try await network.tap("tap0")))
      let words = "console=tty0 ip=192.168.1.21::192.168.1.1:255.255.255.0::: netconsole=@192.168.1.21/,@192.168.1.1/"
      try await withVirtualMachine(try Image.direct(words, cards: [card]), in: network) { machine in
        try await machine.expectShell()
        try await machine.run("echo '<6>said-to-the-kernel' >/dev/kmsg")
        for text in ["Linux version", "said-to-the-kernel"] { #expect(try await network.received(text), "\(text)") }
        machine.type("echo c >/proc/sysrq-trigger\n")
        try await machine.expect("Kernel panic - not syncing")
        let start = ContinuousClock.now
        try await Task.sleep(for: .seconds(5))
        #expect(try await machine.screen().contains("Kernel panic - not syncing"))
        #expect(try await machine.waitForEnd() == .reset)
        let shown = ContinuousClock.now - start
        print("The panic was shown for \(shown).")
        #expect(shown > .seconds(9) && shown < .seconds(30))
        #expect(try await network.received("Kernel panic - not syncing: sysrq triggered crash"))
      }
    }
  }
}

extension NetworkNamespace {
  /// Keeps what comes in by UDP on a port in a file.
  fileprivate func receive(on port: Int) async throws {
    let program = """
      use Socket;
      use IO::Handle;
      socket(my $in, PF_INET, SOCK_DGRAM, 0) or die;
      bind($in, pack_sockaddr_in(\(port), INADDR_ANY)) or die;
      open(my $out, ">>", "/etc/received") or die;
      $out->autoflush(1);
      while (defined recv($in, my $line, 65536, 0)) { print $out "$line\\n"; }
      """
    try await configure("receive.pl", program)
    try await run("sh", ["-c", "perl /etc/receive.pl </dev/null >/dev/null 2>&1 &"])
  }

  /// Whether the text has come; waits up to ten seconds for it.
  fileprivate func received(_ text: String) async throws -> Bool {
    for _ in 0..<50 {
      let bytes = FileManager.default.contents(atPath: configuration.appending("received").string) ?? Data()
      if String(decoding: bytes, as: UTF8.self).contains(text) { return true }
      try await Task.sleep(for: .milliseconds(200))
    }
    return false
  }
}
