import BootLine
import Testing

/// The line is cut as the kernel cuts it.
@Suite struct WordTests {
  @Test(
    "white space outside double quotes separates",
    arguments: [
      ("", []),
      (" \t\n ", []),
      ("a b=c  d=\n", ["a", "b|c", "d|"]),
      ("a=b=c", ["a|b=c"]),
      ("=a", ["=a"]),
      ("=a=b", ["=a|b"]),
      (#"a="b c" d"#, ["a|b c", "d"]),
      (#""a=b c" d"#, ["a|b c", "d"]),
      (#"a=b" "c"#, [#"a|b" "c"#]),
      (#"a="""#, ["a|"]),
      (#""""#, [""]),
      (#"a"b c"=d"#, [#"a"b c"|d"#]),
      ("a -- b", ["a"]),
      ("--x=1 a", ["--x|1", "a"]),
      ("--=1 a", ["--|1", "a"]),
      ("a\u{0}b c", ["a"]),
      ("a\u{B}b\u{C}c\rd", ["a", "b", "c", "d"]),
    ] as [(String, [String])])
  func cutting(line: String, expected: [String]) {
    let read = BootLine(line)
    #expect(read.words.map { word in text(word.name) + (word.value.map { "|\(text($0))" } ?? "") } == expected)
    #expect(read.sentences == [])
  }

  @Test("0xA0 separates, as in the kernel's table of characters")
  func noBreakSpace() {
    #expect(BootLine([0x61, 0xA0, 0x62]).words.map(\.name) == [[0x61], [0x62]])
  }

  @Test("a double quote that is never closed is reported, for it swallows the rest of the line")
  func unclosed() {
    let read = BootLine(#"a="b ip=dhcp filter=off"#)
    #expect(read.network == ["* any"])
    #expect(read.filter)
    #expect(read.errors.count == 1)
    #expect(read.sentences.first?.contains("double quote is never closed") == true)
  }

  @Test("words that mean nothing to a drone are no error")
  func unknown() {
    let line =
      "BOOT_IMAGE=/chaos/bzImage root=/dev/ram0 initrd=/chaos/chaos.rdz rw quiet nomodeset i8042.nopnp panic=10 HTTPD=1"
    #expect(BootLine(line).sentences == [])
    #expect(BootLine(line).words.count == 9)
  }
}
