import TestSupport
import Testing
import VirtualMachine

/// The commands of docs/manual, typed where its blocks say. (`ManualTests` proves the rest.)
@Suite(.serialized) struct ManualInMachinesTests {
  private static func blocks(_ place: String) -> [ManualBlock] { ManualBlock.all.filter { $0.place == place } }

  /// One line of a block; it must succeed.
  private func type(_ line: String, on machine: VirtualMachine) async throws {
    // A program in the background is followed by no semicolon.
    try await machine.succeeds(line.hasSuffix(" &") ? line + " true" : line)
  }

  @Test("what the manual types on a drone that has just booted")
  func drone() async throws {
    let blocks = Self.blocks("sh drone")
    #expect(!blocks.isEmpty)
    try await withVirtualMachine(try Image.direct("ip=off", cards: [.init(on: .user())])) { machine in
      try await machine.expectShell()
      for block in blocks { for line in block.lines { try await type(line, on: machine) } }
    }
  }

  @Test("what the manual types on a drone without a cluster, and in a cluster of two")
  func cluster() async throws {
    let (first, node) = (Self.blocks("sh first"), Self.blocks("sh node"))
    #expect(!first.isEmpty && !node.isEmpty)
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withMachineGroup {
        let cards = try await [network.tap("tap0"), network.tap("tap1")].enumerated().map {
          NetworkCard(.rtl8139, on: .tap($1), address: "52:54:00:00:00:1\($0)")
        }
        try await withVirtualMachine(try Image.cd(cards: [cards[0]]), in: network) { member in
          try await withVirtualMachine(try Image.cd(cards: [cards[1]]), in: network) { other in
            for (machine, address) in [(member, "192.168.1.11"), (other, "192.168.1.21")] {
              try await machine.expect("boot:")
              machine.type("drone ip=\(address)::192.168.1.1:255.255.255.0:::\n")
            }
            for machine in [member, other] { try await machine.expectShell() }

            for block in node {
              try await member.succeeds("tyd")
              try await other.succeeds("tyd -m 192.168.1.11")
              for line in block.lines { try await type(line, on: member) }
              for machine in [other, member] { try await leave(machine) }
            }
            try await member.succeeds("tyd")
            for block in first {
              for line in block.lines { try await type(line, on: other) }
              try await leave(other)
            }
          }
        }
      }
    }
  }

  /// Out of the cluster, if it is in one.
  private func leave(_ machine: VirtualMachine) async throws {
    _ = try await machine.run("tyd --leave")
    try await machine.succeeds("while pidof tyd >/dev/null; do sleep 0.2; done")
  }
}
