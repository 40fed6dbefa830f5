import Addresses
import NodeStatus
import ClusterStore
import Foundation
import SystemPackage
import TestCluster
import Testing
import VirtualMachine
import Workshop

/// A drone that boots others over the network, with no other server and beside one.
@Suite struct PXEMasterTests {
  private static let master = "192.168.1.11"

  private func nodes(_ status: String) throws -> [NodeStatus.Node] {
    let line = status.split(separator: "\n").first { $0.hasPrefix("{") } ?? ""
    return try NodeStatus(json: [UInt8](line.utf8)).nodes
  }

  /// Starts a computer without a disk, approves it, and gives its node once it is in.
  private func bootOther(
    _ master: VirtualMachine, at address: String = Self.master, in network: NetworkNamespace, tap: String,
    _ body: (VirtualMachine, NodeStatus.Node) async throws -> Void
  ) async throws {
    let configuration = MachineConfiguration(
      boot: .network, cards: [.init(on: .tap(tap), address: "52:54:00:00:00:22")])
    try await withVirtualMachine(configuration, in: network) { other in
      try await other.expect("boot:", within: .seconds(90))
      other.type("\n")
      try await other.expectShell(within: .seconds(120))
      try await other.succeeds(
        "n=0; until grep -q 'approval' /run/tyd/log || [ $n = 40 ]; do sleep 1; n=$((n+1)); done; grep -q approval /run/tyd/log"
      )
      // Its own status says what is missing, and where it is to be typed.
      #expect(
        try await other.output("tyd --status").contains(
          "waits    its key must be approved. On a member that may admit: tyd --approve "))
      let waiting = try await master.output("tyd --pending")
      let key = String(waiting.split(whereSeparator: \.isWhitespace).first { $0.count == 64 } ?? "")
      let shown = try await other.output("grep approve /run/tyd/log").filter { $0 != ":" && $0 != "-" }
      #expect(shown.contains(key), "the key that its console shows")
      try await master.succeeds("tyd --approve \(key)")
      let status = try await master.waits(for: "two alive") {
        (try? nodes($0).filter { $0.state == .alive }.count) == 2
      }
      let node = try #require(try nodes(status).first { $0.address != IPv4Address(text: address.utf8) })
      try await other.waits(for: "two alive") { (try? nodes($0).filter { $0.state == .alive }.count) == 2 }
      try await body(other, node)
    }
  }

  @Test(
    "a bare PC boots from a drone, is approved, joins by itself, is missed when it is switched off, and comes again as it was"
  )
  func army() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withMachineGroup(of: 2) {
        try await withPXEMaster(in: network) { master in
          let tap = try await network.tap("tap1")
          var first: NodeStatus.Node?
          try await bootOther(master, in: network, tap: tap) { other, node in
            first = node
            #expect(try await other.output("ls -A /run/cluster | tr '\\n' ' '") == "ca.crt cluster")
            #expect(try await other.output("cat /proc/cmdline").contains("BOOTIF=01-52-54-00-00-00-22"))
            #expect(try await other.reaches("\(Self.master)"))
            let status = try await master.output("tyd --status")
            #expect(status.contains("52:54:00:00:00:22") && status.contains("1 sent whole"), "\(status)")
          }
          // Switched off.
          try await master.waits(for: "it is missed") { (try? nodes($0).filter { $0.state == .alive }.count) == 1 }
          try await bootOther(master, in: network, tap: tap) { _, node in
            #expect(node.id == first?.id && node.address == first?.address)
          }
          // A boot server that crashes is started again, and the node stays.
          try await master.succeeds(
            "kill -9 $(pidof tyd-boot || ps | grep -w boot-server | head -1 | awk '{print $1}')")
          try await master.succeeds(
            "n=0; until [ $(grep -c 'others may boot' /run/tyd/log) = 2 ] || [ $n = 20 ]; do sleep 1; n=$((n+1)); done; "
              + "[ $(grep -c 'others may boot' /run/tyd/log) = 2 ]")
        }
      }
    }
  }

  /// What BusyBox's DHCP client was told; it uses nothing of it. `folder` gets its script.
  private func leased(in network: NetworkNamespace, _ folder: FilePath) async throws -> String {
    let script = folder.appending("told")
    try await write(
      "#!/bin/sh\necho \"$1 ip=$ip siaddr=$siaddr file=$boot_file lease=$lease\"\n".utf8, to: script,
      mode: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute])
    return try await network.run(
      "busybox",
      ["udhcpc", "-i", NetworkNamespace.bridge, "-n", "-q", "-f", "-O", "bootfile", "-s", script.string])
  }

  @Test("clients that others wrote get their addresses and files; no byte of the authority's key is served")
  func foreignClients() async throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("pxe-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    let capture = folder.appending("wire.pcap")
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withPXEMaster(in: network, capture: capture) { master in
        let told = try await leased(in: network, folder)
        #expect(told.contains("bound ip=192.168.1.") && told.contains("siaddr=\(Self.master)"), "\(told)")
        #expect(told.contains("file=pxelinux.0") && told.contains("lease=86400"), "\(told)")

        func fetch(_ name: String, _ options: [String] = []) async throws -> [UInt8] {
          let file = folder.appending("fetched")
          try? FileManager.default.removeItem(atPath: file.string)
          try await network.run("busybox", ["tftp", "-g", "-l", file.string, "-r", name] + options + [Self.master])
          return try contents(of: file)
        }
        #expect(try await fetch("pxelinux.0") == contents(of: Image.file("pxe/pxelinux.0")))
        #expect(try await fetch("/chaos/bzImage", ["-b", "1468"]) == contents(of: Image.file("pxe/chaos/bzImage")))
        let config = String(decoding: try await fetch("pxelinux.cfg/default"), as: UTF8.self)
        #expect(config.contains("tyd=any"))
        let root = try await fetch("chaos/chaos.rdz", ["-b", "1024"])
        // What make pxe makes, up to the credential, which is not compressed here.
        let tree = try contents(of: Image.file("pxe/chaos/chaos.rdz"))
        let common = zip(root, tree).prefix { $0 == $1 }.count
        #expect(common > tree.count - 2048 && common % 4 < 4, "\(common) of \(tree.count) bytes are the same")
        let key = try ClusterStore().cluster(.standard).key.pem
        let lines = key.split(separator: UInt8(ascii: "\n")).filter { !$0.starts(with: "-----".utf8) }
        let served = Data(root)
        for line in lines { #expect(served.range(of: Data(line)) == nil) }
        #expect(served.range(of: Data("PRIVATE KEY".utf8)) == nil)
        let last = folder.appending("credential.cpio")
        let start = try #require(served.range(of: Data("070701".utf8), in: common - 64..<served.count)?.lowerBound)
        try await write(root[start...], to: last)
        let listed = try await Command("cpio", ["--list", "--quiet", "-F", last.string]).output()
        #expect(String(decoding: listed, as: UTF8.self) == "credential\ncredential/ca.crt\ncredential/cluster\n")
        for name in ["chaos/public", "../run/cluster/ca.key", "credential/ca.key", "isolinux/isolinux.cfg"] {
          #expect(try await !network.succeeds("busybox", ["tftp", "-g", "-l", "/dev/null", "-r", name, Self.master]))
        }
        // Resident, for the record.
        let memory = try await master.output(
          "cat /proc/$(pidof tyd-boot)/status | grep VmRSS; grep Uid /proc/$(pidof tyd-boot)/status")
        #expect(memory.contains("65534"), "it is not root: \(memory)")
      }
    }
    let decoded = try await Command("tcpdump", ["-n", "-v", "-r", capture.string, "udp port 67"]).output()
    let text = String(decoding: decoded, as: UTF8.self)
    for words in ["BOOTP/DHCP, Reply", "DHCP-Message (53), length 1: ACK", "Server-ID (54), length 4: \(Self.master)"] {
      #expect(text.contains(words), "\(words)")
    }
    #expect(!text.contains("[|bootp]") && !text.contains("bad udp cksum"))
  }

  @Test(
    "beside another DHCP server a bare PC boots from a drone, with an address of that server, is approved and joins"
  )
  func beside() async throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("pxe-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    let capture = folder.appending("wire.pcap")
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await network.serveDHCP(["--dhcp-host=52:54:00:00:00:11,192.168.1.111"])
      try await withMachineGroup(of: 2) {
        try await withPXEMaster(in: network, capture: capture) { master in
          #expect(try await master.address() == "192.168.1.111/24")
          let log = try await master.output("cat /run/tyd/log")
          #expect(log.contains("there is a DHCP server already, 192.168.1.1: it gives the addresses"), "\(log)")
          let tap = try await network.tap("tap1")
          try await bootOther(master, at: "192.168.1.111", in: network, tap: tap) { other, node in
            #expect(try await other.output("cat /proc/cmdline").contains("BOOTIF=01-52-54-00-00-00-22"))
            #expect(try await other.reaches("192.168.1.111"))
            #expect((100...150).contains(node.address.octets[3]), "\(node.address)")
            let status = try await master.output("tyd --status")
            #expect(
              status.contains("1 sent whole, beside the DHCP server 192.168.1.1\n")
                && status.contains("52:54:00:00:00:22"), "\(status)")
            #expect(try await master.output("tyd --status --json").contains("\"beside\":\"192.168.1.1\""))
          }
          // When that server has gone, the master gives addresses, and its own is a lease no longer.
          try await network.run("sh", ["-c", "kill $(cat /etc/dnsmasq.pid)"])
          try await master.waits(for: "that it gives addresses", within: .seconds(180)) {
            $0.contains("\"boots\":") && !$0.contains("\"beside\":")
          }
          let told = try await leased(in: network, folder)
          #expect(told.contains("bound ip=192.168.1.") && told.contains("siaddr=192.168.1.111"), "\(told)")
          try await master.succeeds(
            "n=0; while pidof udhcpc && [ $n != 10 ]; do sleep 1; n=$((n+1)); done; ! pidof udhcpc")
          #expect(try await master.address() == "192.168.1.111/24")
        }
      }
      let leases = try contents(of: network.configuration.appending("leases"))
      #expect(String(decoding: leases, as: UTF8.self).contains("52:54:00:00:00:22"))
    }
    let decoded = try await Command(
      "tcpdump", ["-n", "-vv", "-r", capture.string, "src 192.168.1.111 and udp port 67"]
    ).output()
    // A packet a line.
    let packets = String(decoding: decoded, as: UTF8.self).replacing(/\n(\t|    )/, with: " ").split(separator: "\n")
    let offers = packets.filter { $0.contains("Vendor-Class (60), length 9: \"PXEClient\"") }
    #expect(!offers.isEmpty, "\(packets)")
    for offer in offers {
      for words in [
        "192.168.1.111.67 > 255.255.255.255.68", "[udp sum ok]", "Server-IP 192.168.1.111", "file \"pxelinux.0\"",
        "DHCP-Message (53), length 1: Offer", "Server-ID (54), length 4: 192.168.1.111",
        "Vendor-Option (43), length 4: 6.1.8.255",
      ] {
        #expect(offer.contains(words), "\(words) in \(offer)")
      }
      #expect(!offer.contains("Your-IP") && !offer.contains("[|bootp]"), "\(offer)")
    }
  }

  @Test("beside another DHCP server it names that one and gives no addresses, unless it is forced")
  func otherServer() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await network.serveDHCP()
      let tap = try await network.tap()
      try await withVirtualMachine(try Image.cd(cards: [.init(on: .tap(tap))]), in: network) { machine in
        try await machine.bootByEnter()
        let beside = try await machine.run("tyd -pm --range 192.168.1.200-192.168.1.210")
        #expect(
          beside.status == 0 && beside.output.contains("DHCP server already, 192.168.1.1")
            && beside.output.contains("--range has no use beside it"), "\(beside.output)")
        try await machine.waits(for: "that it serves") { $0.contains("\"beside\":\"192.168.1.1\"") }
        #expect(try await machine.run("tyd --leave").status == 0)
        let forced = try await machine.run("tyd -pm --force --range 192.168.1.200-192.168.1.210")
        #expect(forced.status == 0 && forced.output.contains("as --force asks"), "\(forced.output)")
        let status = try await machine.output("tyd --status --json")
        #expect(status.contains("\"boots\":") && !status.contains("\"beside\":"), "\(status)")
        #expect(try await machine.run("tyd --leave").status == 0)
        // Whoever has an address of that server could not reach this one.
        try await machine.succeeds("ifconfig eth0 10.1.2.3 netmask 255.255.255.0")
        let refused = try await machine.run("tyd -pm")
        #expect(
          refused.status == 1 && refused.output.contains("does not reach this node at 10.1.2.3")
            && refused.output.contains("say tyd -pm --force"), "\(refused.output)")
      }
    }
  }

  @Test(
    "as the boot line asks it tries again and again, tells why once and on demand; it gives addresses as soon as the other server has gone, and none when that is back"
  )
  func tryingAgain() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await network.serveDHCP()
      let tap = try await network.tap()
      try await withVirtualMachine(try Image.cd(cards: [.init(on: .tap(tap))]), in: network) { machine in
        try await machine.expect("boot:")
        machine.type("drone ip=10.1.2.3::10.1.2.1:255.255.255.0::: tyd=pxe\n")
        try await machine.expectShell()
        let status = try await machine.run(
          "n=0; until grep -q 'tried again, quietly' /run/boot.log || [ $n = 40 ]; do sleep 1; n=$((n+1)); done; tyd --status"
        )
        #expect(
          status.status == 1 && status.output.contains("the DHCP server 192.168.1.1 gives addresses like 192.168.1.")
            && status.output.contains("say tyd -pm --force"), "\(status.output)")
        // It has tried twice more, and nothing was said, neither in its log nor in the boot's.
        try await machine.run("sleep 10")
        #expect(try await machine.output("cat /run/tyd/log* | grep -c 'gives addresses like'") == "1")
        #expect(try await machine.output("grep -c ' s  tyd ' /run/boot.log") == "1")
        // Another reason is told.
        try await machine.succeeds("ifconfig eth0 down")
        try await machine.succeeds(
          "n=0; until grep -q 'has a link: look at the cable' /run/boot.log || [ $n = 40 ]; do sleep 1; n=$((n+1)); done; "
            + "grep -q 'has a link: look at the cable' /run/boot.log")
        try await machine.succeeds("ifconfig eth0 192.168.1.90 netmask 255.255.255.0 up")
        try await machine.waits(for: "that it serves", within: .seconds(90)) {
          $0.contains("\"beside\":\"192.168.1.1\"")
        }
        #expect(try await machine.run("test -e /run/tyd/failure").status != 0)
        try await network.run("sh", ["-c", "kill $(cat /etc/dnsmasq.pid)"])
        try await machine.waits(for: "that it gives addresses", within: .seconds(180)) {
          $0.contains("\"boots\":") && !$0.contains("\"beside\":")
        }
        #expect(
          try await machine.output("cat /run/tyd/log").contains(
            "192.168.1.1 serves DHCP no longer: others may boot from here and get 192.168.1.16 to 192.168.1.248"))
        try await network.serveDHCP()
        try await machine.waits(for: "that it gives none", within: .seconds(180)) {
          $0.contains("\"beside\":\"192.168.1.1\"")
        }
      }
    }
  }

  @Test("without its medium it says so and ends")
  func noMedium() async throws {
    try await withVirtualMachine(
      try Image.direct("ip=192.168.1.11::192.168.1.1:255.255.255.0:::", cards: [.init(on: .silent)])
    ) { machine in
      try await machine.expectShell()
      let refused = try await machine.run("tyd -pm")
      #expect(refused.status == 1 && refused.output.contains("no medium to boot others from"), "\(refused.output)")
    }
  }
}
