import Foundation

/// Compares the promises of docs/SECURITY.md with the tests: each names one that exists, by its title and its file, or says
/// why there is none.
public struct PromiseRules: Sendable {
  static let page = "docs/SECURITY.md"
  /// Above the table: promise, test, file.
  static let heading = "# Promises and their tests"

  /// - Parameters:
  ///   - page: the text of SECURITY.md.
  ///   - tests: the files below Tests.
  public static func findings(page text: String, tests: [(path: String, text: SourceText)]) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    guard let start = lines.firstIndex(of: heading) else {
      return ["\(page): there is no table of tests under \"\(heading)\"."]
    }
    var titles: [String: Set<String>] = [:]
    for test in tests { titles["Tests/" + test.path] = Set(test.text.titles.map(\.text)) }
    var findings: [String] = []
    for (index, line) in lines.enumerated().dropFirst(start + 1) {
      if line.hasPrefix("# ") { break }
      // Markdown takes a row without the outer bars as well.
      guard line.contains("|") else { continue }
      let row = line.dropFirst(line.hasPrefix("|") ? 1 : 0).dropLast(line.hasSuffix("|") ? 1 : 0)
      let cells = row.split(separator: "|", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      if cells.allSatisfy({ $0.allSatisfy { $0 == "-" } }) || cells == ["promise", "test", "file"] { continue }
      let place = "\(page):\(index + 1): "
      guard cells.count == 3, !cells[0].isEmpty, !cells[1].isEmpty else {
        findings.append(place + "a row has a promise, a test's title and its file.")
        continue
      }
      if cells[1].hasPrefix("no test: ") && cells[2].isEmpty { continue }
      let file = cells[2].trimmingCharacters(in: ["`"])
      if let known = titles[file] {
        if !known.contains(cells[1]) {
          findings.append(place + "no test in \(file) that is not disabled has this title.")
        }
      } else {
        findings.append(place + "there is no file \(file) with tests.")
      }
    }
    return findings
  }
}
