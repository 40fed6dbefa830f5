import Addresses
import BootLine
import TestSupport
import Testing

@Suite struct HostNamesFuzzTests {
  private static let mutator = Mutator([
    "drone1", "chaos-c0a80115", "localhost", "example", ".", ".", ".", "-", "a", "Z", "0", "0x1f", "127.0.0.1", " ",
    "\t", "\n", "#", ";", "$(reboot)", "`", "\u{0}", "\u{1B}[2J", "é", "xn--bcher-kva",
    String(repeating: "a", count: 40),
  ])

  @Test("whatever a lease holds, the file is two lines of valid names on the right addresses")
  func everyName() {
    let fault = Fuzzing.configured.firstFault { generator in
      let address = IPv4Address(bits: UInt32.random(in: .min ... .max, using: &generator))
      let requested = self.candidate(&generator)
      let leased = self.candidate(&generator)
      let domain = self.candidate(&generator)
      let table = HostTable(address: address, requested: requested, leased: leased, leasedDomain: domain)
      guard let table else { return address.isHostAddress ? "nothing for \(address)" : nil }
      guard address.isHostAddress else { return "a file for \(address)" }
      return self.fault(in: table, address).map { "\($0) for \(requested ?? []), \(leased ?? []), \(domain ?? [])" }
    }
    #expect(fault == nil)
  }

  private func candidate(_ generator: inout SeededGenerator) -> [UInt8]? {
    if UInt8.random(in: 0..<4, using: &generator) == 0 { return nil }
    return HostNamesFuzzTests.mutator.bytes(&generator, pieces: 0...8)
  }

  private func fault(in table: HostTable, _ address: IPv4Address) -> String? {
    let lines = table.contents.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.count == 3, lines[2].isEmpty else { return "not two lines" }
    guard Array(lines[0]) == Array("127.0.0.1\tlocalhost".utf8) else { return "localhost is wrong" }
    let prefix = address.text + [UInt8(ascii: "\t")]
    guard lines[1].starts(with: prefix) else { return "the address is wrong" }
    let names = lines[1].dropFirst(prefix.count).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    let expected = table.name.domain == nil ? [table.name.name] : [table.name.full, table.name.name]
    guard names.map(Array.init) == expected else { return "the names are wrong" }
    for name in expected {
      if (try? HostName(name)) == nil || name.count > 253 { return "a name that is none" }
      if name.contains(where: { $0 <= 0x20 || $0 >= 0x7F }) { return "a byte that no name has" }
    }
    return nil
  }
}
