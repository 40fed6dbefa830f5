/// Checks that a CD's plain names (ECMA-119 §7.5), which readers without Rock Ridge see, are those of `members` but for
/// upper and lower case. Only names of up to eight characters, and three behind a dot, have to keep their form.
func checkPlainNames(_ image: some ByteSource, _ members: [Member]) -> [Finding] {
  let plain: [Member]
  do {
    plain = try readCD(image, plain: true, shelf: Shelf(room: 0))
  } catch {
    return [Finding(.volume, "volume", "it cannot be read without Rock Ridge: \(error.reason)")]
  }
  let seen = Dictionary(plain.map { ($0.path.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
  var findings: [Finding] = []
  if plain.count != members.count {
    findings.append(
      Finding(.volume, "volume", "without Rock Ridge it has \(plain.count) names instead of \(members.count)"))
  }
  for member in members where member.path.split(separator: "/").allSatisfy(isShort) {
    guard let other = seen[member.path.lowercased()] else {
      findings.append(Finding(.volume, member.path, "its plain name, which boot loaders may use, is another one"))
      continue
    }
    if other.content != member.content {
      findings.append(Finding(.volume, member.path, "another file has its plain name"))
    }
  }
  return findings
}

private func isShort(_ name: Substring) -> Bool {
  let parts = name.split(separator: ".", omittingEmptySubsequences: false)
  guard let base = parts.first, (1...8).contains(base.utf8.count), parts.count <= 2 else { return false }
  let extensionFits = parts.count == 1 || (1...3).contains(parts[1].utf8.count)
  return extensionFits
    && name.utf8.allSatisfy { byte in
      // A letter's bit 0x20 tells its case.
      byte == 0x2E || byte == 0x5F || (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
    }
}
