import Foundation
import SystemPackage
import Testing
import VirtualMachine
import Workshop

/// Ordinary use, for two minutes or as long as `DRONEFORGE_SOAK_SECONDS` says (`make soak`: ten minutes), with no alarm.
@Suite struct SoakTests {
  static let wanted = ProcessInfo.processInfo.environment["DRONEFORGE_SOAK_SECONDS"].flatMap { Int($0) }
  static let seconds = wanted ?? 120

  @Test("short leases, mounting, ejecting, shells, files and a thousand processes raise no alarm")
  func ordinaryUse() async throws {
    let capture = FilePath(NSTemporaryDirectory()).appending("soak-\(UUID()).pcap")
    defer { try? FileManager.default.removeItem(atPath: capture.string) }
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let tap = try await network.tap()
      try await network.serveShortLeases(first: 60)
      var configuration = try Image.cd(cards: [NetworkCard(on: .tap(tap), capture: capture)])
      configuration.lifetime = .seconds(Self.seconds + 600)
      try await withVirtualMachine(configuration, in: network) { machine in
        let start = ContinuousClock.now
        try await machine.expect("boot:")
        machine.type("drone boot=/dev/cdrom:iso9660\n")
        try await machine.expectShell()
        #expect(try await machine.address() == "192.168.1.60/24")
        try await machine.run(Self.processes, within: .seconds(200))
        #expect(try await machine.run("umount /mnt/boot").status == 0)
        try await machine.waitForPass()
        let before = try await machine.passes()
        var round = 0
        var moved = false
        while ContinuousClock.now - start < .seconds(Self.seconds) {
          for use in Self.uses {
            let answer = try await machine.run(use, within: .seconds(90))
            #expect(answer.status == 0, "\(use): \(answer.output)")
          }
          try await machine.endShells()
          try await machine.run("sleep 5")
          round += 1
          // Another server with other addresses: the old lease is refused, and the drone takes a new one.
          if !moved, ContinuousClock.now - start > .seconds(Self.seconds / 2) {
            moved = true
            try await network.endShortLeases()
            try await network.serveShortLeases(first: 80)
            let wait =
              "n=0; until ip -o -4 addr show eth0 | grep 192.168.1.80 || [ $n = 40 ]; do sleep 1; n=$((n+1)); done"
            #expect(try await machine.run(wait, within: .seconds(90)).output.contains("192.168.1.80/24"))
          }
        }
        // As the HowTo addresses a drone by hand.
        for command in ["ifconfig eth0 192.168.1.21", "route add -net 0.0.0.0 gw 192.168.1.1", "fix_hosts"] {
          #expect(try await machine.run(command).status == 0)
        }
        try await machine.run("sleep 5")
        let status = try await machine.run("certaintyd --status")
        #expect(status.status == 0, "\(status.output)")
        let passes = try await machine.passes() - before
        let asked = try await network.leases(in: capture)
        let ran = (ContinuousClock.now - start).components.seconds
        print("\(round) rounds in \(ran) s: \(passes) passes, \(asked) renewals. \(status.output)")
        // One pass in 2 s and one renewal in 10 s, with room for a slow computer.
        #expect(passes >= (Int(ran) - 35) / 4)
        #expect(asked >= Int(ran) / 25)
        #expect(moved)
        #expect(machine.alarms.console.isEmpty)
        #expect(machine.alarms.kernel.isEmpty)
        #expect(try await machine.run("certaintyd --once").status == 0)
      }
    }
  }

  /// A thousand processes, one after the other.
  static let processes = "i=0; while [ $i -lt 1000 ]; do /bin/true & wait; i=$((i+1)); done"

  /// What people do on a drone; each ends with exit status 0.
  static let uses = [
    "fix_hosts",
    "mount -t iso9660 -o ro /dev/sr0 /mnt/boot && ls -l /mnt/boot/chaos && umount /mnt/boot",
    "mount -t iso9660 -o ro /dev/sr0 /mnt/boot && eject && sleep 1 && eject -t",
    "mount -t tmpfs none /mnt && mkdir /mnt/disk && echo text > /mnt/disk/file && umount /mnt",
    "ifconfig && ifconfig eth0 && ifconfig lo 127.0.0.1 && route -n && ip addr && arp",
    "hostname && cat /etc/hosts /etc/resolv.conf",
    "ping -c1 -W3 192.168.1.1",
    "for n in 1 2 3 4 5 6 7 8; do sh -c 'sh -c true'; done",
    "cp /bin/busybox /tmp/copy && chmod 700 /tmp/copy && chown daemon /tmp/copy && mv /tmp/copy /run/copy && rm /run/copy",
    "mkdir -p /run/work/a/b && ln -s a /run/work/c && touch /run/work/d && rm -r /run/work",
    "dd if=/dev/zero of=/tmp/full bs=64k; df; rm /tmp/full",
    "find / -xdev -type f -exec cat {} + | sha256sum",
    "ls -lR /etc /bin /sbin /root | wc -l; ps; top -bn1; free; dmesg | tail -n 3; lsof | wc -l",
    "cd /tmp && tar -cf etc.tar /etc && gzip etc.tar && tar -tzf etc.tar.gz && rm etc.tar.gz; cd /",
    "logger soak; sysctl net.ipv4.ip_forward; date; uptime",
    "mount -t proc proc /mnt/boot && umount /mnt/boot",
  ]
}

extension VirtualMachine {
  /// Ends the shell of this console and takes the new one; in the middle of a session as well as by its signal.
  fileprivate func endShells() async throws {
    try await enter("exit")
    type("kill -9 $$\n")
    try await expectShell()
  }
}

extension NetworkNamespace {
  /// BusyBox's DHCP server with leases of 20 s (dnsmasq refuses any under two minutes), for one address: 192.168.1.`first`.
  fileprivate func serveShortLeases(first: Int) async throws {
    try await configure(
      "udhcpd.conf",
      """
      interface \(Self.bridge)
      start 192.168.1.\(first)
      end 192.168.1.\(first + 9)
      lease_file /etc/udhcpd.leases
      pidfile /etc/udhcpd.pid
      min_lease 10
      option lease 20
      option subnet 255.255.255.0
      option router 192.168.1.1
      option dns 192.168.1.1

      """)
    try await configure("udhcpd.leases", "")
    try await run("busybox", ["udhcpd", "/etc/udhcpd.conf"])
  }

  fileprivate func endShortLeases() async throws {
    try await run("sh", ["-c", "kill $(cat /etc/udhcpd.pid)"])
  }

  /// How many requests for a lease (DHCP message type 3) a capture holds.
  fileprivate func leases(in capture: FilePath) async throws -> Int {
    let text = try await Command("tcpdump", ["-nv", "-r", capture.string, "udp dst port 67"]).output()
    return String(decoding: text, as: UTF8.self).split(separator: "\n").count {
      $0.contains("Request") && $0.contains("DHCP-Message")
    }
  }
}
