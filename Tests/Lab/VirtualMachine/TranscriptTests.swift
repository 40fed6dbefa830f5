import Testing

@testable import VirtualMachine

@Suite struct TranscriptTests {
  @Test(
    "control sequences are taken out",
    arguments: [
      ("\u{1B}[1;32mok\u{1B}[0m", "ok"),
      ("\u{1B}[6nprompt# ", "prompt# "),
      ("\u{1B}(B\u{1B}[?25hx", "x"),
      ("\u{1B}]0;a title\u{7}after", "after"),
      ("line\r\n", "line\n"),
      ("\u{1B}7saved", "saved"),
    ])
  func controls(_ printed: String, _ plain: String) {
    var whole = Transcript()
    whole.append(printed.utf8)
    #expect(String(decoding: whole.text, as: UTF8.self) == plain)
    var bytewise = Transcript()
    for byte in printed.utf8 { bytewise.append([byte]) }
    #expect(bytewise.text == whole.text)
  }

  @Test("a search goes on after what was found before")
  func search() {
    var transcript = Transcript()
    transcript.append("one # two # ".utf8)
    #expect(transcript.find([UInt8]("# ".utf8)) == [UInt8]("one ".utf8))
    #expect(transcript.find([UInt8]("one".utf8)) == nil)
    #expect(transcript.find([UInt8]("# ".utf8)) == [UInt8]("two ".utf8))
    #expect(transcript.find([UInt8]("# ".utf8)) == nil)
  }

  @Test("of several texts the first on the console counts, not the first in the list")
  func first() {
    var transcript = Transcript()
    transcript.append("boot failed, then a prompt".utf8)
    #expect(transcript.findFirst(of: ["prompt", "failed"].map { [UInt8]($0.utf8) })?.index == 1)
  }

  @Test(
    "a lost kernel is noticed, once its line is whole",
    arguments: [
      "Kernel panic - not syncing: Attempted to kill init!", "BUG: unable to handle page fault", "Oops: 0002",
    ])
  func alarms(_ line: String) {
    var transcript = Transcript()
    transcript.append("[    1.2] \(line)".utf8)
    #expect(transcript.alarm() == nil)
    transcript.append("\n".utf8)
    #expect(transcript.alarm() == "[    1.2] \(line)")
    #expect(transcript.alarm() == nil)
  }

  @Test("a boot word that mentions panic is no panic")
  func panicWord() {
    var transcript = Transcript()
    transcript.append("Kernel command line: panic=10 panic_on_oops\n".utf8)
    #expect(transcript.alarm() == nil)
  }
}

@Suite struct ScreenTests {
  /// A window of VGA memory with `text` at a cell, colours 0x07.
  static func memory(_ text: String, at cell: Int) -> [UInt8] {
    var memory = [UInt8](repeating: 0, count: 0x8000)
    for (index, byte) in text.utf8.enumerated() {
      memory[(cell + index) * 2 % 0x8000] = byte
      memory[(cell + index) * 2 % 0x8000 + 1] = 7
    }
    return memory
  }

  @Test("a scrolled screen starts where the CRTC says, and goes on at the window's start", arguments: [0, 160, 16_380])
  func start(_ start: Int) {
    let screen = Screen(memory: Self.memory("hello", at: start + 80), start: start)
    #expect(screen.lines[1] == "hello")
    #expect(screen.lines.count == 25)
  }

  @Test("a text wrapped at the right edge is found")
  func wrapped() {
    let screen = Screen(memory: Self.memory("initrd=/chaos/chaos.rdz", at: 70), start: 0)
    #expect(screen.contains("initrd=/chaos/chaos.rdz"))
    #expect(!screen.contains("bzImage"))
  }
}
