/// One path at which two images differ.
public struct ContentsDifference: Sendable {
  public enum Aspect: String, Sendable { case kind, content, mode, owner, target, device }

  public let path: ImagePath
  /// Nil for what was added.
  public let before: ImageEntry?
  /// Nil for what was removed.
  public let after: ImageEntry?
  /// What is not the same; empty for what was added or removed.
  public let aspects: [Aspect]
}

extension ImageContents {
  /// What is to be added, removed or changed to make `other` of it, sorted by path. Modes and owners count where both know
  /// them.
  public func differences(to other: ImageContents) -> [ContentsDifference] {
    let paths = Set(entries.map(\.path)).union(other.entries.map(\.path)).sorted()
    return paths.compactMap { path in
      let (before, after) = (self[path], other[path])
      guard let before, let after else {
        return ContentsDifference(path: path, before: before, after: after, aspects: [])
      }
      let aspects = before.aspects(besides: after)
      return aspects.isEmpty ? nil : ContentsDifference(path: path, before: before, after: after, aspects: aspects)
    }
  }
}

extension ImageEntry {
  fileprivate func aspects(besides other: ImageEntry) -> [ContentsDifference.Aspect] {
    var aspects: [ContentsDifference.Aspect] = []
    if kind != other.kind { aspects.append(.kind) }
    if kind == .file, other.kind == .file, size != other.size || digest != other.digest { aspects.append(.content) }
    // A symbolic link's mode means nothing.
    if kind == other.kind, kind != .symbolicLink, let mode, let new = other.mode, mode != new { aspects.append(.mode) }
    if let owner, let new = other.owner, owner != new { aspects.append(.owner) }
    if target != other.target, kind == other.kind { aspects.append(.target) }
    if device != other.device, kind == other.kind { aspects.append(.device) }
    return aspects
  }
}
