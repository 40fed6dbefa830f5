import Foundation

/// Finds literals that Shared/DroneLayout has a name for.
public struct LayoutRules: Sendable {
  /// The folder whose literals belong nowhere else, below Sources.
  public static let folder = "Shared/DroneLayout/"

  private let paths: [String]
  private let numbers: Set<String>

  /// - Parameter layout: the files of DroneLayout. Texts with a slash and numbers from 1024 on are what the rule is about:
  ///   a shorter one is too often something else.
  public init(layout: [SourceText]) {
    paths = Set(layout.flatMap(\.strings).map(\.text).filter { $0.contains("/") && $0.count >= 5 }).sorted()
    numbers = Set(layout.flatMap(\.numbers).map(\.text).filter { (Int($0) ?? 0) >= 1024 })
  }

  /// - Parameter path: below Sources.
  public func findings(path: String, _ text: SourceText) -> [String] {
    if path.hasPrefix(LayoutRules.folder) { return [] }
    return text.strings.compactMap { found in
      let piece = found.text.trimmingCharacters(in: .whitespaces)
      guard let literal = paths.first(where: { LayoutRules.names($0, in: piece) }) else { return nil }
      return "Sources/\(path):\(found.line): \"\(literal)\" has a name in \(LayoutRules.folder)."
    }
      + text.numbers.filter { numbers.contains($0.text) }.map {
        "Sources/\(path):\($0.line): \($0.text) has a name in \(LayoutRules.folder)."
      }
  }

  /// Whether a piece of a literal is this path, or one below it. Sentences that mention a path are for people.
  private static func names(_ path: String, in literal: String) -> Bool {
    literal == path || literal.hasPrefix(path + "/") && !literal.contains(" ")
  }
}
