import Addresses
import BootLine
import Testing

/// Every row of the table of forms in `BootLine`, and what the fields mean.
@Suite struct NetworkFormTests {
  @Test(
    "each form means what the table says, without an error",
    arguments: [
      ("", "* any"),
      ("root=/dev/ram0 rw", "* any"),
      ("DHCP=0", "* off"),
      ("DHCP=1", "* any"),
      ("DHCP=0 ip=dhcp", "* dhcp"),
      ("ip=", "* any"),
      ("ip", "* any"),
      ("ip=:::", "* any"),
      ("ip=:::::::::", "* any"),
      ("ip=on", "* any"),
      ("ip=any", "* any"),
      ("ip=off", "* off"),
      ("ip=none", "* off"),
      ("ip=dhcp", "* dhcp"),
      ("ip=bootp", "* bootp"),
      ("ip=rarp", "* rarp"),
      ("ip=both", "* any(bootp,rarp)"),
      ("ip=dhcp,1,52:54", "* dhcp id=1,52:54"),
      ("ip=:::::eth0:dhcp,1,x", "eth0 dhcp id=1,x"),
      ("ip=eth0:dhcp,1,x:1400", "eth0 dhcp mtu=1400 id=1,x"),
      ("ip=dhcp,0,drone-7", "* dhcp id=0,drone-7"),
      ("ip=192.168.1.21", "* static 192.168.1.21 /24"),
      ("ip=172.16.3.4", "* static 172.16.3.4 /16"),
      ("ip=10.1.2.3", "* static 10.1.2.3 /8"),
      (
        "ip=192.168.1.21:192.168.1.9:192.168.1.1:255.255.255.0",
        "* static 192.168.1.21 /24 gw=192.168.1.1 server=192.168.1.9"
      ),
      ("ip=192.168.1.21::192.168.1.1:255.255.255.0:::", "* static 192.168.1.21 /24 gw=192.168.1.1"),
      ("ip=192.168.1.21::192.168.1.1:255.255.255.0", "* static 192.168.1.21 /24 gw=192.168.1.1"),
      (
        "ip=10.0.0.5:10.0.0.2:10.0.0.1:255.255.0.0:drone5.lab.example:eth1:off:10.0.0.3:10.0.0.4:10.0.0.6",
        "eth1 static 10.0.0.5 /16 gw=10.0.0.1 server=10.0.0.2 name=drone5 domain=lab.example dns=10.0.0.3 "
          + "dns=10.0.0.4 ntp=10.0.0.6"
      ),
      ("ip=10.0.0.5:::::eth1:none:1400", "eth1 static 10.0.0.5 /8 mtu=1400"),
      (
        "ip=10.0.0.5:::::eth1:none:1400:52:54:00:12:34:56",
        "eth1 static 10.0.0.5 /8 mtu=1400 mac=52:54:00:12:34:56"
      ),
      ("ip=eth0:dhcp", "eth0 dhcp"),
      ("ip=eth0:off", "eth0 off"),
      ("ip=enp0s31f6:both", "enp0s31f6 any(bootp,rarp)"),
      ("ip=eth0:dhcp:1500:52:54:00:12:34:56", "eth0 dhcp mtu=1500 mac=52:54:00:12:34:56"),
      ("ip=eth0:dhcp:9000", "eth0 dhcp mtu=9000"),
      ("ip=eth0:dhcp:68", "eth0 dhcp mtu=68"),
      ("ip=eth0:dhcp:65535", "eth0 dhcp mtu=65535"),
      ("ip=fifteen-letters:dhcp", "fifteen-letters dhcp"),
      ("ip=eth0:dhcp::52:54:00:12:34:56", "eth0 dhcp mac=52:54:00:12:34:56"),
      ("nfsaddrs=192.168.1.21:::255.255.255.0", "* static 192.168.1.21 /24"),
      ("nfsaddrs=rarp", "* rarp"),
    ])
  func forms(line: String, expected: String) {
    let read = BootLine(line)
    #expect(read.network == [expected])
    #expect(read.sentences == [])
  }

  @Test(
    "an address makes the card static, whatever the autoconf field says",
    arguments: ["", "off", "none", "on", "any", "dhcp", "bootp", "rarp", "both"])
  func staticWins(autoconf: String) {
    #expect(
      BootLine("ip=192.168.1.21::192.168.1.1:255.255.255.0::eth0:\(autoconf)").network == [
        "eth0 static 192.168.1.21 /24 gw=192.168.1.1"
      ])
  }

  @Test(
    "without an address the autoconf field decides, and empty means any",
    arguments: [
      ("", "any"), ("off", "off"), ("none", "off"), ("on", "any"), ("any", "any"), ("dhcp", "dhcp"),
      ("bootp", "bootp"), ("rarp", "rarp"), ("both", "any(bootp,rarp)"),
    ])
  func autoconf(word: String, method: String) {
    #expect(BootLine("ip=::::drone9:eth1:\(word)").network == ["eth1 \(method) name=drone9"])
  }

  @Test("0.0.0.0 means not given, in every field")
  func zeroes() {
    #expect(BootLine("ip=0.0.0.0:0.0.0.0:0.0.0.0:0.0.0.0:::dhcp:0.0.0.0:0.0.0.0:0.0.0.0").network == ["* dhcp"])
  }

  @Test("what the word gives is kept for a server's answer to complete")
  func givenBesideDHCP() {
    let read = BootLine("ip=:192.168.1.2:192.168.1.1:255.255.255.0:drone9::rarp:8.8.8.8")
    #expect(read.network == ["* rarp /24 gw=192.168.1.1 server=192.168.1.2 name=drone9 dns=8.8.8.8"])
    #expect(read.sentences == [])
  }

  @Test(
    "a mask may be a prefix length", arguments: [("8", 8), ("24", 24), ("30", 30), ("32", 32), ("255.255.255.128", 25)])
  func prefixLengths(mask: String, length: Int) {
    #expect(BootLine("ip=10.1.2.5:::\(mask)").network == ["* static 10.1.2.5 /\(length)"])
  }

  @Test("a client identifier has at most 251 bytes, as the kernel's")
  func longIdentifier() {
    let longest = String(repeating: "x", count: 251)
    #expect(BootLine("ip=dhcp,0,\(longest)").network == ["* dhcp id=0,\(longest)"])
    #expect(BootLine("ip=dhcp,0,\(longest)x").network == ["* dhcp"])
    #expect(BootLine("ip=dhcp,0,\(longest)x").errors.count == 1)
  }

  @Test("a network of two addresses has no broadcast address")
  func pointToPoint() {
    #expect(BootLine("ip=10.1.2.2::10.1.2.3:31").network == ["* static 10.1.2.2 /31 gw=10.1.2.3"])
  }

  @Test(
    "double quotes around the word or the value change nothing", arguments: [#""ip=eth0:dhcp""#, #"ip="eth0:dhcp""#])
  func quotes(line: String) { #expect(BootLine(line).network == ["eth0 dhcp"]) }

  @Test("words after -- are not the kernel's")
  func afterTheDashes() {
    let read = BootLine("ip=dhcp -- ip=192.168.1.21 filter=off")
    #expect(read.network == ["* dhcp"])
    #expect(read.filter)
  }

  @Test("the name is the kernel's, in its case", arguments: ["IP=dhcp", "xip=dhcp", "ip.x=dhcp", "ip_=dhcp"])
  func otherNames(line: String) { #expect(BootLine(line).network == ["* any"]) }

  // MARK: Several words

  @Test("several words configure several cards, in their order")
  func severalCards() {
    let read = BootLine("ip=eth1:dhcp ip=192.168.1.21::192.168.1.1:255.255.255.0::eth0: ip=eth2:rarp")
    #expect(
      read.network == ["eth1 dhcp", "eth0 static 192.168.1.21 /24 gw=192.168.1.1", "eth2 rarp"])
    #expect(read.sentences == [])
  }

  @Test("of the words without a card the last counts, and those with one stay")
  func lastWithoutCard() {
    let read = BootLine("ip=dhcp ip=eth1:rarp ip=192.168.1.21:192.168.1.9:192.168.1.1:255.255.255.0")
    #expect(read.network == ["eth1 rarp", "* static 192.168.1.21 /24 gw=192.168.1.1 server=192.168.1.9"])
    #expect(read.sentences == [])
  }

  @Test("a host name outlives the word that a boot loader's replaces")
  func hostNameStays() {
    #expect(BootLine("ip=::::drone7.lab::dhcp ip=10.0.0.5").network == ["* static 10.0.0.5 /8 name=drone7 domain=lab"])
    #expect(BootLine("ip=::::drone7.lab::dhcp ip=10.0.0.5::::x").network == ["* static 10.0.0.5 /8 name=x"])
  }

  @Test("the drone's host name is the first one given")
  func firstHostName() {
    let read = BootLine("ip=eth0:dhcp ip=::::one.lab:eth1: ip=::::two:eth2:")
    #expect(read.hostName.map(text) == "one")
    #expect(read.domain.map(text) == "lab")
  }

  @Test("a card named twice is an error that quotes both words, and the last counts")
  func cardTwice() {
    let read = BootLine("ip=eth0:dhcp ip=192.168.1.21:::::eth0")
    #expect(read.network == ["eth0 static 192.168.1.21 /24"])
    #expect(
      read.sentences == [
        #""ip=192.168.1.21:::::eth0", field 6 (device): "eth0" is configured by "ip=eth0:dhcp" too; the later word counts."#
      ])
  }

  @Test("an address given to two cards is an error, and the first keeps it")
  func addressTwice() {
    let read = BootLine("ip=192.168.1.21:::::eth0 ip=192.168.1.21:::::eth1")
    #expect(read.network == ["eth0 static 192.168.1.21 /24", "eth1 off"])
    #expect(
      read.sentences == [
        #""ip=192.168.1.21:::::eth1", field 1 (address): 192.168.1.21 is given to a card by "ip=192.168.1.21:::::eth0" "#
          + "already; no address is set."
      ])
  }

  @Test("a card that cannot exist does not undo the word without a card")
  func wrongCardBesideGood() {
    #expect(BootLine("ip=dhcp ip=10.0.0.5:::::et/h0").network == ["* dhcp", "* off"])
  }

  // MARK: BOOTIF

  @Test(
    "BOOTIF names the card of the boot, with or without the hardware type",
    arguments: [
      "BOOTIF=01-52-54-00-12-34-56", "BOOTIF=52-54-00-12-34-56", "BOOTIF=52:54:00:12:34:56",
      "BOOTIF=01:52:54:00:12:34:56", "BOOTIF=01-52-54-00-12-AB-CD BOOTIF=01-52-54-00-12-34-56",
    ])
  func bootInterface(line: String) {
    let read = BootLine(line)
    #expect(read.bootInterface.map { text($0.text) } == "52:54:00:12:34:56")
    #expect(read.network == ["* any"])
    #expect(read.sentences == [])
  }

  @Test(
    "a BOOTIF that is no card's address is an error",
    arguments: [
      "BOOTIF", "BOOTIF=", "BOOTIF=eth0", "BOOTIF=20-52-54-00-12-34-56", "BOOTIF=01-52-54-00-12-34",
      "BOOTIF=01-00-00-00-00-00-00", "BOOTIF=01-ff-ff-ff-ff-ff-ff", "BOOTIF=01-52-54-00-12-34-5g",
    ])
  func wrongBootInterface(line: String) {
    let read = BootLine(line)
    #expect(read.bootInterface == nil)
    #expect(read.errors.count == 1)
    #expect(read.sentences.first?.hasPrefix("\"\(line)\": ") == true)
  }
}
