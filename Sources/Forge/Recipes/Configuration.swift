import SystemPackage
import Workshop

/// The settings that a recipe asks for over "everything off", in kconfig's format.
struct ConfigurationFragment: Equatable {
  struct Setting: Equatable {
    /// `CONFIG_SMP`
    let name: String
    /// `y`, a number, or a string in quotes.
    let value: String
    let file: String
    /// Counted from 1.
    let line: Int
  }

  let settings: [Setting]

  /// Throws a sentence that names the line when a line is neither a setting, a comment nor empty, or when a name is
  /// set twice.
  init(_ text: String, file: String) throws {
    var settings: [Setting] = []
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      if line.isEmpty || line.hasPrefix("#") { continue }
      guard line.hasPrefix("CONFIG_"), let equals = line.firstIndex(of: "="), line.index(after: equals) < line.endIndex
      else { throw BuildError.input("\(file), line \(index + 1): '\(line)' is not CONFIG_NAME=value.") }
      let name = String(line[..<equals])
      if let earlier = settings.first(where: { $0.name == name }) {
        throw BuildError.input("\(file), line \(index + 1): \(name) was already set in line \(earlier.line).")
      }
      settings.append(
        .init(name: name, value: String(line[line.index(after: equals)...]), file: file, line: index + 1))
    }
    self.settings = settings
  }

  init(contentsOf path: FilePath) throws {
    try self.init(String(decoding: contents(of: path), as: UTF8.self), file: path.lastComponent?.string ?? path.string)
  }

  /// Several, one after the other. Throws a sentence when a name is set in two of them.
  init(joining parts: [ConfigurationFragment]) throws {
    var first: [String: Setting] = [:]
    for setting in parts.flatMap(\.settings) {
      if let earlier = first.updateValue(setting, forKey: setting.name) {
        throw BuildError.input(
          "\(setting.file), line \(setting.line): \(setting.name) was already set in \(earlier.file), line \(earlier.line)."
        )
      }
    }
    settings = parts.flatMap(\.settings)
  }

  /// The settings that a finished configuration does not hold as they were asked for. kconfig drops, without a word,
  /// what it does not know and what depends on something that is off.
  func dropped(from finished: String) -> [Setting] {
    let lines = Set(finished.split(whereSeparator: \.isNewline))
    return settings.filter { setting in
      setting.value == "n"
        ? lines.contains("\(setting.name)=y") || lines.contains("\(setting.name)=m")
        : !lines.contains("\(setting.name)=\(setting.value)")
    }
  }

  /// Throws one sentence naming every dropped setting.
  func check(_ finished: FilePath) throws {
    let dropped = dropped(from: String(decoding: try contents(of: finished), as: UTF8.self))
    guard !dropped.isEmpty else { return }
    let list = dropped.map { "\($0.name)=\($0.value) (\($0.file), line \($0.line))" }.joined(separator: ", ")
    throw BuildError.input(
      "kconfig dropped \(list). The name is unknown to this version, or something it depends on is off.")
  }

  /// Everything that can be set, as a configuration that says yes to all names it, turned into the same with every
  /// switch off except what this fragment sets. Numbers and strings keep their defaults.
  func overridingAllOff(_ everything: String) -> String {
    let asked = Set(settings.map(\.name))
    var lines: [String] = []
    for line in everything.split(whereSeparator: \.isNewline) {
      // `CONFIG_NAME=value` or `# CONFIG_NAME is not set`; comments say nothing else that starts so.
      let setting = line.hasPrefix("# CONFIG_") ? line.dropFirst(2) : line
      guard setting.hasPrefix("CONFIG_") else { continue }
      let name = String(setting.prefix { $0 != "=" && $0 != " " })
      if asked.contains(name) { continue }
      let off = setting.hasSuffix("=y") || setting.hasSuffix("=m")
      lines.append(off ? "# \(name) is not set" : String(line))
    }
    lines += settings.map { $0.value == "n" ? "# \($0.name) is not set" : "\($0.name)=\($0.value)" }
    return lines.joined(separator: "\n") + "\n"
  }
}
