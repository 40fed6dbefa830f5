/// An entry of a directory, 32 bytes (Microsoft FAT Specification, §6, §7).
struct FATEntry: Equatable {
  /// The long name where there is one, otherwise the short one, its letters as the entry says that they are.
  var name: String
  /// The short name's eleven bytes.
  var short: [UInt8]
  var attributes: UInt8
  var cluster: Int
  var size: Int

  var isDirectory: Bool { attributes & 0x10 != 0 }

  /// Reads a directory's entries up to the mark of its end, without the volume's label, and says what is wrong with them.
  static func all(in bytes: [UInt8], isRoot: Bool, _ wrong: inout [String]) -> [FATEntry] {
    var reader = EntryReader(isRoot: isRoot)
    for start in stride(from: 0, to: bytes.count - 31, by: 32) {
      if bytes[start] == 0 { break }
      if bytes[start] == 0xE5 {
        reader.drop()
        continue
      }
      reader.read([UInt8](bytes[start..<start + 32]))
    }
    reader.drop()
    wrong += reader.wrong
    return reader.entries
  }
}

private struct EntryReader {
  let isRoot: Bool
  var entries: [FATEntry] = []
  var wrong: [String] = []
  /// The parts of a long name that came so far, the last first (§7): how many are to come, and the short name's check sum.
  private var parts: (units: [[UInt16]], left: Int, sum: UInt8)?

  init(isRoot: Bool) { self.isRoot = isRoot }

  mutating func read(_ bytes: [UInt8]) {
    let attributes = bytes[11]
    if attributes & 0x3F == 0x0F {
      longPart(bytes)
      return
    }
    let short = [UInt8](bytes[..<11])
    let long = longName(for: short)
    // Bits of byte 12, by which Windows and Linux write base and extension in small letters.
    let name = long ?? shortName(short, lowerBase: bytes[12] & 8 != 0, lowerExtension: bytes[12] & 16 != 0)
    if attributes & 0xC0 != 0 { wrong.append("\(name) has unknown attributes") }
    if attributes & 0x18 == 0x08 {
      if !isRoot { wrong.append("\(name) is a volume's label outside the root directory") }
      return
    }
    if attributes & 0x18 == 0x18 {
      wrong.append("\(name) is a label and a directory at once")
      return
    }
    if bytes.word(20) != 0 { wrong.append("\(name) has a cluster's number as in FAT32") }
    entries.append(
      FATEntry(
        name: name, short: short, attributes: attributes, cluster: Int(bytes.word(26) ?? 0),
        size: Int(bytes.long(28) ?? 0)))
  }

  private mutating func longPart(_ bytes: [UInt8]) {
    let order = Int(bytes[0])
    let units = ([1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30] as [Int]).map { bytes.word($0) ?? 0 }
    if order & 0x40 != 0 {
      drop()
      parts = ([units], (order & 0x3F) - 1, bytes[13])
    } else if let known = parts, known.left == order, order > 0, known.sum == bytes[13] {
      parts = (known.units + [units], order - 1, known.sum)
    } else {
      drop()
      wrong.append("a part of a long name is without the others")
      return
    }
    if let known = parts, known.left < 0 || known.left > 19 {
      parts = nil
      wrong.append("a long name has \(order & 0x3F) parts")
    }
    if bytes[12] != 0 || bytes.word(26) != 0 { wrong.append("a part of a long name is of an unknown kind") }
  }

  /// What came of a long name has no short one behind it.
  mutating func drop() {
    if parts != nil { wrong.append("a long name belongs to no file") }
    parts = nil
  }

  private mutating func longName(for short: [UInt8]) -> String? {
    guard let known = parts else { return nil }
    guard known.left == 0, known.sum == checkSum(short) else {
      drop()
      return nil
    }
    parts = nil
    let units = known.units.reversed().flatMap(\.self)
    let name = units.prefix { $0 != 0 }
    // Behind its end there is one zero, and then ones.
    if units.dropFirst(name.count + 1).contains(where: { $0 != 0xFFFF }) || units.count - name.count > 13 {
      wrong.append("a long name does not end as one")
    }
    let text = String(decoding: name, as: UTF16.self)
    let isFit = name.allSatisfy { $0 >= 0x20 && !(#"\/:*?"<>|"#.utf16.contains($0)) }
    guard isFit, !text.isEmpty, name.count <= 255, name != [0x2E], name != [0x2E, 0x2E] else {
      wrong.append("a long name is none that a file may have")
      return nil
    }
    return text
  }

  private mutating func shortName(_ short: [UInt8], lowerBase: Bool, lowerExtension: Bool) -> String {
    func text(_ bytes: ArraySlice<UInt8>, _ lower: Bool) -> String {
      var scalars = String.UnicodeScalarView()
      let end = (bytes.lastIndex { $0 != 0x20 } ?? bytes.startIndex - 1) + 1
      for byte in bytes[..<end] { scalars.append(UnicodeScalar(byte)) }
      return lower ? String(scalars).lowercased() : String(scalars)
    }
    let (base, end) = (text(short[..<8], lowerBase), text(short[8...], lowerExtension))
    let name = end.isEmpty ? base : "\(base).\(end)"
    if name == "." || name == ".." { return name }
    // §6.1; bytes above 127 mean something else in every country.
    let isFit = short.allSatisfy {
      (0x20...0x7E).contains($0) && !(0x61...0x7A).contains($0) && !#""*+,./:;<=>?[\]|"#.utf8.contains($0)
    }
    guard isFit, short[0] != 0x20 else {
      wrong.append("a short name is none that a file may have")
      return "?"
    }
    return name
  }

  /// Of a short name, which its long one carries (§7.2).
  private func checkSum(_ short: [UInt8]) -> UInt8 { short.reduce(0) { ($0 >> 1 | $0 << 7) &+ $1 } }
}
