import DroneLayout
import Foundation
import SystemPackage
import TestSupport
import Testing
import VirtualMachine
import Workshop

/// PCs with UEFI boot from a tree that `droneforge serve` serves.
@Suite struct NetworkBootTests {
  private static let card = "52:54:00:12:34:56"

  private static func machine(_ firmware: Firmware, _ boot: MachineConfiguration.Boot, on tap: String)
    -> MachineConfiguration
  {
    MachineConfiguration(
      target: .x86_64, firmware: firmware, boot: boot, cards: [NetworkCard(.virtio, on: .tap(tap), address: card)])
  }

  /// Serves the tree while `body` runs, under a name by which its processes are found.
  private func serving(
    _ words: [String], on network: NetworkNamespace, _ body: @escaping @Sendable (ProgramOutput) async throws -> Void
  ) async throws {
    let name = FilePath(NSTemporaryDirectory()).appending("tree-\(UUID())")
    try FileManager.default.createSymbolicLink(
      atPath: name.string, withDestinationPath: Image.file("\(BuiltFile.networkTree)").string)
    defer { try? FileManager.default.removeItem(atPath: name.string) }
    try await network.whileRunningOnNetwork(
      Image.file("bin/droneforge").string,
      ["serve", "--interface", NetworkNamespace.bridge, "--tree", name.string] + words
    ) { output in
      let lines = try await output.lines(until: "Serving until Ctrl-C.")
      #expect(lines.contains("Serving until Ctrl-C."), "\(lines)")
      #expect(try MachineTests.processes(naming: "--tftp-root=\(name)") == 1)
      try await body(output)
    }
    // dnsmasq and the web server have its path among their words.
    #expect(try MachineTests.processes(naming: name.string) == 0)
  }

  @Test(
    "with Secure Boot by TFTP through shim and GRUB, without it by HTTP, and both are shown; when it ends, nothing is left"
  )
  func server() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let tap = try await network.tap()
      try await serving(["--range", "192.168.1.100,192.168.1.150"], on: network) { output in
        try await withVirtualMachine(Self.machine(.secureBoot, .network, on: tap), in: network) { machine in
          try await machine.bootByGRUB("drone")
          #expect(try await machine.output("dmesg | grep secureboot:").contains("Secure boot enabled"))
          #expect(try await machine.output("cat /proc/cmdline").contains("BOOTIF=01:\(Self.card)"))
          #expect(try await machine.address().hasPrefix("192.168.1."))
        }
        var lines = await output.lines
        let asked = lines.first { $0.hasPrefix("\(Self.card) has ") && $0.hasSuffix(" (UEFI of 64 bits)") }
        #expect(asked != nil, "\(lines)")
        for file in [
          "shimx64.efi", "grubx64.efi", "boot/grub/grub.cfg", "chaos/x86_64/bzImage", "chaos/x86_64/chaos.rdz",
        ] {
          #expect(lines.contains { $0.hasSuffix(" has fetched \(file)") }, "\(file) in \(lines)")
        }

        try await withVirtualMachine(Self.machine(.uefi, .http, on: tap), in: network) { machine in
          try await machine.expectShell()
          #expect(try await machine.output("cat /sys/firmware/efi/fw_platform_size") == "64")
          #expect(try await machine.address().hasPrefix("192.168.1."))
        }
        lines = await output.lines
        #expect(lines.contains { $0.hasSuffix(" fetches drone-x64.efi by HTTP") }, "\(lines)")
      }
    }
  }

  @Test("beside another DHCP server one file boots it, and the address is that server's")
  func beside() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let tap = try await network.tap()
      try await network.addRouter()
      try await serving([], on: network) { output in
        try await withVirtualMachine(Self.machine(.uefi, .network, on: tap), in: network) { machine in
          try await machine.expectShell()
          let address = try await machine.address()
          #expect(address.hasPrefix("192.168.1.2"), "\(address)")
          #expect(try await machine.output("route -n | grep '^0.0.0.0'").contains("192.168.1.254"))
        }
        let lines = await output.lines
        #expect(lines.contains("\(Self.card) asks what to boot (UEFI of 64 bits)"), "\(lines)")
        #expect(lines.contains { $0.hasSuffix(" has fetched drone-x64.efi") }, "\(lines)")
      }
    }
  }
}

/// What computers get from the samples that lie in every tree: the real servers, asked by BusyBox's client.
@Suite struct SampleServerTests {
  /// What a client says (architecture, vendor class, iPXE's own options), and the file it is to fetch.
  static let clients: [(says: [String], file: String)] = [
    (["-V", "PXEClient:Arch:00000", "-x", "0x5d:0000"], "pxelinux.0"),
    (["-V", "an old one"], "pxelinux.0"),
    (["-V", "PXEClient:Arch:00006", "-x", "0x5d:0006"], "grubia32.efi"),
    (["-V", "PXEClient:Arch:00007", "-x", "0x5d:0007"], "shimx64.efi"),
    (["-V", "PXEClient:Arch:00009", "-x", "0x5d:0009"], "shimx64.efi"),
    (["-V", "PXEClient:Arch:00000", "-x", "0x5d:0000"] + iPXE, "boot.ipxe"),
    (["-V", "PXEClient:Arch:00007", "-x", "0x5d:0007"] + iPXE, "drone-x64.efi"),
    (["-V", "HTTPClient:Arch:00016", "-x", "0x5d:0010"], "http://192.168.1.11/drone-x64.efi"),
  ]
  /// User class and encapsulated options.
  private static let iPXE = ["-x", "0x4d:69505845", "-x", "0xaf:01"]

  /// Each server in the foreground with a sample at /etc/sample, and nothing of this computer's.
  static let servers: [(sample: String, line: String)] = [
    (
      "dnsmasq.conf",
      "dnsmasq --keep-in-foreground --conf-file=/etc/sample --user=root --group=root --leasefile-ro --no-ping --pid-file="
    ),
    ("dhcpd.conf", ": >/etc/leases; dhcpd -f -cf /etc/sample -lf /etc/leases -pf /etc/process eth0"),
    (
      "kea-dhcp4.conf",
      "export KEA_PIDFILE_DIR=/etc KEA_LOCKFILE_DIR=/etc KEA_LOGGER_DESTINATION=stdout; "
        + #"sed -i 's/"type": "memfile"/"type": "memfile", "persist": false/' /etc/sample; kea-dhcp4 -c /etc/sample"#
    ),
  ]

  @Test("each kind of computer gets its file", arguments: servers.indices)
  func files(_ number: Int) async throws {
    let (sample, line) = Self.servers[number]
    try await withNetworkNamespace(address: "192.168.9.1/24") { network in
      let text = String(
        decoding: try contents(of: checkout.appending("isolinux").appending(sample)), as: UTF8.self)
      try await network.configure("sample", text.replacing("/srv/tftp/drone", with: "/etc"))
      try await network.configure(
        "told", "#!/bin/sh\n[ \"$1\" != bound ] || echo \"$siaddr $boot_file$bootfile $vendor\"\n")
      try await network.run(
        "sh",
        [
          "-c",
          """
          chmod 755 /etc/told
          ip link add eth0 type veth peer name client
          ip address add 192.168.1.11/24 dev eth0
          ip link set eth0 up; ip link set client up
          # The kernel says so a moment later, and Kea opens no socket on a card without a link.
          n=0; until ip -brief link show eth0 | grep -q ' UP ' || [ $n = 50 ]; do sleep 0.1; n=$((n+1)); done
          { \(line); } >/etc/log 2>&1 </dev/null &
          """,
        ])
      for (says, file) in Self.clients {
        let told = try await network.run(
          "busybox",
          ["udhcpc", "-i", "client", "-n", "-q", "-f", "-t", "20", "-T", "1", "-O", "bootfile", "-O", "60"]
            + ["-s", "/etc/told"] + says)
        let vendor = file.hasPrefix("http:") ? "HTTPClient" : ""
        #expect(told.split(separator: "\n").last ?? "" == "192.168.1.11 \(file) \(vendor)", "\(says)")
      }
    }
  }
}

extension NetworkNamespace {
  /// A computer of its own on the bridge, 192.168.1.254, that is DHCP server and gateway.
  fileprivate func addRouter() async throws {
    let server =
      "dnsmasq --conf-file=/dev/null --pid-file= --leasefile-ro --user=root --group=root --port=0 --interface=out "
      + "--bind-interfaces --no-ping --dhcp-authoritative --dhcp-range=192.168.1.20,192.168.1.29,255.255.255.0,10m"
    try await run(
      "sh",
      [
        "-c",
        """
        ip link add in type veth peer name out
        unshare --net sh -c '
          until ip address add 192.168.1.254/24 dev out; do sleep 0.1; done
          ip link set out up
          exec \(server)' >/dev/null 2>&1 </dev/null &
        sleep 0.2
        ip link set out netns $!
        ip link set in master \(Self.bridge) up
        """,
      ])
  }
}
