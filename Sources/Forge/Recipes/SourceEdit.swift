import Foundation
import SystemPackage
import Workshop

/// A small change of somebody else's source: one place of one file.
struct SourceEdit: Equatable {
  /// Below the source's top folder.
  let file: String
  /// What stands there once.
  let before: String
  let after: String

  /// The file's text with the change. Throws a sentence when it does not hold `before` once and once only: the source is
  /// another than the edit was written for.
  func applied(to text: String) throws -> String {
    let places = text.ranges(of: before)
    guard places.count == 1 else {
      let found = places.isEmpty ? "is not in it" : "is in it \(places.count) times"
      throw BuildError.input(
        "\(file) is not the one that an edit of ours was written for: \"\(firstLine)\" \(found). Compare the new source with "
          + "the edit in Sources/Forge/Recipes, and change or remove the edit.")
    }
    return text.replacingCharacters(in: places[0], with: after)
  }

  /// Changes the file below `tree`. Throws as `applied` does, or `BuildError.file`.
  func apply(in tree: FilePath) async throws {
    let path = tree.appending(file)
    let text = String(decoding: try contents(of: path), as: UTF8.self)
    try await write(applied(to: text).utf8, to: path)
  }

  private var firstLine: String {
    let line = before.split(separator: "\n").first ?? ""
    return line.trimmingCharacters(in: .whitespaces)
  }
}

extension [SourceEdit] {
  /// For a recipe's inputs: any other edit builds anew.
  var identity: String { map { "\($0.file)\n\($0.before)\n\($0.after)" }.joined(separator: "\n\n") }
}
