import Addresses
import BootLine
import Testing

/// Option 15 as servers fill it, and the domain that is used.
private let domains: [(text: String, domain: String?)] = [
  ("example.org", "example.org"), ("corp.example lab.example", "corp.example"), ("-x lab.example", "lab.example"),
  ("lab", "lab"), ("", nil), (" ", nil), ("a_b", nil),
]

@Suite struct HostNameTests {
  @Test("of a list where one domain belongs the first that can be one counts", arguments: domains.indices)
  func firstDomain(_ index: Int) {
    let (text, domain) = domains[index]
    #expect(HostName.firstDomain(in: [UInt8](text.utf8)) == domain.map { [UInt8]($0.utf8) })
  }

  @Test(
    "a name is letters, digits and hyphens, the rest is its domain",
    arguments: [
      ("drone1", "drone1", nil), ("DRONE-1", "DRONE-1", nil), ("1drone", "1drone", nil), ("a", "a", nil),
      ("drone1.example.org", "drone1", "example.org"), ("drone1.example.org.", "drone1", "example.org"),
      ("drone1.", "drone1", nil), ("0xyz", "0xyz", nil), ("0x", "0x", nil), ("a.1b", "a", "1b"),
      (String(repeating: "a", count: 63), String(repeating: "a", count: 63), nil), ("localhost1", "localhost1", nil),
      ("localhos4", "localhos4", nil),
    ] as [(String, String, String?)])
  func valid(name: String, label: String, domain: String?) throws {
    let read = try HostName(Array(name.utf8))
    #expect(text(read.name) == label)
    #expect(read.domain.map(text) == domain)
  }

  @Test(
    "anything else is refused, and it is said whether name or domain is wrong",
    arguments: [
      ("", .name), (".", .name), (".example.org", .name), ("-a", .name), ("a-", .name), ("a_b", .name), ("a b", .name),
      ("a;b", .name), ("$(reboot)", .name), ("a\nb", .name), ("a\u{0}", .name), ("é", .name), ("a/b", .name),
      (String(repeating: "a", count: 64), .name), ("localhost", .name), ("LocalHost", .name),
      ("localhost.localdomain", .name), ("1234", .name), ("0x1F", .name), ("192.168.1.21", .name), ("1.a", .name),
      ("a..b", .domain), ("a.b..", .domain), ("a.-b", .domain), ("a.b c", .domain), ("a.1", .domain),
      ("a.b.0x1", .domain),
      ("a.localhost", .domain), ("a.b.LOCALHOST.", .domain), ("a." + String(repeating: "b", count: 64), .domain),
      ("a" + String(repeating: ".bbbbbbbbb", count: 26), .domain),
    ] as [(String, HostName.Fault)])
  func invalid(name: String, fault: HostName.Fault) {
    #expect(throws: fault) { try HostName(Array(name.utf8)) }
  }

  @Test("253 bytes are the longest name")
  func longest() throws {
    let domain = String(repeating: ".bbbbbbbbb", count: 25)
    #expect(try HostName(Array("aaa\(domain)".utf8)).full.count == 253)
    #expect(throws: HostName.Fault.domain) { try HostName(Array("aaaa\(domain)".utf8)) }
  }

  @Test("an unnamed drone is called after its address")
  func unnamed() {
    #expect(text(HostName(address: IPv4Address(192, 168, 1, 21)).full) == "chaos-c0a80115")
  }
}

@Suite struct HostTableTests {
  private static let address = IPv4Address(192, 168, 1, 21)

  private func table(_ requested: String?, _ leased: String?, _ domain: String? = nil) throws -> HostTable {
    func bytes(_ text: String?) -> [UInt8]? { text.map { Array($0.utf8) } }
    return try #require(
      HostTable(
        address: HostTableTests.address, requested: bytes(requested), leased: bytes(leased), leasedDomain: bytes(domain)
      ))
  }

  @Test(
    "the boot line's name comes before the lease's, and the address names the rest",
    arguments: [
      ("drone1", "leased", nil, "drone1", .requested),
      (nil, "leased", nil, "leased", .leased),
      (nil, nil, nil, "chaos-c0a80115", .address),
      ("bad name", "leased", nil, "leased", .leased),
      ("bad name", "$(reboot)", nil, "chaos-c0a80115", .address),
      ("", "", "", "chaos-c0a80115", .address),
      (nil, "localhost", nil, "chaos-c0a80115", .address),
      ("drone1", nil, "lab.example", "drone1.lab.example", .requested),
      (nil, "leased", "lab.example.", "leased.lab.example", .leased),
      (nil, nil, "lab.example", "chaos-c0a80115.lab.example", .address),
      ("drone1.mine", "leased", "lab.example", "drone1.mine", .requested),
      (nil, "leased.own.example", "lab.example", "leased.own.example", .leased),
      (nil, "leased", "two domains", "leased.two", .leased),
      (nil, "leased", "a\n1.2.3.4 evil", "leased.evil", .leased),
      (nil, "leased.bad domain", nil, "leased", .leased),
      (nil, "leased.bad domain", "lab.example", "leased.lab.example", .leased),
    ] as [(String?, String?, String?, String, HostTable.Origin)])
  func choice(requested: String?, leased: String?, domain: String?, expected: String, origin: HostTable.Origin) throws {
    let table = try table(requested, leased, domain)
    #expect(text(table.name.full) == expected)
    #expect(table.origin == origin)
  }

  @Test("the file holds localhost and the name on the drone's own address, byte for byte")
  func contents() throws {
    #expect(try text(table("drone1", nil).contents) == "127.0.0.1\tlocalhost\n192.168.1.21\tdrone1\n")
    #expect(
      try text(table("drone1", nil, "lab.example").contents)
        == "127.0.0.1\tlocalhost\n192.168.1.21\tdrone1.lab.example drone1\n")
    #expect(try text(table(nil, nil).contents) == "127.0.0.1\tlocalhost\n192.168.1.21\tchaos-c0a80115\n")
  }

  @Test("the same input twice gives the same bytes")
  func twice() throws { #expect(try table("drone1", "x", "lab") == table("drone1", "x", "lab")) }

  @Test(
    "without a host's address there is nothing to write",
    arguments: [0, 0x7F00_0001, 0xE000_0001, 0xFFFF_FFFF] as [UInt32])
  func noAddress(bits: UInt32) {
    #expect(HostTable(address: IPv4Address(bits: bits), requested: Array("drone1".utf8), leased: nil) == nil)
  }
}
