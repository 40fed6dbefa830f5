import Testing

@testable import Image

@Suite struct KeyboardLayoutTests {
  @Test("a layout names a character for each of its keys, all in Latin-1", arguments: KeyboardLayout.all.map(\.name))
  func complete(name: String) throws {
    let layout = try #require(KeyboardLayout.all.first { $0.name == name })
    for row in [layout.plain, layout.shift, layout.altGr] {
      #expect(row.unicodeScalars.count == KeyboardLayout.keys.count)
      #expect(row.unicodeScalars.allSatisfy { $0.value < 0x100 })
    }
    let table = layout.table
    #expect(table.starts(with: "bkeymap".utf8))
    #expect(table.count == 7 + 256 + 7 * 128 * 2)
  }

  @Test(
    "keys give what is printed on them",
    arguments: [
      ("us", 0, 16, 0x0B00 | 0x71),  // q
      ("us", 1, 3, 0x40),  // Shift 2: @
      ("us", 4, 46, 0x03),  // Control c
      ("us", 12, 111, 0x020C),  // Control Alt Delete
      ("us", 8, 59, 0x0500),  // Alt F1
      ("de", 0, 21, 0x0B00 | 0x7A),  // z
      ("de", 2, 16, 0x40),  // AltGr q: @
      ("de", 4, 44, 0x19),  // Control y
      ("fr", 0, 16, 0x0B00 | 0x61),  // a
      ("fr", 1, 2, 0x31),  // Shift &: 1
      ("uk", 1, 4, 0xA3),  // Shift 3: £
    ])
  func keys(name: String, modifiers: Int, key: Int, action: Int) throws {
    let table = try #require(KeyboardLayout.all.first { $0.name == name }).table
    let before = table[7..<7 + modifiers].count { $0 == 1 }
    let offset = 7 + 256 + (before * 128 + key) * 2
    #expect(Int(table[offset]) | Int(table[offset + 1]) << 8 == action)
  }
}
