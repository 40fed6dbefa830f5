import Addresses
import Foundation
import NodeStatus
import SystemPackage
import TestCluster
import Testing
import VirtualMachine
import Workshop

/// A drone of 32 bits from the CD for every PC boots PCs whose firmware is UEFI.
@Suite struct UEFIFromDroneTests {
  /// A PC of 64 bits without a disk.
  private func computer(_ tap: String, _ boot: MachineConfiguration.Boot) -> MachineConfiguration {
    MachineConfiguration(
      target: .x86_64, firmware: .uefi, memory: 512, boot: boot,
      cards: [.init(.virtio, on: .tap(tap), address: "52:54:00:00:00:22")])
  }

  private func alive(_ status: String) throws -> Int {
    let line = status.split(separator: "\n").first { $0.hasPrefix("{") } ?? ""
    return try NodeStatus(json: [UInt8](line.utf8)).nodes.count { $0.state == .alive }
  }

  /// The PC boots, waits to be approved, and is in.
  private func join(_ other: VirtualMachine, _ master: VirtualMachine) async throws {
    try await other.expectShell(within: .seconds(240))
    #expect(try await other.output("uname -m").contains("x86_64"))
    #expect(try await other.output("cat /proc/cmdline").contains("tyd=any"))
    #expect(try await other.output("ls -A /run/cluster | tr '\\n' ' '") == "ca.crt cluster")
    try await other.succeeds(
      "n=0; until grep -q approval /run/tyd/log || [ $n = 40 ]; do sleep 1; n=$((n+1)); done; grep -q approval /run/tyd/log"
    )
    let waiting = try await master.output("tyd --pending")
    let key = String(waiting.split(whereSeparator: \.isWhitespace).first { $0.count == 64 } ?? "")
    let shown = try await other.output("grep approve /run/tyd/log").filter { $0 != ":" && $0 != "-" }
    #expect(!key.isEmpty && shown.contains(key), "the key that its console shows")
    try await master.succeeds("tyd --approve \(key)")
    for machine in [master, other] { try await machine.waits(for: "two alive") { (try? alive($0)) == 2 } }
  }

  @Test(
    "a PC with UEFI boots from a drone by TFTP, and by HTTP, in clear though it is a member, is approved and joins; of the file others read kernel and root, and no key"
  )
  func alone() async throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("uefi-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withMachineGroup(of: 2) {
        try await withPXEMaster(in: network) { master in
          #expect(try await master.output("tyd --status").contains("; for BIOS and UEFI\n"))
          let tap = try await network.tap("tap1")
          try await withVirtualMachine(computer(tap, .network), in: network) { try await join($0, master) }
          let status = try await master.output("tyd --status")
          #expect(status.contains("drone-x64.efi 100 %"), "\(status)")
          // Switched off, it is still a member for some seconds, to whose address everything else must be ESP.
          try await withVirtualMachine(computer(tap, .http), in: network) { other in
            try await other.expect("HTTP", within: .seconds(120))
            // It has nothing of its former boot, its key neither.
            try await join(other, master)
          }
          try await isWhole(in: network, folder)
        }
      }
    }
  }

  /// Takes the served file apart by programs of others.
  private func isWhole(in network: NetworkNamespace, _ folder: FilePath) async throws {
    let file = folder.appending("drone-x64.efi")
    try await network.run(
      "curl", ["-s", "-f", "-m", "60", "-o", file.string, "http://192.168.1.11/drone-x64.efi"])
    for (section, name) in [(".linux", "kernel"), (".initrd", "root")] {
      _ = try await Command(
        "objcopy", ["-O", "binary", "--only-section=\(section)", file.string, folder.appending(name).string]
      ).output()
    }
    #expect(
      try contents(of: folder.appending("kernel")).starts(with: contents(of: Image.file("pxe/chaos/x86_64/bzImage"))))
    let root = Data(try contents(of: folder.appending("root")))
    #expect(root.range(of: Data("PRIVATE KEY".utf8)) == nil && root.range(of: Data("credential/ca.crt".utf8)) != nil)
    #expect(try await !network.succeeds("curl", ["-s", "-f", "http://192.168.1.11/credential/ca.key"]))
  }

  @Test(
    "beside another DHCP server a PC with UEFI boots from a drone with an address of that server, and waits to be approved"
  )
  func beside() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await network.serveDHCP(["--dhcp-host=52:54:00:00:00:11,192.168.1.111"])
      try await withMachineGroup(of: 2) {
        try await withPXEMaster(in: network) { master in
          let tap = try await network.tap("tap1")
          try await withVirtualMachine(computer(tap, .network), in: network) { try await join($0, master) }
          let status = try await master.output("tyd --status")
          #expect(status.contains("1 sent whole, beside the DHCP server 192.168.1.1\n"), "\(status)")
        }
      }
    }
  }
}
