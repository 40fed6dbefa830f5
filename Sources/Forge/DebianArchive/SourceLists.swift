/// Converts a machine's apt source lists into private ones that also name the distribution's source packages.
///
/// Only the distribution's own archives are kept: entries with one of the components that are wanted whose suite is the release's code
/// name, alone or with a suffix (`bookworm`, `bookworm-security`), or one of `stable`, `oldstable`, `oldoldstable`
/// with or without one. Other vendors' archives often have no source packages, and are not needed; of backports apt would
/// take nothing unasked, and neither do we.
struct SourceLists {
  /// `VERSION_CODENAME` of os-release(5).
  let codename: String
  /// An entry with one of these is kept, with all that it names.
  var components = ["main"]

  /// A classic list (sources.list(5), "one-line-style"): every kept entry once as `deb` and once as `deb-src`.
  func converted(classic text: String) -> String {
    var entries: [String] = []
    for line in text.split(whereSeparator: \.isNewline) {
      let line = line.prefix { $0 != "#" }
      var words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
      guard let type = words.first, type == "deb" || type == "deb-src" else { continue }
      words.removeFirst()
      var options: [String] = []
      if words.first?.hasPrefix("[") == true, let end = words.firstIndex(where: { $0.hasSuffix("]") }) {
        options = Array(words[...end])
        words.removeSubrange(...end)
      }
      guard words.count >= 3, !words[0].hasPrefix("cdrom:"), isDistribution(words[1]),
        words[2...].contains(where: components.contains)
      else { continue }
      let entry = (options + words).joined(separator: " ")
      if !entries.contains(entry) { entries.append(entry) }
    }
    return entries.map { "deb \($0)\ndeb-src \($0)\n" }.joined()
  }

  /// A list in deb822 style: every kept stanza with `Types: deb deb-src`, other fields (`Signed-By` with a whole key
  /// in it, too) as they were.
  func converted(deb822 text: String) -> String {
    stanzas(text).compactMap { stanza in
      func value(_ name: String) -> String? { stanza.first { $0.name.lowercased() == name }?.value }
      func words(_ name: String) -> [String] {
        (value(name) ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
      }
      let enabled = value("enabled")?.lowercased().filter { !$0.isWhitespace } ?? "yes"
      let suites = words("suites").filter(isDistribution)
      guard !["no", "false", "0", "off", "without", "disable"].contains(enabled), !suites.isEmpty,
        words("components").contains(where: components.contains), !words("types").isEmpty,
        words("uris").contains(where: { !$0.hasPrefix("cdrom:") })
      else { return nil }
      return stanza.map { field in
        switch field.name.lowercased() {
        case "types": "Types: deb deb-src\n"
        case "suites": "Suites: \(suites.joined(separator: " "))\n"
        default: "\(field.name):\(field.value)\n"
        }
      }.joined()
    }.joined(separator: "\n")
  }

  private func isDistribution(_ suite: String) -> Bool {
    !suite.contains("-backports")
      && [codename, "stable", "oldstable", "oldoldstable"].contains {
        !$0.isEmpty && (suite == $0 || suite.hasPrefix("\($0)-"))
      }
  }

  /// Fields in order; a value keeps its continuation lines. Comment lines may stand anywhere (deb822(5)).
  private func stanzas(_ text: String) -> [[(name: String, value: String)]] {
    var all: [[(name: String, value: String)]] = [[]]
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      if line.hasPrefix("#") { continue }
      if line.allSatisfy(\.isWhitespace) {
        all.append([])
      } else if line.first == " " || line.first == "\t" {
        guard let last = all[all.count - 1].indices.last else { continue }
        all[all.count - 1][last].value += "\n\(line)"
      } else if let colon = line.firstIndex(of: ":") {
        all[all.count - 1].append((String(line[..<colon]), String(line[line.index(after: colon)...])))
      }
    }
    return all.filter { !$0.isEmpty }
  }
}

/// `VERSION_CODENAME` of an os-release file; nil when it has none.
func codename(inOSRelease text: String) -> String? {
  for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("VERSION_CODENAME=") {
    let value = line.dropFirst("VERSION_CODENAME=".count).filter { $0 != "\"" && $0 != "'" }
    return value.isEmpty ? nil : value
  }
  return nil
}
