import ArgumentParser
import BootLine
import Testing

@testable import droneforge

/// What `droneforge explain` prints.
@Suite struct ExplainTests {
  private static let howTo =
    "/chaos/bzImage root=/dev/ram0 initrd=/chaos/chaos.rdz rw boot=/dev/cdrom:iso9660 "
    + "ip=192.168.1.21::192.168.1.1:255.255.255.0:::"

  private func json(_ line: String) -> String { explanationAsJSON(of: BootLine(Array(line.utf8))).text }
  private func sentences(_ line: String) -> String { explanation(of: BootLine(Array(line.utf8))) }

  @Test("the HowTo's line as JSON, to the byte")
  func howToJSON() {
    #expect(
      json(ExplainTests.howTo) == #"{"interfaces":[{"device":null,"method":"static","address":"192.168.1.21","#
        + #""netmask":"255.255.255.0","gateway":"192.168.1.1","server":null,"hostname":null,"domain":null,"dns":[],"#
        + #""ntp":[]}],"words":{"/chaos/bzImage":null,"root":"/dev/ram0","initrd":"/chaos/chaos.rdz","rw":null,"#
        + #""boot":"/dev/cdrom:iso9660"},"errors":[]}"#)
  }

  @Test("the kernel's ten fields as JSON")
  func tenFields() {
    #expect(
      json("ip=10.0.0.5:10.0.0.2:10.0.0.1:16:d5.lab:eth1:off:10.0.0.3:10.0.0.4:10.0.0.6")
        == #"{"interfaces":[{"device":"eth1","method":"static","address":"10.0.0.5","netmask":"255.255.0.0","#
        + #""gateway":"10.0.0.1","server":"10.0.0.2","hostname":"d5","domain":"lab","dns":["10.0.0.3","10.0.0.4"],"#
        + #""ntp":["10.0.0.6"]}],"words":{},"errors":[]}"#)
  }

  @Test("each method has its word", arguments: ["dhcp", "bootp", "rarp", "any", "off"])
  func methods(word: String) { #expect(json("ip=\(word)").contains(#""method":"\#(word)","#)) }

  @Test("what only some words say appears only then")
  func extras() {
    #expect(json("ip=both").contains(#""method":"any","address":null"#))
    #expect(json("ip=both").contains(#""ntp":[],"protocols":["bootp","rarp"]}"#))
    #expect(json("ip=eth0:dhcp:1500:52:54:00:12:34:56").contains(#""ntp":[],"mtu":1500,"mac":"52:54:00:12:34:56"}"#))
    #expect(json("ip=dhcp,1,x").contains(#""ntp":[],"clientIdentifier":{"type":1,"identifier":"x"}}"#))
  }

  @Test("of several words the last counts, but all consoles do")
  func repeated() {
    #expect(
      json("filter=off console=tty0 filter=on console=ttyS0 console=hvc0").hasSuffix(
        #""words":{"filter":"on","console":["tty0","ttyS0","hvc0"]},"errors":[]}"#))
    #expect(json("console=tty0").contains(#""words":{"console":"tty0"}"#))
  }

  @Test("errors are sentences, and what JSON forbids in a string is escaped")
  func errors() {
    #expect(
      json("filter=maybe").hasSuffix(
        #""errors":["\"filter=maybe\": \"maybe\" is not allowed, only on or off; the word is ignored."]}"#))
    #expect(json("\"a=\u{1}\\\u{7F}é\"").contains(#""words":{"a":"\u0001\\\u007fé"}"#))
  }

  @Test("a person reads one line for each card, then the settings, the kernel's words and the errors")
  func text() {
    #expect(
      sentences(ExplainTests.howTo + " ip=eth1:dhcp filter=maybe") == """
        Network
          The first other card with link, eth0 first, gets the static address 192.168.1.21, netmask 255.255.255.0, \
        gateway 192.168.1.1.
          eth1 asks for its address by DHCP.
          The host name is chaos-c0a80115, made from the address.

        Drone
          boot        mounts /dev/cdrom (iso9660) read-only on /mnt/boot
          filter      closes the packet filter before the network comes up
          certaintyd  watches the root and reboots when it changes
          tyd         joins no cluster by itself
          shell       starts a shell on each console

        Left to the kernel
          /chaos/bzImage root=/dev/ram0 initrd=/chaos/chaos.rdz rw

        Errors
          "filter=maybe": "maybe" is not allowed, only on or off; the word is ignored.
        """)
  }

  @Test(
    "each way to get an address has its sentence",
    arguments: [
      ("", "Every card with link asks for its address by DHCP, BOOTP and RARP; the first answer wins."),
      ("ip=both", "Every card with link asks for its address by BOOTP and RARP; the first answer wins."),
      ("ip=off", "No card is configured."),
      ("ip=off", "The host name is chaos- and the address in hexadecimal, once it has one."),
      ("ip=rarp ip=eth1:bootp", "Every other card with link asks for its address by RARP; the first answer wins."),
      ("ip=eth0:off", "eth0 is not configured."),
      ("ip=eth0:any", "eth0 asks for its address by DHCP, BOOTP and RARP; the first answer wins."),
      (
        "BOOTIF=01-52-54-00-12-34-56",
        "The card 52:54:00:12:34:56, which it was booted from, asks for its address by DHCP, BOOTP and RARP; the first "
          + "answer wins."
      ),
      (
        "ip=::10.0.0.1:8:::dhcp:10.0.0.3:10.0.0.4",
        "Every card with link asks for its address by DHCP, with the netmask 255.0.0.0 and the gateway 10.0.0.1 whatever "
          + "the server says; the first answer wins; DNS 10.0.0.3 and 10.0.0.4."
      ),
      ("ip=::::d5.lab::dhcp", "The host name is d5, its domain lab."),
      ("tyd=192.168.1.11", "joins the cluster of 192.168.1.11"),
    ])
  func sentences(line: String, expected: String) { #expect(sentences(line).contains(expected)) }

  @Test(
    "the exit status is 1 when the line has errors",
    arguments: [["filter=maybe"], ["--json", "filter=maybe"], ["rw filter=maybe", "--json"]])
  func exitStatus(arguments: [String]) throws {
    #expect(throws: ExitCode(1)) { try Explain.parse(arguments).run() }
  }

  @Test(
    "several arguments are one line, and an empty one is a line too", arguments: [["ip=dhcp", "filter=off"], [""]])
  func success(arguments: [String]) throws { try Explain.parse(arguments).run() }

  @Test("no byte of the line reaches the terminal as a control character")
  func harmless() {
    let line: [UInt8] = Array("\u{1B}[2J ip=\u{1B}[2J:dhcp console=\u{9B}x \"ip=dhcp,1,\u{7}\"".utf8) + [0x9B, 0xFF]
    let printed = explanation(of: BootLine(line)).unicodeScalars
    #expect(printed.allSatisfy { $0 == "\n" || (" "..."~").contains($0) })
  }
}
