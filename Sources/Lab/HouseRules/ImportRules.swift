/// Compares every import with the table in Package.swift.
public struct ImportRules: Sendable {
  public let table: ModuleTable
  private let modules: [String: ModuleTable.Module]

  /// Linked without an import: what a compiler's run-time library would hold.
  private static let linked = ["CompilerRuntime"]
  /// What comes with Swift, and what programs on the builder's machine may use beside this package.
  private static let standard = ["Swift", "Testing"]
  /// What the package has beside the table's modules and those of C.
  private static let others = Set(ModuleTable.products.values).union(["TestSupport"])

  public init(_ table: ModuleTable) {
    self.table = table
    modules = Dictionary(table.modules.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// What is wrong with the rows alone.
  public func findingsInTable() -> [String] {
    var findings: [String] = []
    for module in table.modules {
      for name in module.dependencies {
        guard let other = modules[name] else { continue }
        if other.floor >= module.floor {
          findings.append(
            "Package.swift: \(module.path) (floor \(module.floor)) uses \(other.path) (floor \(other.floor)): arrows run down."
          )
        }
        if let reason = objection(to: other, from: module) {
          findings.append("Package.swift: \(module.path) uses \(other.path), but \(reason).")
        }
      }
    }
    return findings
  }

  /// - Parameter files: each with its path below Sources and what it holds.
  public func findings(of module: ModuleTable.Module, in files: [(path: String, text: SourceText)]) -> [String] {
    var findings = differences(
      "Sources/\(module.path)", declared: module.dependencies, files.map { ("Sources/" + $0.path, $0.text) })
    let isDrones = module.kind != .host && (module.kind != .program || module.wing == "Drone/Programs")
    for file in files {
      for found in file.text.imports {
        // It comes in parts, too: FoundationEssentials.
        if isDrones, found.text.hasPrefix("Foundation") {
          findings.append("Sources/\(file.path):\(found.line): \(found.text) does not exist on a drone.")
        } else if module.kind == .pure, modules[found.text] == nil, !ImportRules.standard.contains(found.text) {
          findings.append(
            "Sources/\(file.path):\(found.line): \(module.name) is pure and may not import \(found.text).")
        }
      }
    }
    return findings
  }

  public func findings(of tests: ModuleTable.Tests, in files: [(path: String, text: SourceText)]) -> [String] {
    differences("Tests/\(tests.path)", declared: tests.dependencies, files.map { ("Tests/" + $0.path, $0.text) })
  }

  /// Imports that the row does not declare, and declared modules that nothing imports.
  private func differences(
    _ folder: String, declared: [String], _ files: [(path: String, text: SourceText)]
  ) -> [String] {
    var findings: [String] = []
    var used: Set<String> = []
    for file in files {
      for found in file.text.imports {
        used.insert(found.text)
        if isPackages(found.text), !declared.contains(found.text) {
          findings.append(
            "\(file.path):\(found.line): imports \(found.text), which its row in Package.swift does not declare.")
        }
      }
    }
    for name in declared where !used.contains(name) && !ImportRules.linked.contains(name) {
      findings.append("Package.swift: \(folder) declares \(name), which nothing there imports.")
    }
    return findings
  }

  /// Whether a row has to declare this module: it is not one of those that come with Swift.
  private func isPackages(_ module: String) -> Bool {
    modules[module] != nil || ImportRules.others.contains(module)
      || module.first == "C" && module.dropFirst().first?.isUppercase == true
  }

  /// Why one module may not use another; nil where it may.
  private func objection(to other: ModuleTable.Module, from module: ModuleTable.Module) -> String? {
    if other.kind == .program { return "nothing uses a program" }
    if module.kind == .pure, other.kind != .pure { return "a pure module uses pure modules only" }
    switch module.wing {
    case "Shared":
      if other.wing != "Shared" { return "what all sides share knows none of them" }
    case let wing where wing.hasPrefix("Drone/"):
      if other.wing == "Forge" || other.wing == "Lab" {
        return "what runs on a drone knows nothing of the builder's side"
      }
      if wing == "Drone/System", !["Shared", "Drone/System"].contains(other.wing) {
        return "the system floor carries the others"
      }
    case "Forge":
      if other.wing == "Lab", module.kind != .program { return "what is shipped does not need the laboratory" }
      if other.name == "Linux" { return "the forge does not make the drone's system calls" }
    default: break
    }
    return nil
  }
}
