import Bytes
import Integrity
import Testing

func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

let digest = [UInt8](repeating: 0xAB, count: 32)

let sample = Baseline(entries: [
  BaselineEntry(path: bytes("/"), kind: .directory, mode: 0o755),
  BaselineEntry(path: bytes("/etc/a file"), kind: .file(size: 1234, digest: digest), mode: 0o644, owner: 1, group: 2),
  BaselineEntry(path: bytes("/bin/ls"), kind: .symbolicLink(target: bytes("busybox")), mode: 0o777),
  BaselineEntry(path: bytes("/dev/console"), kind: .characterDevice(major: 5, minor: 1), mode: 0o600),
  BaselineEntry(path: bytes("/dev/ram0"), kind: .blockDevice(major: 1, minor: 0), mode: 0),
])

@Suite struct BaselineTests {
  @Test("a baseline is text that people can read")
  func golden() {
    let text = """
      droneforge-baseline 2
      d 755 0 0 /
      f 644 1 2 1234 \(String(repeating: "ab", count: 32)) /etc/a file
      l 777 0 0 /bin/ls\tbusybox
      c 600 0 0 5:1 /dev/console
      b 0 0 0 1:0 /dev/ram0
      end 5

      """
    #expect(sample.text == bytes(text))
  }

  @Test("a baseline of SHA-256 digests, as before version 0.3.0, is none")
  func former() {
    #expect(throws: Baseline.ParseError.heading) { try Baseline(text: bytes("droneforge-baseline 1\nend 0\n")) }
  }

  @Test("what is written is read back")
  func roundTrip() throws {
    let text = try #require(sample.text)
    #expect(try Baseline(text: text) == sample)
  }

  @Test("no part of a baseline passes for a whole one")
  func cut() throws {
    let text = try #require(sample.text)
    for count in 0..<text.count {
      #expect(throws: Baseline.ParseError.self) { try Baseline(text: [UInt8](text[..<count])) }
    }
    #expect(throws: Baseline.ParseError.cut) { try Baseline(text: text + bytes("d 755 0 0 /x\n")) }
  }

  @Test(
    "a line that is not an entry is named by its number",
    arguments: [
      "", "d", "d 755 0 0", "d 755 0 0 ", "d 755 0 0 etc", "d 999 0 0 /x", "d 17777 0 0 /x", "x 755 0 0 /x",
      "d 755 -1 0 /x", "d 755 4294967296 0 /x", "f 644 0 0 1 ab /x",
      "f 644 0 0 one \(String(repeating: "ab", count: 32)) /x",
      "f 644 0 0 1 \(String(repeating: "zz", count: 32)) /x", "l 777 0 0 /x", "l 777 0 0 /x\t", "c 600 0 0 5 /x",
      "c 600 0 0 5:x /x", "dd 755 0 0 /x",
    ])
  func bad(line: String) {
    #expect(throws: Baseline.ParseError.line(2)) {
      try Baseline(text: bytes("droneforge-baseline 2\n\(line)\nend 1\n"))
    }
  }

  @Test("the baseline's own file is added when it is read, and may not be in its text")
  func own() throws {
    let text = try #require(sample.text)
    let whole = try Baseline.sealed(text, digest: digest)
    #expect([BaselineEntry](whole.entries.dropLast()) == sample.entries)
    let kind = BaselineEntry.Kind.file(size: UInt64(text.count), digest: digest)
    #expect(whole.entries.last == BaselineEntry(path: bytes("/etc/baseline"), kind: kind, mode: 0o644))
    let again = try #require(whole.text)
    #expect(throws: Baseline.ParseError.line(7)) { try Baseline(text: again) }
  }

  @Test("a path that the text cannot hold is refused when it is written", arguments: ["/a\tb", "/a\nb", "a", ""])
  func unwritable(path: String) {
    #expect(Baseline(entries: [BaselineEntry(path: bytes(path), kind: .directory, mode: 0o755)]).text == nil)
  }

  @Test("any single byte changed gives another baseline or an error, never the same")
  func singleBytes() throws {
    let text = try #require(sample.text)
    for index in text.indices {
      for flip in [1, 0x20, 0x80] as [UInt8] {
        var damaged = text
        damaged[index] ^= flip
        // Hexadecimal digits may be of either case: the one change that means the same.
        if flip == 0x20, hexadecimalDigit(text[index]) != nil, hexadecimalDigit(damaged[index]) != nil { continue }
        #expect((try? Baseline(text: damaged)) != sample)
      }
    }
  }
}
