/// Checks that what a configuration of GRUB names is on the medium, and what it names in turn (GNU GRUB 2.06, manual,
/// chapters 6.1 and 17.4: linux, initrd, source, configfile, normal, cat, loadfont, background_image, chainloader, loopback,
/// search --file).
///
/// - Parameters:
///   - path: where the configuration is on the medium.
///   - beginning: what GRUB reads first, with its place, when that lies elsewhere.
///   - files: the medium's, by path; a variable stands for every value that the configuration gives it.
func checkGRUBConfiguration(
  at path: String, after beginning: (place: String, text: [UInt8])? = nil, in files: [String: Content]
) -> [Finding] {
  var findings: [Finding] = []
  var seen: Set<String> = []
  // An empty path stands for the beginning.
  var open = beginning == nil ? [path] : [""]
  var starts = false
  let prefix = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  while let next = open.popLast() {
    guard seen.insert(next).inserted else { continue }
    let script = GRUBScript(next.isEmpty ? beginning?.text ?? [] : files[next]?.bytes ?? [], prefix: prefix)
    var wrong: Set<String> = []
    for reason in script.wrong { wrong.insert(reason) }
    for use in script.uses {
      starts = starts || use.command.hasPrefix("linux")
      for name in use.names {
        guard let name else {
          wrong.insert("\(use.command) names a file by a variable that has no value here: \(use.text)")
          continue
        }
        guard name.hasPrefix("/") else {
          wrong.insert("\(use.command) names \(name), which is no path from the medium's root")
          continue
        }
        if files[name] == nil {
          wrong.insert("\(use.command) names \(name), which is not there")
        } else if ["source", ".", "configfile", "normal"].contains(use.command) {
          open.append(name)
        }
      }
    }
    findings += wrong.sorted().map {
      Finding(.configuration, next.isEmpty ? beginning?.place ?? path : next, "its \($0)")
    }
  }
  if beginning != nil, !seen.contains(path) {
    findings.append(Finding(.configuration, path, "nothing reads it"))
  }
  if !starts { findings.append(Finding(.configuration, path, "it starts no kernel")) }
  return findings
}

/// What a configuration does with files.
private struct GRUBScript {
  /// A command with one file's name.
  struct Use {
    var command: String
    var text: String
    /// What the name may be; nil where a variable has no value.
    var names: [String?]
  }

  var uses: [Use] = []
  var wrong: [String] = []
  private var values: [String: [String]]

  /// `prefix`: the folder that GRUB has its own files in, `$prefix`.
  init(_ text: [UInt8], prefix: String) {
    // `$root` is the medium itself; before a path it stands in brackets.
    values = ["prefix": [prefix], "root": ["root"], "cmdpath": [""]]
    var reader = GRUBReader(text)
    let commands = reader.commands()
    if reader.isOpen { wrong.append("text ends within quotes") }
    for command in commands { assign(command) }
    for command in commands { use(command) }
  }

  private mutating func assign(_ command: [GRUBWord]) {
    let name = command.first?.plain
    if name == "for", command.count > 3, command[2].plain == "in", let variable = command[1].plain {
      values[variable, default: []] += command[3...].flatMap { expanded($0).compactMap(\.self) }
    }
    guard let word = name == "set" ? command.dropFirst().first : command.first else { return }
    for case let text? in expanded(word) {
      guard let sign = text.firstIndex(of: "=") else { continue }
      let variable = String(text[..<sign])
      // What `search` finds is the medium.
      guard !["root", "prefix"].contains(variable), variable.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
      else { continue }
      values[variable, default: []].append(String(text[text.index(after: sign)...]))
    }
  }

  private mutating func use(_ command: [GRUBWord]) {
    guard let name = command.first?.plain else { return }
    let words = command.dropFirst().filter { !$0.isOption }
    switch name {
    case "linux", "linux16", "linuxefi", "source", ".", "configfile", "cat", "chainloader":
      guard let word = words.first else { return wrong.append("\(name) has no file") }
      add(name, word)
    case "normal":
      if let word = words.first { add(name, word) }
    case "search":
      let looksForFile = command.contains { $0.plain == "--file" || $0.plain == "-f" }
      if looksForFile, let word = words.last { add(name, word) }
    case "background_image":
      // Its option has a word of its own.
      if let word = words.last { add(name, word) }
    case "loopback":
      if words.count > 1 { add(name, words[1]) }
    case "initrd", "initrd16", "initrdefi":
      if words.isEmpty { wrong.append("\(name) has no file") }
      for word in words { add(name, word) }
    case "loadfont":
      for word in words { add(name, word) }
    default: break
    }
  }

  private mutating func add(_ command: String, _ word: GRUBWord) {
    // What a function is called with, somebody types.
    if case .variable(let name)? = word.pieces.first, name.allSatisfy({ $0.isNumber || "@*".contains($0) }) { return }
    // Files that are within GRUB.
    if word.description.hasPrefix("(memdisk)") { return }
    let prefix = values["prefix"]?.first ?? ""
    let names = expanded(word).map { name -> String? in
      guard var name else { return nil }
      // `newc:name:file` gives a file of the initrd another name.
      if command.hasPrefix("initrd"), name.hasPrefix("newc:") {
        name = name.split(separator: ":").dropFirst(2).joined(separator: ":")
      }
      if name.hasPrefix("("), let end = name.firstIndex(of: ")") { name = String(name[name.index(after: end)...]) }
      // A font's bare name is one of GRUB's own.
      return command == "loadfont" && !name.contains("/") ? "\(prefix)/fonts/\(name).pf2" : name
    }
    uses.append(Use(command: command, text: word.description, names: names))
  }

  /// Every text that a word may stand for, at most 64; nil in place of one with a variable that has no value.
  private func expanded(_ word: GRUBWord) -> [String?] {
    var all: [String?] = [""]
    for piece in word.pieces {
      switch piece {
      case .text(let text): all = all.map { $0.map { $0 + text } }
      case .variable(let name):
        guard let known = values[name], !known.isEmpty else { return [nil] }
        all = all.flatMap { start in known.prefix(64).map { value in start.map { $0 + value } } }
        all = Array(all.prefix(64))
      }
    }
    return all
  }
}

/// A word of a script.
private struct GRUBWord: CustomStringConvertible {
  enum Piece: Equatable { case text(String), variable(String) }

  var pieces: [Piece] = []
  var isQuoted = false

  /// The word, when no variable is in it.
  var plain: String? {
    var text = ""
    for piece in pieces {
      guard case .text(let more) = piece else { return nil }
      text += more
    }
    return text
  }

  var isOption: Bool {
    if case .text(let text)? = pieces.first { text.hasPrefix("-") } else { false }
  }

  var description: String {
    pieces.map { piece in
      switch piece {
      case .text(let text): text
      case .variable(let name): "$\(name)"
      }
    }.joined()
  }

  mutating func add(_ character: Character) {
    if case .text(let text)? = pieces.last {
      pieces[pieces.count - 1] = .text(text + String(character))
    } else {
      pieces.append(.text(String(character)))
    }
  }
}

/// Splits a script into commands, and those into words.
private struct GRUBReader {
  private let text: [Character]
  private var place = 0
  private var word: GRUBWord?
  private var command: [GRUBWord] = []
  private var all: [[GRUBWord]] = []
  /// Whether a quote has no end.
  private(set) var isOpen = false

  init(_ bytes: [UInt8]) { text = Array(String(decoding: bytes, as: UTF8.self)) }

  /// Words before a command.
  private static let keywords: Set<String> = ["if", "elif", "then", "else", "while", "until", "do", "!", "{", "}"]

  mutating func commands() -> [[GRUBWord]] {
    while place < text.count {
      let character = text[place]
      place += 1
      switch character {
      case " ", "\t": endWord()
      case "\n", "\r", "\r\n", ";", "|", "&": endCommand()
      case "#" where word == nil: while place < text.count, !text[place].isNewline { place += 1 }
      case "\\":
        // Before a line's end it joins two lines.
        if place < text.count, !text[place].isNewline { add(text[place]) }
        place += 1
      case "'": quote(until: "'", expands: false)
      case "\"": quote(until: "\"", expands: true)
      case "$": variable()
      default: add(character)
      }
    }
    endCommand()
    return all
  }

  private mutating func add(_ character: Character) {
    word = word ?? GRUBWord()
    word?.add(character)
  }

  private mutating func quote(until end: Character, expands: Bool) {
    word = word ?? GRUBWord()
    word?.isQuoted = true
    while place < text.count {
      let character = text[place]
      place += 1
      if character == end { return }
      if expands, character == "$" {
        variable()
      } else if expands, character == "\\", place < text.count {
        add(text[place])
        place += 1
      } else {
        add(character)
      }
    }
    isOpen = true
  }

  private mutating func variable() {
    word = word ?? GRUBWord()
    let braced = place < text.count && text[place] == "{"
    if braced { place += 1 }
    var name = ""
    while place < text.count, text[place].isLetter || text[place].isNumber || "_?@*#".contains(text[place]) {
      name.append(text[place])
      place += 1
    }
    if braced, place < text.count, text[place] == "}" { place += 1 }
    word?.pieces.append(.variable(name))
  }

  private mutating func endWord() {
    guard let word else { return }
    self.word = nil
    if !word.isQuoted, let plain = word.plain, Self.keywords.contains(plain) {
      endCommand()
    } else {
      command.append(word)
    }
  }

  private mutating func endCommand() {
    endWord()
    if !command.isEmpty { all.append(command) }
    command = []
  }
}
