import DroneTarget
import SystemPackage
import Testing
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
}
