import Foundation

/// Applies every rule to a checkout.
///
/// - Returns: one sentence for each breach, sorted; none for a house in order.
/// - Throws: what Foundation throws for a file that cannot be read.
public func houseFindings(in checkout: URL) throws -> [String] {
  let table = ModuleTable(
    manifest: try String(contentsOf: checkout.appending(path: "Package.swift"), encoding: .utf8))
  let imports = ImportRules(table)
  let sources = try swiftFiles(below: checkout.appending(path: "Sources"))
  let tests = try swiftFiles(below: checkout.appending(path: "Tests"))
  let layout = LayoutRules(layout: sources.filter { $0.path.hasPrefix(LayoutRules.folder) }.map(\.text))

  var findings = imports.findingsInTable()
  for module in table.modules {
    let files = sources.filter { $0.path.hasPrefix(module.path + "/") }
    if files.isEmpty { findings.append("Package.swift: Sources/\(module.path) holds no Swift file.") }
    findings += imports.findings(of: module, in: files)
  }
  for row in table.tests {
    let files = tests.filter { $0.path.hasPrefix(row.path + "/") }
    if files.isEmpty { findings.append("Package.swift: Tests/\(row.path) holds no Swift file.") }
    findings += imports.findings(of: row, in: files)
  }
  findings += PromiseRules.findings(
    page: try String(contentsOf: checkout.appending(path: PromiseRules.page), encoding: .utf8), tests: tests)
  for file in tests where !table.tests.contains(where: { file.path.hasPrefix($0.path + "/") }) {
    findings.append("Tests/\(file.path): no row in Package.swift has this folder.")
  }
  for file in sources {
    if !table.modules.contains(where: { file.path.hasPrefix($0.path + "/") }) {
      findings.append("Sources/\(file.path): no row in Package.swift has this folder.")
    }
    findings += layout.findings(path: file.path, file.text)
  }
  return findings.sorted()
}

private func swiftFiles(below folder: URL) throws -> [(path: String, text: SourceText)] {
  try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }.sorted().map {
    ($0, SourceText(try String(contentsOf: folder.appending(path: $0), encoding: .utf8)))
  }
}
