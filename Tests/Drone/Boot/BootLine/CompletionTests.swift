import Addresses
import Addressing
import BootLine
import Testing

@Suite("What a word says over what a server says")
struct CompletionTests {
  private let address = IPv4Address(192, 168, 1, 21)

  private func request(_ line: String) throws -> InterfaceRequest {
    try #require(BootLine(Array(line.utf8)).interfaces.first)
  }

  private func answer() throws -> AddressConfiguration {
    var answer = try #require(AddressConfiguration(address: address))
    answer.netmask = Netmask(prefixLength: 16)
    answer.gateway = IPv4Address(192, 168, 0, 1)
    answer.server = IPv4Address(192, 168, 0, 2)
    answer.nameServers = [IPv4Address(192, 168, 0, 3)]
    answer.timeServers = [IPv4Address(192, 168, 0, 4)]
    answer.hostName = Array("leased".utf8)
    answer.domain = Array("lab".utf8)
    return answer
  }

  @Test("a word that says nothing changes nothing", arguments: ["", "ip=dhcp", "ip=:::::eth1:dhcp"])
  func nothing(_ line: String) throws {
    #expect(try request(line).completed(answer(), NetworkSettings(), on: []) == answer())
  }

  @Test("what the word says stands in place of the server's, field by field; the address and the name are not its own")
  func everything() throws {
    let word = try request("ip=::192.168.1.1:24:drone7.home::dhcp:192.168.1.3:192.168.1.4:192.168.1.5")
    var expected = try answer()
    expected.netmask = Netmask(prefixLength: 24)
    expected.gateway = IPv4Address(192, 168, 1, 1)
    expected.nameServers = [IPv4Address(192, 168, 1, 3), IPv4Address(192, 168, 1, 4)]
    expected.timeServers = [IPv4Address(192, 168, 1, 5)]
    expected.domain = Array("home".utf8)
    #expect(try word.completed(answer(), NetworkSettings(), on: []) == expected)
    #expect(word.fullName == Array("drone7.home".utf8))
  }

  @Test("a static word is completed in the same way")
  func fixed() throws {
    let word = try request("ip=192.168.1.21::192.168.1.1:24:drone7:eth0")
    let configuration = word.completed(try #require(AddressConfiguration(address: address)), NetworkSettings(), on: [])
    #expect(configuration.netmask == Netmask(prefixLength: 24))
    #expect(configuration.gateway == IPv4Address(192, 168, 1, 1))
    #expect(word.fullName == Array("drone7".utf8))
  }

  @Test(
    "DNS servers of nameserver= are asked first, then those of ip=, else of the lease unless rd.peerdns=0; so is the domain",
    arguments: [
      ("", [3], "lab"), ("nameserver=10.0.0.9", [9, 3], "lab"), ("rd.peerdns=0", [], nil),
      ("rd.peerdns=0 nameserver=10.0.0.9", [9], nil), ("ip=:::::eth0:dhcp:10.0.0.7 rd.peerdns=0", [7], nil),
      ("ip=:::::eth0:dhcp:10.0.0.7 nameserver=10.0.0.9 nameserver=10.0.0.7", [9, 7], "lab"),
      ("ip=::::a.home:eth0:dhcp rd.peerdns=0", [], "home"),
    ] as [(String, [UInt8], String?)])
  func nameServers(line: String, expected: [UInt8], domain: String?) throws {
    let read = BootLine(line)
    let completed = try #require(read.interfaces.first).completed(answer(), read.networkSettings, on: [])
    #expect(completed.nameServers.map { UInt8(truncatingIfNeeded: $0.bits) } == expected)
    #expect(completed.domain.map(text) == domain)
  }

  @Test(
    "the protocols are named in capitals",
    arguments: [
      ([], []), (.rarp, ["RARP"]), ([.bootp, .rarp], ["BOOTP", "RARP"]),
      ([.dhcp, .bootp, .rarp], ["DHCP", "BOOTP", "RARP"]),
    ]
      as [(AddressProtocols, [String])])
  func names(_ protocols: AddressProtocols, _ expected: [String]) {
    #expect(protocols.names.map { "\($0)" } == expected)
  }
}
