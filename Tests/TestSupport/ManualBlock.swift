import Foundation
import SystemPackage

/// A block of commands in the manual, README.md or CONTRIBUTING.md.
public struct ManualBlock: CustomStringConvertible, Sendable {
  /// The file's path in the checkout.
  public let page: String
  /// What follows the fence: where the lines are typed, as docs/manual/README.md says.
  public let place: String
  public let lines: [String]

  public var description: String { "\(page): \(lines.first ?? "")" }

  public static let all: [ManualBlock] = {
    var found: [ManualBlock] = []
    for page in ["README.md", "CONTRIBUTING.md"] + markdownFiles(in: "docs/manual").map({ "docs/manual/\($0)" }) {
      var place: String?
      var lines: [String] = []
      for line in documentText(page).split(separator: "\n", omittingEmptySubsequences: false) {
        if line.hasPrefix("```") {
          if let open = place { found.append(ManualBlock(page: page, place: open, lines: lines)) }
          place = place == nil ? String(line.dropFirst(3)) : nil
          lines = []
        } else if place != nil {
          lines.append(String(line))
        }
      }
    }
    return found
  }()

  /// The commands without their comments.
  public var commands: [String] {
    lines.map { line in
      let comment = line.range(of: " #")?.lowerBound ?? line.endIndex
      return line[..<comment].trimmingCharacters(in: .whitespaces)
    }
  }

  /// The words of a line as a shell splits them; comments and a last `&` left out.
  public static func words(_ line: String) -> [String] {
    var all: [String] = []
    var word: String?
    var quote: Character?
    for letter in line {
      if let open = quote {
        if letter == open { quote = nil } else { word?.append(letter) }
      } else if letter == "'" || letter == "\"" {
        quote = letter
        word = word ?? ""
      } else if letter == " " {
        if let finished = word { all.append(finished) }
        word = nil
      } else if letter == "#", word == nil {
        break
      } else {
        word = (word ?? "") + String(letter)
      }
    }
    if let word { all.append(word) }
    return all.last == "&" ? all.dropLast() : all
  }
}

/// A file of the checkout as text; empty when it cannot be read.
public func documentText(_ path: String) -> String {
  (try? String(contentsOfFile: checkout.appending(path).string, encoding: .utf8)) ?? ""
}

/// The Markdown files in a folder of the checkout, by name.
public func markdownFiles(in folder: String) -> [String] {
  let names = try? FileManager.default.contentsOfDirectory(atPath: checkout.appending(folder).string)
  return (names ?? []).filter { $0.hasSuffix(".md") }.sorted()
}
