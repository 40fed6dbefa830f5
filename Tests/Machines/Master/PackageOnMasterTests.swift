import Testing
import VirtualMachine

/// The package as an operator has it: installed by dpkg, started by systemd, beside a firewall of the machine's own.
@Suite struct PackageOnMasterTests {
  @Test(
    "dpkg installs the package; systemd starts tyd with no power but over the network's settings, again when it was killed; without the package there is no trace of it"
  )
  func service() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let tap = try await network.tap()
      try await withMaster(
        package: Master.package, files: try Master.freshCredential(), processOne: .systemd,
        card: .init(.virtio, on: .tap(tap)),
        in: network
      ) { machine in
        try await machine.expectShell()
        let before = try await machine.output("nft list ruleset")
        try await machine.succeeds("dpkg -i /root/package.deb")
        #expect(try await machine.output("dpkg-query -W -f '${db:Status-Status}' tyd") == "installed")
        #expect(try await machine.output("systemctl is-active tyd") == "inactive", "nobody has started it")

        try await machine.succeeds("systemctl start tyd")
        try await machine.run("n=0; until tyd --status >/dev/null 2>&1 || [ $n = 20 ]; do sleep 0.5; n=$((n+1)); done")
        #expect(try await machine.output("systemctl is-active tyd") == "active")
        #expect(try await machine.output("tyd --status").contains("192.168.1.11"))
        // CAP_NET_ADMIN is the 12th (capability.h); no new privileges; a filter of system calls.
        let process = try await machine.output("cat /proc/$(pidof tyd)/status")
        for line in ["CapEff:\t0000000000001000", "CapBnd:\t0000000000001000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
          #expect(process.contains(line), "\(process)")
        }
        print(try await machine.output("systemd-analyze security --no-pager tyd.service | tail -n 1"))
        #expect(try await network.succeeds("busybox", ["nc", "-w", "3", "192.168.1.11", "3278", "-e", "/bin/true"]))

        let first = try await machine.output("pidof tyd")
        try await machine.succeeds("kill -9 $(pidof tyd)")
        try await machine.run("n=0; until tyd --status >/dev/null 2>&1 || [ $n = 30 ]; do sleep 0.5; n=$((n+1)); done")
        #expect(try await machine.output("tyd --status").contains("192.168.1.11"))
        #expect(try await machine.output("pidof tyd") != first)

        try await machine.succeeds("systemctl stop tyd")
        #expect(try await machine.run("pidof tyd").status != 0)
        // What keeps packets to members out of the clear stays until the package goes, or somebody says so.
        #expect(try await machine.output("nft list ruleset") != before)
        #expect(try await machine.run("test -e /run/tyd/map").status == 0)
        try await machine.succeeds("tyd --stop")
        #expect(try await machine.output("nft list ruleset") == before)
        #expect(try await machine.output("ip xfrm policy") == "")
        try await machine.succeeds("systemctl start tyd")
        try await machine.run("n=0; until tyd --status >/dev/null 2>&1 || [ $n = 20 ]; do sleep 0.5; n=$((n+1)); done")
        try await machine.succeeds("systemctl stop tyd; dpkg -r tyd")
        #expect(try await machine.output("nft list ruleset") == before)
        #expect(try await machine.output("ip xfrm policy") == "")
        #expect(try await machine.run("test -e /usr/sbin/tyd").status != 0)
        #expect(try await machine.run("test -e /etc/tyd/ca.key").status == 0, "the cluster's key stays")
      }
    }
  }

  @Test(
    "rules of the machine's own that keep the cluster out are found and named; -f off removes what tyd added and nothing else"
  )
  func firewall() async throws {
    let closed = Master.firewall(["tcp dport 22 accept", "tcp dport 3278 drop", "meta l4proto esp drop"])
    try await withMaster(
      firewall: closed, package: Master.package, files: try Master.freshCredential(), card: .init(.virtio, on: .silent)
    ) { machine in
      try await machine.expectShell()
      let before = try await machine.output("nft list ruleset")
      let started = try await machine.run("tyd")
      #expect(started.status == 0)
      for traffic in ["new connections to TCP port 3278", "ESP"] {
        #expect(
          started.output.contains("table inet operator, chain input drops \(traffic)"), "\(started.output)")
      }
      #expect(try await machine.output("nft list ruleset") != before)
      try await machine.succeeds("tyd -f off")
      #expect(try await machine.output("nft list ruleset") == before)
      try await machine.succeeds("tyd -f on")
      #expect(try await machine.output("nft list ruleset") != before)
      try await machine.succeeds("tyd --leave; n=0; while pidof tyd && [ $n -lt 50 ]; do sleep 0.1; n=$((n+1)); done")
      #expect(try await machine.output("nft list ruleset") == before)
    }
  }
}
