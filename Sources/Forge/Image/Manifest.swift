import Workshop

/// Everything that is in the drone's root, once, sorted by path: the archive, the bill of materials and what `check`
/// expects are all made from it.
public struct Manifest: Sendable, Equatable {
  public let entries: [Entry]

  /// Sorts the entries, adds the directories that hold them, and proves that they make a root.
  ///
  /// Throws `BuildError.input` with one sentence when two entries have the same path, a path or a link's target is not
  /// one that the kernel unpacks, something lies below what is no directory, or a link points at nothing.
  public init(_ given: [Entry]) throws {
    var byPath: [String: Entry] = [:]
    for entry in given {
      try checkPath(entry.path)
      if let other = byPath.updateValue(entry, forKey: entry.path) {
        throw BuildError.input(
          "\(entry.path) is in the image twice: as \(other.why) and as \(entry.why). Remove one of them.")
      }
    }
    for entry in given {
      for parent in parents(of: entry.path) {
        let holder = byPath[parent] ?? .directory(parent, why: "folder of \(entry.path)")
        guard holder.kind == .directory else {
          throw BuildError.input("\(entry.path) cannot be in the image, because \(parent) is not a directory there.")
        }
        byPath[parent] = holder
      }
    }
    for entry in given {
      guard case .symbolicLink(let target) = entry.kind else { continue }
      try checkLink(entry.path, target, byPath)
    }
    entries = byPath.values.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  /// The entry at `path`.
  public subscript(path: String) -> Entry? { entries.first { $0.path == path } }
}

/// Linux's PATH_MAX: the kernel's unpacker passes over longer names without a word (init/initramfs.c). It counts the
/// zero byte at the end.
let longestPath = 4096
/// Linux's NAME_MAX.
let longestName = 255

/// What init mounts file systems on: what lies below is made at boot, so links into it may point at nothing yet.
let filledAtBoot = ["/proc", "/sys", "/dev", "/run", "/tmp", "/mnt"]

/// The directories above an absolute path, outermost first, without `/`, which need not be listed.
private func parents(of path: String) -> [String] {
  path.indices.dropFirst().filter { path[$0] == "/" }.map { String(path[..<$0]) }
}

private func checkPath(_ path: String) throws {
  if path == "/" { return }
  guard path.utf8.count < longestPath else {
    throw BuildError.input(
      "\(path.prefix(60))… has a path of \(path.utf8.count) bytes, and the kernel unpacks at most \(longestPath - 1). Shorten it."
    )
  }
  guard path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
    throw BuildError.input("A path of the image holds a control character: \(path.debugDescription). Rename it.")
  }
  let names = path.split(separator: "/", omittingEmptySubsequences: false)
  guard names.count > 1, names[0].isEmpty, !names.dropFirst().contains(where: { ["", ".", ".."].contains($0) }) else {
    throw BuildError.input("\(path.debugDescription) is not an absolute path in its shortest form.")
  }
  if let name = names.first(where: { $0.utf8.count > longestName }) {
    throw BuildError.input(
      "\(name.prefix(40))… is a name of \(name.utf8.count) bytes, and Linux allows \(longestName). Shorten it.")
  }
}

/// Follows a link through the image's other links.
private func checkLink(_ path: String, _ target: String, _ entries: [String: Entry]) throws {
  guard !target.isEmpty, target.utf8.count < longestPath else {
    throw BuildError.input(
      "The link \(path) has a target that no kernel follows: \(target.prefix(60).debugDescription).")
  }
  func dangling(_ reason: String) -> BuildError {
    .input("The link \(path) points at \(target), which \(reason). Point it at something in the image.")
  }
  var place: [Substring] = path.split(separator: "/").dropLast()
  var ahead = target.split(separator: "/")[...]
  if target.hasPrefix("/") { place = [] }
  var followed = 0
  while let name = ahead.popFirst() {
    switch name {
    case ".": continue
    case "..":
      guard place.popLast() != nil else { throw dangling("lies outside the image") }
    default:
      place.append(name)
      let here = "/" + place.joined(separator: "/")
      guard let entry = entries[here] else {
        if filledAtBoot.contains(where: { here.hasPrefix($0 + "/") }) { return }
        throw dangling("is not in the image")
      }
      switch entry.kind {
      case .symbolicLink(let next):
        followed += 1
        // ELOOP's limit in Linux (MAXSYMLINKS).
        guard followed <= 40 else { throw dangling("leads in a circle") }
        _ = place.popLast()
        if next.hasPrefix("/") { place = [] }
        ahead = (next.split(separator: "/") + ahead)[...]
      case .directory: continue
      case .file, .characterDevice:
        guard ahead.isEmpty else { throw dangling("leads through \(here), which is not a directory") }
      }
    }
  }
}
