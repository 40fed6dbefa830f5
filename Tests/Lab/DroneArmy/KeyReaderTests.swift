import Testing

@testable import DroneArmy

@Suite struct KeyReaderTests {
  /// What the keys mean, questions left out.
  private func meaning(_ text: String, count: Int = 3) -> [KeyReader.Key] {
    var reader = KeyReader(count: count)
    return reader.read([UInt8](text.utf8)).filter { if case .asking = $0 { false } else { true } }
  }

  @Test(
    "Ctrl-A and a key are for the army, the rest is typed on the drone",
    arguments: [
      ("ls\r", [.typed([0x6C, 0x73, 0x0D])]),
      ("a\u{1}k2b", [.typed([0x61]), .kill(2), .typed([0x62])]),
      ("\u{1}r1\u{1}u3\u{1}p3", [.reboot(1), .unplug(3), .plug(3)]),
      ("\u{1}c2\u{1}m\u{1}w", [.console(2), .monitor, .work]),
      ("\u{3}", [.end]),
      ("\u{1}q", [.end]),
      // The two keys themselves, for the drone.
      ("\u{1}a", [.typed([1])]),
      ("\u{1}\u{1}", [.typed([1])]),
      ("\u{1}\u{3}", [.typed([3])]),
      // What is no key of the army is passed over, and what follows is typed again.
      ("\u{1}zx", [.typed([0x78])]),
      ("\u{1}kx2", [.typed([0x32])]),
      ("\u{1}k4x", [.typed([0x78])]),
      ("\u{1}k0\r", []),
      // An arrow key, and a letter of two bytes.
      ("\u{1B}[Aä", [.typed([0x1B, 0x5B, 0x41, 0xC3, 0xA4])]),
    ] as [(String, [KeyReader.Key])])
  func keys(_ typed: String, _ expected: [KeyReader.Key]) {
    #expect(meaning(typed) == expected)
    var reader = KeyReader(count: 3)
    let bytewise = typed.utf8.flatMap { reader.read([$0]) }.filter { if case .asking = $0 { false } else { true } }
    #expect(flattened(bytewise) == flattened(expected))
  }

  /// Typed bytes one by one, so that it does not count how they came.
  private func flattened(_ keys: [KeyReader.Key]) -> [KeyReader.Key] {
    keys.flatMap { key in
      if case .typed(let bytes) = key { bytes.map { KeyReader.Key.typed([$0]) } } else { [key] }
    }
  }

  @Test("Enter is needed only where another digit could follow")
  func digits() {
    #expect(meaning("\u{1}k2", count: 20) == [])
    #expect(meaning("\u{1}k2\r", count: 20) == [.kill(2)])
    #expect(meaning("\u{1}k20", count: 20) == [.kill(20)])
    #expect(meaning("\u{1}k3", count: 20) == [.kill(3)])
    #expect(meaning("\u{1}k100", count: 200) == [.kill(100)])
  }

  @Test("a number that no drone has is said to be none")
  func noDrone() {
    var reader = KeyReader(count: 3)
    #expect(
      reader.read([1, UInt8(ascii: "k"), UInt8(ascii: "7")]).last
        == .asking("There is no such drone: they are numbered from 1 to 3."))
  }
}
