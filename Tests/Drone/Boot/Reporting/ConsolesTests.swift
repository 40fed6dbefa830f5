import Addresses
import Testing

@testable import Reporting

@Suite("Consoles")
struct ConsolesTests {
  @Test(
    "the kernel's terminals are read from /proc/consoles",
    arguments: [
      ("ttyS0                -W- (EC p a)    4:64\n", ["ttyS0"]),
      ("tty0                 -WU (EC  p  )    4:1\nttyS0                -W- (E  p a)    4:64\n", ["tty1", "ttyS0"]),
      ("netcon0              -W- (E     )\nttyS1 -W-\nttyS1 -W-\n", ["ttyS1"]),
      ("", []),
      ("tty/../sda -W-\n", []),
    ] as [(String, [String])])
  func consoles(_ text: String, _ expected: [String]) {
    let found = consoleTerminals(procConsoles: Array(text.utf8))
    #expect(found.map { String(decoding: $0, as: UTF8.self) } == expected)
  }

  @Test(
    "a screen of the kernel is TERM=linux, a wire vt102",
    arguments: [("tty1", "linux"), ("tty63", "linux"), ("ttyS0", "vt102"), ("ttyUSB0", "vt102"), ("hvc0", "vt102")])
  func types(_ name: String, _ expected: String) {
    #expect(String(decoding: terminalType(Array(name.utf8)), as: UTF8.self) == expected)
  }
}
