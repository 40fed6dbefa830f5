import Integrity
import Workshop

extension ResolvedManifest {
  /// The same root with the file by which certaintyd knows it: every entry with what it must be, file contents by their
  /// digest. The file itself is not in it; certaintyd adds it when it reads it.
  public func sealed() throws -> ResolvedManifest {
    let baseline = Baseline(entries: entries.map(\.sealed))
    guard let text = baseline.text else {
      throw BuildError.input("A path of the image holds a byte that its baseline cannot. Rename it.")
    }
    guard text.count <= Baseline.largest else {
      throw BuildError.input(
        "The image has \(entries.count) files, and certaintyd reads a baseline of \(Baseline.largest >> 20) MiB at most: theirs would have \(text.count >> 20). Leave files out."
      )
    }
    let path = "\(Baseline.path)"
    return try adding([
      Entry(
        path: path, kind: .file(.bytes(text)), mode: UInt16(Baseline.mode),
        why: "what certaintyd compares the root with")
    ])
  }
}

extension ResolvedEntry {
  /// The entry as the baseline has it.
  fileprivate var sealed: BaselineEntry {
    let kind: BaselineEntry.Kind =
      switch entry.kind {
      case .file: .file(size: UInt64(content?.size ?? 0), digest: content?.sealed ?? [])
      case .directory: .directory
      case .symbolicLink(let target): .symbolicLink(target: [UInt8](target.utf8))
      case .characterDevice(let major, let minor): .characterDevice(major: major, minor: minor)
      }
    return BaselineEntry(
      path: [UInt8](entry.path.utf8), kind: kind, mode: UInt32(entry.mode), owner: entry.owner.user,
      group: entry.owner.group)
  }
}
