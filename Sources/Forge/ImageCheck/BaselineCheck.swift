import Image
import Integrity
import Workshop

/// Reads the root's baseline as certaintyd will, and compares it with what really is in the archive, both ways. A difference
/// here would make every drone of the image restart again and again.
func checkBaseline(_ members: [Member], in container: String) -> [Finding] {
  let path = "\(Baseline.path)"
  let place = "\(container):\(path)"
  guard let file = members.first(where: { $0.path == path }) else {
    return [Finding(.baseline, place, "it is missing, and certaintyd has nothing to compare the root with")]
  }
  if file.content.size > Baseline.largest {
    return [Finding(.baseline, place, "certaintyd reads \(Baseline.largest >> 20) MiB of it, and it is longer")]
  }
  let baseline: Baseline
  do {
    baseline = try .sealed(file.content.bytes ?? [], digest: file.content.sealed)
  } catch {
    return [Finding(.baseline, place, "certaintyd cannot read it (\(error))")]
  }
  var findings: [Finding] = []
  func wrong(_ member: String, _ reason: String) {
    findings.append(Finding(.baseline, place, "\(member) \(reason)"))
  }
  var sealed: [String: BaselineEntry] = [:]
  for entry in baseline.entries {
    let name = String(decoding: entry.path, as: UTF8.self)
    if sealed.updateValue(entry, forKey: name) != nil { wrong(name, "is in it twice") }
  }
  // The cluster's credential is moved out of the root before certaintyd reads the root, and the modules' table is in it.
  for member in members
  where !member.isModule && member.path != Credential.folder
    && !member.path.hasPrefix(Credential.folder + "/")
  {
    guard let entry = sealed.removeValue(forKey: member.path) else {
      wrong(member.path, "is in the root and not in it")
      continue
    }
    if entry.owner != UInt32(clamping: member.user) || entry.group != UInt32(clamping: member.group) {
      wrong(member.path, "has another owner in it")
    }
    if entry.mode != UInt32(member.mode) { wrong(member.path, "has another mode in it") }
    if !entry.kind.describes(member) { wrong(member.path, "is something else in it") }
  }
  for name in sealed.keys.sorted() { wrong(name, "is in it and not in the root") }
  return findings
}

extension BaselineEntry.Kind {
  fileprivate func describes(_ member: Member) -> Bool {
    switch self {
    case .file(let size, let digest):
      member.kind == .file && size == UInt64(member.content.size) && digest == member.content.sealed
    case .directory: member.kind == .directory
    case .symbolicLink(let target): member.kind == .symbolicLink && member.target.map { [UInt8]($0.utf8) } == target
    case .characterDevice(let major, let minor): member.kind == .characterDevice && member.device == [major, minor]
    case .blockDevice: false
    }
  }
}
