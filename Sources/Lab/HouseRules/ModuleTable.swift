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
  public var tests: [Tests] = []

  public init() {}

  /// Reads the rows `.pure(0, "Shared/Bytes", ["A", b])` and `.tests("Shared/Bytes", ["A"])` out of a manifest.
  public init(manifest: String) {
    let row = /\.(pure|system|host|program)\(\s*([0-9]+),\s*"([^"]+)"(?:,\s*\[([^\]]*)\],?)?\s*\)/
    for match in manifest.matches(of: row) {
      guard let kind = Kind(rawValue: String(match.output.1)), let floor = Int(match.output.2) else { continue }
      modules.append(
        Module(
          kind: kind, floor: floor, path: String(match.output.3),
          dependencies: ModuleTable.names(match.output.4 ?? "")))
    }
    for match in manifest.matches(of: /\.tests\(\s*"([^"]+)",\s*\[([^\]]*)\],?\s*\)/) {
      tests.append(Tests(path: String(match.output.1), dependencies: ModuleTable.names(match.output.2)))
    }
  }

  /// The modules of the packages that the manifest's constants stand for.
  private static let products = [
    "subprocess": "Subprocess", "system": "SystemPackage", "arguments": "ArgumentParser",
  ]

  private static func names(_ list: Substring) -> [String] {
    list.split(separator: ",").map { $0.trimmingPrefix(/\s+/) }.compactMap { item in
      let word = item.prefix { !$0.isWhitespace }
      if word.isEmpty { return nil }
      if word.first == "\"" { return String(word.dropFirst().dropLast()) }
      return products[String(word)] ?? String(word)
    }
  }
}
