/// The table of modules in Package.swift: one row per folder of Sources, and one per folder of Tests.
public struct ModuleTable: Equatable, Sendable {
  public enum Kind: String, Sendable {
    case pure, system, host, program
  }

  public struct Module: Equatable, Sendable {
    public var kind: Kind
    public var floor: Int
    /// Below Sources: `Drone/System/Netlink`.
    public var path: String
    public var dependencies: [String]

    /// `Netlink`
    public var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    /// `Drone/System`, or `Forge`
    public var wing: String { path.split(separator: "/").dropLast().joined(separator: "/") }
  }

  public struct Tests: Equatable, Sendable {
    /// Below Tests.
    public var path: String
    public var dependencies: [String]
  }

  public var modules: [Module] = []
  /// With what several of them share (`TestSupport`).
  public var tests: [Tests] = []

  public init() {}

  /// Reads the rows `.pure(0, "Shared/Bytes", ["A", b])` and `.tests("Shared/Bytes", ["A"])` out of a manifest, and the
  /// target in a folder below Tests that it names by itself.
  public init(manifest: String) {
    let tokens = Tokenizer(manifest).tokens
    for place in tokens.indices where tokens[place].isMark(".") {
      var row = Row(tokens[(place + 1)...])
      guard let word = row.word(), row.mark("(") else { continue }
      if let kind = Kind(rawValue: word) {
        guard let floor = row.number(), row.mark(","), let path = row.string() else { continue }
        modules.append(Module(kind: kind, floor: floor, path: path, dependencies: row.mark(",") ? row.names() : []))
      } else if word == "tests" {
        guard let path = row.string() else { continue }
        tests.append(Tests(path: path, dependencies: row.mark(",") ? row.names() : []))
      } else if word == "target", row.label("name"), row.string() != nil, row.mark(","), row.label("dependencies") {
        let names = row.names()
        guard row.mark(","), row.label("path"), let path = row.string(), path.hasPrefix("Tests/") else { continue }
        tests.append(Tests(path: String(path.dropFirst(6)), dependencies: names))
      }
    }
  }

  /// The modules of the packages that the manifest's constants stand for.
  static let products = ["subprocess": "Subprocess", "system": "SystemPackage", "arguments": "ArgumentParser"]
}

/// Reads a row's tokens one after the other: what is not there is not taken.
private struct Row {
  private var rest: ArraySlice<Token>

  init(_ tokens: ArraySlice<Token>) { rest = tokens }

  private mutating func take(_ kind: Token.Kind) -> String? {
    guard let token = rest.first, token.kind == kind else { return nil }
    rest = rest.dropFirst()
    return token.text
  }

  mutating func word() -> String? { take(.word) }
  mutating func number() -> Int? { take(.number).flatMap { Int($0) } }
  mutating func string() -> String? { take(.string) }

  mutating func mark(_ character: String) -> Bool {
    guard rest.first?.isMark(character) == true else { return false }
    rest = rest.dropFirst()
    return true
  }

  /// `name:`
  mutating func label(_ name: String) -> Bool {
    guard rest.first?.isWord(name) == true, rest.dropFirst().first?.isMark(":") == true else { return false }
    rest = rest.dropFirst(2)
    return true
  }

  /// `["A", b]`: the names in quotes, and the modules that constants stand for.
  mutating func names() -> [String] {
    guard mark("[") else { return [] }
    var names: [String] = []
    repeat {
      if let name = string() { names.append(name) }
      if let constant = word() { names.append(ModuleTable.products[constant] ?? constant) }
    } while mark(",")
    _ = mark("]")
    return names
  }
}
