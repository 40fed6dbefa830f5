/// One piece of a Swift file: what comments hold is none.
struct Token: Equatable {
  enum Kind {
    /// A name, a keyword, or the digits behind a point.
    case word
    /// As it is written: `0xCCE`, `3_278`.
    case number
    /// What a literal says between its quotes, its line ends and its interpolations; the tokens of an interpolation stand
    /// between its two pieces. A literal without interpolation on one line is one token, also when it is empty.
    case string
    /// Any other character.
    case mark
  }

  var kind: Kind
  var text: String
  /// Counted from 1.
  var line: Int

  func isMark(_ character: String) -> Bool { kind == .mark && text == character }
  func isWord(_ word: String) -> Bool { kind == .word && text == word }
}

/// Takes Swift apart as far as the rules need it: comments in comments, strings of one line and of several, raw ones,
/// interpolations in them, and regular expressions between slashes. Any bytes give tokens.
struct Tokenizer {
  private let bytes: [UInt8]
  private var place = 0
  private var line = 1
  private(set) var tokens: [Token] = []

  init(_ text: String) {
    bytes = Array(text.utf8)
    while place < bytes.count { readNext() }
  }

  private func byte(_ offset: Int = 0) -> UInt8? {
    let index = place + offset
    return index < bytes.count ? bytes[index] : nil
  }

  private mutating func step() {
    if byte() == newline { line += 1 }
    place += 1
  }

  private mutating func append(_ kind: Token.Kind, _ range: Range<Int>, line: Int) {
    tokens.append(Token(kind: kind, text: String(decoding: bytes[range], as: UTF8.self), line: line))
  }

  private mutating func readNext() {
    guard let first = byte() else { return }
    if first == slash, byte(1) == slash {
      while let next = byte(), next != newline { place += 1 }
    } else if first == slash, byte(1) == star {
      skipComment()
    } else if first == quote {
      readString(hashes: 0)
    } else if first == hash, let hashes = delimiter() {
      place += hashes
      if byte() == quote { readString(hashes: hashes) } else { skipExpression(hashes: hashes) }
    } else if first == slash, let end = endOfExpression() {
      place = end
    } else if isDigit(first) {
      let start = place
      while let next = byte(), isWordByte(next) { place += 1 }
      append(.number, start..<place, line: line)
    } else if isWordByte(first) {
      let start = place
      while let next = byte(), isWordByte(next) { place += 1 }
      append(.word, start..<place, line: line)
    } else {
      if first > 0x20 { append(.mark, place..<place + 1, line: line) }
      step()
    }
  }

  private mutating func skipComment() {
    var depth = 0
    repeat {
      if byte() == slash, byte(1) == star {
        depth += 1
        place += 2
      } else if byte() == star, byte(1) == slash {
        depth -= 1
        place += 2
      } else {
        step()
      }
    } while depth > 0 && place < bytes.count
  }

  /// How many `#` stand here before a quote or a slash; nil when something else follows them.
  private func delimiter() -> Int? {
    var count = 0
    while byte(count) == hash { count += 1 }
    return byte(count) == quote || byte(count) == slash ? count : nil
  }

  private func hasHashes(_ count: Int, at offset: Int) -> Bool {
    (0..<count).allSatisfy { byte(offset + $0) == hash }
  }

  private var hasThreeQuotes: Bool { byte() == quote && byte(1) == quote && byte(2) == quote }

  // MARK: Strings

  /// From the first quote to behind the last one, to the end of the line where a literal of one line has none.
  private mutating func readString(hashes: Int) {
    let isLong = hasThreeQuotes
    let quotes = isLong ? 3 : 1
    place += quotes
    var start = place
    while let next = byte() {
      if next == quote, !isLong || hasThreeQuotes, hasHashes(hashes, at: quotes) {
        append(.string, start..<place, line: line)
        place += quotes + hashes
        return
      }
      if next == newline {
        append(.string, start..<place, line: line)
        guard isLong else { return }
        step()
        start = place
      } else if next == backslash, hasHashes(hashes, at: 1), let escaped = byte(1 + hashes) {
        if escaped == opening {
          append(.string, start..<place, line: line)
          place += 2 + hashes
          readInterpolation()
          start = place
        } else {
          place += 1 + hashes
          step()
        }
      } else {
        place += 1
      }
    }
    append(.string, start..<min(place, bytes.count), line: line)
  }

  /// What stands between the parentheses of an interpolation, and the last of these.
  private mutating func readInterpolation() {
    var depth = 1
    while let next = byte() {
      if next == opening { depth += 1 }
      if next == closing { depth -= 1 }
      if depth == 0 {
        place += 1
        return
      }
      readNext()
    }
  }

  // MARK: Regular expressions

  /// Behind a regular expression that begins here; nil when the slash divides, or belongs to an operator.
  private func endOfExpression() -> Int? {
    // A value before the slash is divided by what follows it.
    if let last = tokens.last {
      switch last.kind {
      case .number, .string: return nil
      case .word: if last.text != "return" && last.text != "in" { return nil }
      case .mark: if [")", "]", "}", "`", "?", "!", ">"].contains(last.text) { return nil }
      }
    }
    guard let first = byte(1), first > 0x20 else { return nil }
    var index = place + 1
    while index < bytes.count, bytes[index] != newline {
      if bytes[index] == slash { return index + 1 }
      index += bytes[index] == backslash ? 2 : 1
    }
    return nil
  }

  private mutating func skipExpression(hashes: Int) {
    place += 1
    while let next = byte() {
      if next == slash, hasHashes(hashes, at: 1) {
        place += 1 + hashes
        return
      }
      step()
    }
  }
}

private let newline = UInt8(ascii: "\n")
private let quote = UInt8(ascii: "\"")
private let hash = UInt8(ascii: "#")
private let slash = UInt8(ascii: "/")
private let star = UInt8(ascii: "*")
private let backslash = UInt8(ascii: "\\")
private let opening = UInt8(ascii: "(")
private let closing = UInt8(ascii: ")")

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

private func isWordByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), 0x80...0xFF:
    true
  default: isDigit(byte)
  }
}
