/// What the rules need to know of a Swift file: its imports, and its literals outside comments.
public struct SourceText: Equatable, Sendable {
  public struct Found: Equatable, Sendable {
    public var text: String
    /// Counted from 1.
    public var line: Int
  }

  public private(set) var imports: [Found] = []
  public private(set) var strings: [Found] = []
  public private(set) var numbers: [Found] = []

  public init(_ text: String) {
    let bytes = Array(text.utf8)
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      if let module = SourceText.importedModule(line) { imports.append(Found(text: module, line: index + 1)) }
    }
    var scanner = Scanner(bytes: bytes)
    scanner.scan()
    strings = scanner.strings
    numbers = scanner.numbers
  }

  /// `@testable import struct Foundation.URL` gives `Foundation`.
  private static func importedModule(_ line: ArraySlice<UInt8>) -> String? {
    guard line.first.map({ $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "i") || $0 == UInt8(ascii: "p") }) == true
    else { return nil }
    let words = String(decoding: line, as: UTF8.self).split(separator: " ")
    guard let place = words.firstIndex(of: "import"), place <= 1 else { return nil }
    let kinds = ["class", "struct", "enum", "func", "protocol"]
    return words.dropFirst(place + 1).first { !kinds.contains(String($0)) }.map { String($0.prefix { $0 != "." }) }
  }
}

private struct Scanner {
  let bytes: [UInt8]
  var place = 0
  var line = 1
  var strings: [SourceText.Found] = []
  var numbers: [SourceText.Found] = []

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func scan() {
    while place < bytes.count {
      let byte = bytes[place]
      if follows("//") {
        while place < bytes.count, bytes[place] != UInt8(ascii: "\n") { place += 1 }
      } else if follows("/*") {
        skip(to: "*/")
      } else if follows("\"\"\"") {
        place += 3
        let start = place
        let first = line
        let end = skip(to: "\"\"\"")
        strings.append(.init(text: String(decoding: bytes[start..<end], as: UTF8.self), line: first))
      } else if byte == UInt8(ascii: "\"") {
        readString()
      } else if Scanner.isWord(byte) {
        readWord()
      } else {
        if byte == UInt8(ascii: "\n") { line += 1 }
        place += 1
      }
    }
  }

  private func follows(_ mark: StaticString) -> Bool {
    guard bytes[place] == mark.utf8Start[0] else { return false }
    return mark.withUTF8Buffer { bytes[place...].starts(with: $0) }
  }

  /// Goes behind a mark, and returns where it begins: the end of the file if it is not there.
  @discardableResult
  private mutating func skip(to mark: StaticString) -> Int {
    while place < bytes.count {
      if follows(mark) {
        defer { place += mark.utf8CodeUnitCount }
        return place
      }
      if bytes[place] == UInt8(ascii: "\n") { line += 1 }
      place += 1
    }
    return place
  }

  /// Up to the quote that ends it, or to the end of the line; what is interpolated belongs to it.
  private mutating func readString() {
    place += 1
    let start = place
    var depth = 0
    while place < bytes.count, bytes[place] != UInt8(ascii: "\n") {
      let byte = bytes[place]
      if byte == UInt8(ascii: "\\") {
        place += 1
        if place < bytes.count, bytes[place] == UInt8(ascii: "(") { depth += 1 }
      } else if depth > 0 {
        if byte == UInt8(ascii: "(") { depth += 1 }
        if byte == UInt8(ascii: ")") { depth -= 1 }
      } else if byte == UInt8(ascii: "\"") {
        break
      }
      place += 1
    }
    place = min(place, bytes.count)
    strings.append(.init(text: String(decoding: bytes[start..<place], as: UTF8.self), line: line))
    if place < bytes.count, bytes[place] == UInt8(ascii: "\"") { place += 1 }
  }

  private mutating func readWord() {
    let start = place
    while place < bytes.count, Scanner.isWord(bytes[place]) { place += 1 }
    guard bytes[start] >= UInt8(ascii: "0"), bytes[start] <= UInt8(ascii: "9") else { return }
    let digits = bytes[start..<place].filter { $0 != UInt8(ascii: "_") }
    numbers.append(.init(text: String(decoding: digits, as: UTF8.self), line: line))
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...0xFF:
      true
    default: false
    }
  }
}
