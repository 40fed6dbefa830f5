import Testing
import VirtualMachine

/// A drone's clock, and servers that keep it right.
@Suite struct ClockTests {
  @Test("NTP sets a drone's clock after 2036, when its seconds begin again, and after 2038, when 31 bits are full")
  func eras() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      func drone(_ number: Int, _ words: String) async throws -> MachineConfiguration {
        var configuration = try Image.direct(
          "ip=192.168.1.\(number):::255.255.255.0::: \(words)",
          cards: [
            .init(.rtl8139, on: .tap(try await network.tap("tap\(number)")), address: "52:54:00:00:00:\(number)")
          ])
        configuration.extraArguments += ["-rtc", "base=2036-02-07T06:30:00"]
        return configuration
      }
      let (first, second) = (try await drone(11, "filter=off"), try await drone(21, ""))
      try await withMachineGroup(of: 2) {
        try await withVirtualMachine(first, in: network) { server in
          try await withVirtualMachine(second, in: network) { client in
            try await server.expectShell()
            try await client.expectShell()
            #expect(try await client.output("date +%Y") == "2036")
            try await server.succeeds("ntpd -l")
            for date in ["2036-03-01", "2040-03-01"] {
              try await server.succeeds("date -s '\(date) 12:00:00'")
              try await client.succeeds("timeout 100 ntpd -n -q -p 192.168.1.11", within: .seconds(120))
              #expect(try await client.output("date +%Y-%m-%d") == date)
            }
          }
        }
      }
    }
  }
}
