import Testing
import VirtualMachine

/// A computer that comes back with another card.
@Suite struct NewCardTests {
  @Test("a new node at the address of one that has just died is not cut off when that one is found dead")
  func sameAddress() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withMachineGroup(of: 3) {
        let cards = try await [network.tap("tap0"), network.tap("tap1"), network.tap("tap2")].enumerated().map {
          NetworkCard(.rtl8139, on: .tap($1), address: "52:54:00:00:00:1\($0)")
        }
        func boot(_ machine: VirtualMachine, _ address: String) async throws {
          try await machine.expect("boot:")
          machine.type("/chaos/bzImage root=/dev/ram0 initrd=/chaos/chaos.rdz rw ip=\(address) console=ttyS0,115200\n")
          try await machine.expectShell()
        }
        try await withVirtualMachine(try Image.cd(cards: [cards[0]]), in: network) { first in
          try await withVirtualMachine(try Image.cd(cards: [cards[2]]), in: network) { new in
            try await boot(first, "192.168.1.11:::255.255.255.0:::")
            try await first.succeeds("tyd")
            try await boot(new, "off")
            try await withVirtualMachine(try Image.cd(cards: [cards[1]]), in: network) { old in
              try await boot(old, "192.168.1.12:::255.255.255.0:::")
              try await old.succeeds("tyd -m 192.168.1.11")
            }
            try await new.succeeds("ifconfig eth0 192.168.1.12")
            try await new.succeeds("tyd -m 192.168.1.11")
            try await first.run("sleep 10")
            #expect(try await first.reaches("192.168.1.12"))
            #expect(try await first.run("grep -c 'is dead' /run/tyd/log").output.contains("1"))
          }
        }
      }
    }
  }
}
