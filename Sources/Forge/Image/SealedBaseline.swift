import Integrity
import Workshop

extension Manifest {
  /// The same root with the file by which certaintyd knows it: every entry with what it must be, file contents by their
  /// digest. The file itself is not in it; certaintyd adds it when it reads it.
  public func sealed() throws -> Manifest {
    let baseline = Baseline(entries: try entries.map { try $0.sealed() })
    guard let text = baseline.text else {
      throw BuildError.input("A path of the image holds a byte that its baseline cannot. Rename it.")
    }
    let path = "\(Baseline.path)"
    return try Manifest(
      entries + [
        Entry(
          path: path, kind: .file(.bytes(text)), mode: UInt16(Baseline.mode),
          why: "what certaintyd compares the root with")
      ])
  }
}

extension Entry {
  /// The entry as the baseline has it; reads a file's content.
  fileprivate func sealed() throws -> BaselineEntry {
    let kind: BaselineEntry.Kind
    switch self.kind {
    case .file(let content):
      let bytes = try content.read()
      kind = .file(size: UInt64(bytes.count), digest: Workshop.SHA256(bytes).bytes)
    case .directory: kind = .directory
    case .symbolicLink(let target): kind = .symbolicLink(target: [UInt8](target.utf8))
    case .characterDevice(let major, let minor): kind = .characterDevice(major: major, minor: minor)
    }
    return BaselineEntry(
      path: [UInt8](path.utf8), kind: kind, mode: UInt32(mode), owner: owner.user, group: owner.group)
  }
}
