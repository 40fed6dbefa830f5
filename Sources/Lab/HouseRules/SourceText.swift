/// What the rules need to know of a Swift file: its imports, its literals, and which tests it claims.
public struct SourceText: Equatable, Sendable {
  public struct Found: Equatable, Sendable {
    public var text: String
    /// Counted from 1.
    public var line: Int
  }

  /// The modules, whatever stands before the word, and whatever of the module is imported.
  public private(set) var imports: [Found] = []
  /// What literals say, a piece for each line and for what stands before, between and behind interpolations.
  public private(set) var strings: [Found] = []
  /// Whole numbers in decimal, however they are written.
  public private(set) var numbers: [Found] = []
  /// Of each `@Test` and `@Suite` that is not disabled and in nothing that is.
  public private(set) var titles: [Found] = []

  public init(_ text: String) {
    let tokens = Tokenizer(text).tokens
    strings = tokens.filter { $0.kind == .string && !$0.text.isEmpty }.map { Found(text: $0.text, line: $0.line) }
    numbers = tokens.filter { $0.kind == .number }.compactMap { token in
      SourceText.value(of: token.text).map { Found(text: String($0), line: token.line) }
    }
    imports = tokens.indices.compactMap { SourceText.module(importedAt: $0, in: tokens) }
    titles = SourceText.titles(in: tokens)
  }

  /// `0xCCE`, `0o6316`, `0b1100` and `3_278` are numbers; nil for one that is not whole or larger than any port.
  private static func value(of literal: String) -> UInt64? {
    let digits = literal.filter { $0 != "_" }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
      return UInt64(digits.dropFirst(2), radix: radix)
    }
    return UInt64(digits)
  }

  /// `@testable private import struct Foundation.URL` gives `Foundation`.
  private static func module(importedAt place: Int, in tokens: [Token]) -> Found? {
    guard tokens[place].isWord("import") else { return nil }
    // A name `import` is a member's or a parameter's.
    if place > 0, [".", "`", "(", ","].contains(where: tokens[place - 1].isMark) { return nil }
    let kinds = ["typealias", "struct", "class", "enum", "protocol", "let", "var", "func"]
    let rest = tokens[(place + 1)...].prefix(4).filter { !$0.isMark("`") }
    guard let first = rest.first, first.kind == .word else { return nil }
    let isKind = kinds.contains(first.text) && rest.dropFirst().first?.kind == .word
    return Found(text: isKind ? rest[1].text : first.text, line: tokens[place].line)
  }

  private static func titles(in tokens: [Token]) -> [Found] {
    var titles: [Found] = []
    // For each brace that is open, whether it is the body of something disabled.
    var bodies: [Bool] = []
    var isNextDisabled = false
    var place = 0
    while place < tokens.count {
      let token = tokens[place]
      place += 1
      if token.isMark("{") {
        bodies.append(isNextDisabled || bodies.last == true)
        isNextDisabled = false
      } else if token.isMark("}") {
        bodies = bodies.dropLast()
      } else if token.isMark("@"), place < tokens.count, ["Test", "Suite"].contains(where: tokens[place].isWord) {
        let arguments = SourceText.arguments(behind: place, in: tokens)
        place += 1 + arguments.count
        isNextDisabled = zip(arguments, arguments.dropFirst()).contains { $0.isMark(".") && $1.isWord("disabled") }
        guard !isNextDisabled, bodies.last != true, let first = arguments.dropFirst().first, first.kind == .string
        else { continue }
        titles.append(Found(text: SourceText.plain(first.text), line: first.line))
      }
    }
    return titles
  }

  /// The parentheses behind a name with what is in them; nothing where there are none.
  private static func arguments(behind name: Int, in tokens: [Token]) -> ArraySlice<Token> {
    let rest = tokens[(name + 1)...]
    guard rest.first?.isMark("(") == true else { return [] }
    var depth = 0
    for place in rest.indices {
      if rest[place].isMark("(") { depth += 1 }
      if rest[place].isMark(")") { depth -= 1 }
      if depth == 0 { return rest[...place] }
    }
    return rest
  }

  /// Without the backslash before a quote or another backslash.
  private static func plain(_ literal: String) -> String {
    var out = ""
    var rest = literal[...]
    while let character = rest.popFirst() {
      out.append(character == "\\" ? rest.popFirst() ?? character : character)
    }
    return out
  }
}
