import DroneImage
import DroneTarget
import Foundation
import SecureChannel
import SystemPackage
import Testing
import TydCommand
import VirtualMachine

/// The guest that stands for an operator's machine is what the tests on it take it for.
@Suite struct MasterTests {
  @Test("a full Linux with IPsec and a packet filter of its own boots; it answers on the port of ssh and on no other")
  func guest() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let tap = try await network.tap()
      try await withMaster(card: .init(.virtio, on: .tap(tap)), in: network) { machine in
        try await machine.expectShell()
        #expect(try await machine.output("uname -m") == "x86_64")
        let modules = try await machine.output("lsmod")
        for module in ["virtio_net", "esp4", "xfrm_user", "nf_tables"] {
          #expect(modules.contains(module), "\(module)")
        }
        let state = "ip xfrm state add src 192.168.1.11 dst 192.168.1.21 proto esp spi 1 mode transport "
        let key = "0x" + String(repeating: "5", count: 40)
        #expect(try await machine.run(state + "aead 'rfc4106(gcm(aes))' \(key) 128").status == 0)
        #expect(try await machine.output("nft list tables") == "table inet operator")
        #expect(try await network.hears("192.168.1.11", 22))
        machine.type("nc -ll -p 80 -e /bin/hello &\n")
        try await machine.expectShell()
        #expect(!(try await network.hears("192.168.1.11", 80)))
        #expect(!(try await network.answersPing("192.168.1.11")))
      }
    }
  }

  /// A cluster of its own, whose credential the master has.
  private func credential() throws -> [Entry] {
    let key = try SigningKey()
    let now = Int64(Date().timeIntervalSince1970)
    let authority = try Certificate.authority(
      name: Array("lab".utf8), key: key, notBefore: now - 86_400, notAfter: now + 86_400)
    return Master.credential(authority, key)
  }

  @Test("the package's tyd starts a cluster on a full Linux, whose own firewall and port of ssh stay as they were")
  func firstNode() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let tap = try await network.tap()
      try await withMaster(
        package: Master.package, files: try credential(), card: .init(.virtio, on: .tap(tap)), in: network
      ) { machine in
        try await machine.expectShell()
        #expect(
          try await machine.run("tyd -V").output == "tyd \(String(decoding: TydCommand.versionText, as: UTF8.self))\n")
        #expect(
          try await machine.output("stat -c '%a %U' /etc/tyd /etc/tyd/ca.key").split(separator: "\n") == [
            "700 root", "600 root",
          ])
        let firewall = try await machine.output("nft list table inet operator")
        let before = try await machine.output("nft list tables")
        let started = try await machine.run("tyd")
        #expect(started.status == 0, "\(started.output)")
        #expect(try await machine.output("tyd --status").contains("192.168.1.11"))
        #expect(try await machine.output("nft list table inet operator") == firewall)
        #expect(try await network.hears("192.168.1.11", 22))
        #expect(try await network.succeeds("busybox", ["nc", "-w", "3", "192.168.1.11", "3278", "-e", "/bin/true"]))
        #expect(!(try await network.answersPing("192.168.1.11")))
        #expect(try await machine.run("tyd").status != 0, "a second tyd is refused")
        #expect(try await machine.run("tyd --leave").status == 0)
        // The farewells go out before it ends.
        _ = try await machine.run("n=0; while pidof tyd && [ $n -lt 5 ]; do sleep 1; n=$((n+1)); done")
        let after = try await machine.output("nft list tables")
        #expect(after == before, "\(after)")
        #expect(try await machine.output("ip xfrm policy | grep -c 'dir out'") == "0")
      }
    }
  }

  @Test("without a credential tyd says where it belongs")
  func noCredential() async throws {
    try await withMaster(package: Master.package, card: .init(.virtio, on: .silent)) { machine in
      try await machine.expectShell()
      let refused = try await machine.run("tyd")
      #expect(refused.status == 1 && refused.output.contains("/etc/tyd"), "\(refused.output)")
    }
  }
}
