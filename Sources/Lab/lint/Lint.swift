import Foundation
import HouseRules

/// Prints every breach of the house's rules in the checkout that is named, or else in the current folder; exit status 1
/// if there is one.
@main
struct Lint {
  static func main() {
    let folder = URL(filePath: CommandLine.arguments.dropFirst().first ?? ".", directoryHint: .isDirectory)
    do {
      let findings = try houseFindings(in: folder)
      for finding in findings { print(finding) }
      exit(findings.isEmpty ? 0 : 1)
    } catch {
      print("\(folder.path) cannot be read: \(error.localizedDescription)")
      exit(2)
    }
  }
}
