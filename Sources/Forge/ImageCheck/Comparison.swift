import Image
import Workshop

extension Member {
  /// The kind that the manifest says a member has.
  fileprivate static func kind(_ kind: BillOfMaterials.Kind) -> Kind {
    switch kind {
    case .file: .file
    case .directory: .directory
    case .symbolicLink: .symbolicLink
    case .characterDevice: .characterDevice
    }
  }
}

/// What of a member's metadata the manifest speaks of. A CD has one mode for all its files.
enum Compared { case everything, notModes, notModesNorOwners }

/// What the CD's writer makes, and what a manifest that anybody may read says nothing of.
private let withoutDigest: Set<String> = [bootCataloguePath, Credential.keyPath]

/// Compares what was read with what the manifest says, both ways.
func compare(_ members: [Member], with items: [BillOfMaterials.Item], _ compared: Compared) -> [Finding] {
  var findings: [Finding] = []
  func wrong(_ place: String, _ reason: String) { findings.append(Finding(.manifest, place, reason)) }
  var expected = Dictionary(items.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
  if expected.count != items.count { wrong("manifest", "it has a path twice") }
  var seen: Set<String> = []
  // A CD always has a root, which its manifest does not speak of.
  for member in members where member.path != "/" || expected["/"] != nil {
    guard seen.insert(member.path).inserted else {
      findings.append(Finding(.presence, member.path, "it is there twice"))
      continue
    }
    guard let item = expected.removeValue(forKey: member.path) else {
      findings.append(Finding(.presence, member.path, "it is not in the manifest"))
      continue
    }
    let kind = Member.kind(item.kind)
    guard member.kind == kind else {
      wrong(member.path, "it is a \(member.kind.rawValue) and should be a \(kind.rawValue)")
      continue
    }
    if case .everything = compared, item.kind != .symbolicLink, octal(member.mode) != item.mode {
      wrong(member.path, "its mode is \(octal(member.mode)) instead of \(item.mode)")
    }
    switch compared {
    case .notModesNorOwners: break
    case .everything, .notModes:
      if member.user != Int64(item.user) || member.group != Int64(item.group) {
        wrong(member.path, "it belongs to \(member.user):\(member.group) instead of \(item.user):\(item.group)")
      }
    }
    switch item.kind {
    case .directory: break
    case .file:
      if item.size == nil || item.sha256 == nil, !withoutDigest.contains(member.path) {
        wrong(member.path, "the manifest does not say what is in it")
      } else if let size = item.size, size != member.content.size {
        wrong(member.path, "it has \(member.content.size) bytes instead of \(size)")
      } else if let digest = item.sha256, digest != member.digest(withoutTable: item.bootInformationTable == true) {
        wrong(member.path, "its content is not what was put in (SHA-256 differs)")
      }
    case .symbolicLink:
      if member.target != item.target {
        wrong(member.path, "it points at \(member.target ?? "nothing") instead of \(item.target ?? "nothing")")
      }
    case .characterDevice:
      if member.device != item.device { wrong(member.path, "it is another device") }
    }
  }
  for path in expected.keys.sorted() { findings.append(Finding(.presence, path, "it is missing")) }
  return findings
}

extension Member {
  /// The content's digest as the manifest has it: a boot information table counts as zeros.
  fileprivate func digest(withoutTable: Bool) -> String {
    guard withoutTable, var bytes = content.bytes else { return "\(content.digest)" }
    for offset in 8..<min(64, max(8, bytes.count)) { bytes[offset] = 0 }
    return "\(SHA256(bytes))"
  }
}

/// Modes that nothing in an image may have, whatever its manifest says: a program that runs as another user, and what
/// anybody but its owner can change. A symbolic link's mode means nothing.
func checkPermissions(_ members: [Member]) -> [Finding] {
  var findings: [Finding] = []
  for member in members where member.kind != .symbolicLink {
    func wrong(_ reason: String) {
      findings.append(Finding(.permissions, member.path, "\(reason) (mode \(octal(member.mode)))"))
    }
    if member.mode & 0o4000 != 0 { wrong("it is setuid") }
    if member.mode & 0o2000 != 0 { wrong("it is setgid") }
    if member.mode & 0o020 != 0 { wrong("its group can write to it") }
    if member.mode & 0o002 != 0 { wrong("everybody can write to it") }
  }
  return findings
}
