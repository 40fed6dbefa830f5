import BootLine
import Testing

/// A wrong `ip=` names the field and leaves everything else in force.
@Suite struct NetworkErrorTests {
  @Test(
    "a wrong field is named by its place, and the rest is used",
    arguments: [
      ("300.1.1.1", 1, "address", "* off"),
      ("192.168.1.300::192.168.1.1:255.255.255.0", 1, "address", "* off"),
      ("192.168.1", 1, "address", "* off"),
      ("192.168.1.21/24", 1, "address", "* off"),
      ("127.0.0.1", 1, "address", "* off"),
      ("0.1.2.3", 1, "address", "* off"),
      ("224.0.0.1", 1, "address", "* off"),
      ("255.255.255.255", 1, "address", "* off"),
      ("192.168.1.0:::255.255.255.0", 1, "address", "* off"),
      ("192.168.1.255:::255.255.255.0", 1, "address", "* off"),
      ("192.168.1.255", 1, "address", "* off"),
      ("10.0.0.0", 1, "address", "* off"),
      ("192.168.1.127:::25", 1, "address", "* off"),
      ("300.1.1.1::::drone9", 1, "address", "* off name=drone9"),
      ("300.1.1.1:::::eth1:dhcp", 1, "address", "eth1 off"),
      ("eth0:", 1, "address", "* off"),
      ("10.0.0.5:bad", 2, "server", "* static 10.0.0.5 /8"),
      ("10.0.0.5:255.255.255.255", 2, "server", "* static 10.0.0.5 /8"),
      ("192.168.1.21::192.168.2.1:255.255.255.0", 3, "gateway", "* static 192.168.1.21 /24"),
      ("192.168.1.21::192.168.1.255:255.255.255.0", 3, "gateway", "* static 192.168.1.21 /24"),
      ("192.168.1.21::192.168.1.0:255.255.255.0", 3, "gateway", "* static 192.168.1.21 /24"),
      ("192.168.1.21::192.168.1.21:255.255.255.0", 3, "gateway", "* static 192.168.1.21 /24"),
      ("192.168.1.21::gateway:255.255.255.0", 3, "gateway", "* static 192.168.1.21 /24"),
      ("192.168.1.21::127.0.0.1:255.255.255.0", 3, "gateway", "* static 192.168.1.21 /24"),
      ("192.168.1.21:::255.0.255.0", 4, "netmask", "* static 192.168.1.21 /24"),
      ("192.168.1.21:::0.255.255.0", 4, "netmask", "* static 192.168.1.21 /24"),
      ("192.168.1.21:::33", 4, "netmask", "* static 192.168.1.21 /24"),
      ("192.168.1.21:::0", 4, "netmask", "* static 192.168.1.21 /24"),
      ("192.168.1.21:::99999999999999999999999", 4, "netmask", "* static 192.168.1.21 /24"),
      ("192.168.1.21:::255.255.255", 4, "netmask", "* static 192.168.1.21 /24"),
      ("192.168.1.21:::0xffffff00", 4, "netmask", "* static 192.168.1.21 /24"),
      ("10.0.0.5::::-drone", 5, "hostname", "* static 10.0.0.5 /8"),
      ("10.0.0.5::::dro_ne", 5, "hostname", "* static 10.0.0.5 /8"),
      ("10.0.0.5::::10.0.0.5", 5, "hostname", "* static 10.0.0.5 /8"),
      ("10.0.0.5::::localhost", 5, "hostname", "* static 10.0.0.5 /8"),
      ("10.0.0.5::::.lab", 5, "hostname", "* static 10.0.0.5 /8"),
      ("10.0.0.5::::drone..lab", 5, "hostname", "* static 10.0.0.5 /8 name=drone"),
      ("10.0.0.5::::drone.la$b", 5, "hostname", "* static 10.0.0.5 /8 name=drone"),
      ("10.0.0.5:::::et/h0", 6, "device", "* off"),
      ("10.0.0.5:::::sixteen-letters-", 6, "device", "* off"),
      ("10.0.0.5:::::..", 6, "device", "* off"),
      ("10.0.0.5:::::lo", 6, "device", "* off"),
      ("::::drone9:lo:dhcp", 6, "device", "* off name=drone9"),
      ("lo:dhcp", 1, "device", "* off"),
      ("et/h0:dhcp", 1, "device", "* off"),
      (":::::eth0:static", 7, "autoconf", "eth0 off"),
      (":::::eth0:dhpc", 7, "autoconf", "eth0 any"),
      (":::::eth0:DHCP", 7, "autoconf", "eth0 any"),
      (":::::eth0:dhcp6", 7, "autoconf", "eth0 off"),
      ("dhpc", 1, "autoconf", "* any"),
      ("eth0", 1, "autoconf", "* any"),
      ("[2001:db8::1]", 1, "address", "* off"),
      ("[2001:db8::2]::[2001:db8::1]:64:drone9:eth0:none", 1, "address", "eth0 off name=drone9"),
      ("eth0:dhpc", 2, "autoconf", "eth0 any"),
      ("eth0:ibft", 2, "autoconf", "eth0 any"),
      ("dhcp,", 1, "autoconf", "* dhcp"),
      ("dhcp,1", 1, "autoconf", "* dhcp"),
      ("dhcp,1,", 1, "autoconf", "* dhcp"),
      (":::::eth0:dhcp,1,", 7, "autoconf", "eth0 dhcp"),
      ("dhcp,256,x", 1, "autoconf", "* dhcp"),
      ("dhcp,x,y", 1, "autoconf", "* dhcp"),
      ("10.0.0.5:::::::8.8.8", 8, "dns", "* static 10.0.0.5 /8"),
      ("10.0.0.5:::::::8.8.8.8:bad", 9, "dns", "* static 10.0.0.5 /8 dns=8.8.8.8"),
      ("10.0.0.5:::::::::ntp.example.org", 10, "ntp", "* static 10.0.0.5 /8"),
      ("10.0.0.5::::::::::more", 11, "excess", "* static 10.0.0.5 /8"),
      ("eth0:dhcp:67", 3, "mtu", "eth0 dhcp"),
      ("eth0:dhcp:65536", 3, "mtu", "eth0 dhcp"),
      ("eth0:dhcp:1500:52:54", 4, "mac", "eth0 dhcp mtu=1500"),
      ("eth0:dhcp:1500:ff:ff:ff:ff:ff:ff", 4, "mac", "eth0 dhcp mtu=1500"),
      ("eth0:dhcp:1500:00:00:00:00:00:00", 4, "mac", "eth0 dhcp mtu=1500"),
      ("10.0.0.5:::::eth1:none:10", 8, "mtu", "eth1 static 10.0.0.5 /8"),
    ])
  func fields(value: String, position: Int, field: String, expected: String) {
    let read = BootLine("ip=\(value)")
    #expect(read.network == [expected])
    #expect(read.errors.count == 1)
    #expect(read.sentences.first?.hasPrefix("\"ip=\(value)\", field \(position) (\(field)): ") == true)
    #expect(read.sentences.first?.hasSuffix(".") == true)
  }

  @Test("every wrong field is named at once")
  func allAtOnce() {
    let read = BootLine("ip=1.2.3:x:y:z:-:/:q:a:b:c:d")
    #expect(
      read.errors.map { "\($0.field.map { "\($0.name)" } ?? "") \($0.position ?? 0)" } == [
        "address 1", "server 2", "gateway 3", "netmask 4", "hostname 5", "device 6", "autoconf 7", "dns 8", "dns 9",
        "ntp 10", "excess 11",
      ])
    #expect(read.network == ["* off"])
  }

  @Test("a sentence says what is wrong and what happens instead")
  func sentences() {
    #expect(
      BootLine("ip=192.168.1.21::10.0.0.1:255.255.255.0").sentences == [
        #""ip=192.168.1.21::10.0.0.1:255.255.255.0", field 3 (gateway): 10.0.0.1 is outside 192.168.1.0/24; no gateway "#
          + "is set."
      ])
    #expect(
      BootLine("ip=192.168.1.255:::24").sentences == [
        #""ip=192.168.1.255:::24", field 1 (address): 192.168.1.255 is the broadcast address of 192.168.1.0/24; no "#
          + "address is set."
      ])
    #expect(
      BootLine("ip=:::::eth0:dhpc").sentences == [
        #""ip=:::::eth0:dhpc", field 7 (autoconf): "dhpc" is none of off, none, on, any, dhcp, bootp, rarp, both; any "#
          + "is used."
      ])
  }

  @Test("a sentence is one line of printable ASCII of bounded length, whatever the word holds")
  func printable() throws {
    let nasty: [UInt8] =
      Array("ip=\u{1B}[2J\u{7}é\\\"".utf8) + [0xFF] + Array(repeating: UInt8(ascii: "x"), count: 5000)
    let sentence = try #require(BootLine(nasty).errors.first?.sentence)
    #expect(sentence.allSatisfy { (0x20...0x7E).contains($0) })
    #expect(sentence.count < 800)
    #expect(text(sentence).hasPrefix(#""ip=\x1b[2J\x07\xc3\xa9\\\"#))
  }
}
