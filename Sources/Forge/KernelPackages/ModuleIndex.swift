import Workshop

/// What depmod(8) says of the modules of a kernel: where each lies, what must be loaded before it, and for which devices it is.
///
/// Read from modules.dep(5) and its neighbours as texts. Any text is an index or an error that names its line.
public struct ModuleIndex: Sendable, Equatable {
  public struct Module: Sendable, Equatable {
    /// As /proc/modules has it: with `_` and not `-`.
    public let name: String
    /// Below `lib/modules/RELEASE`: `kernel/drivers/net/tun.ko`.
    public let path: String
    /// Names of modules that come before it, those first that others of them need.
    public internal(set) var needs: [String]
    /// What it calls itself beside its name: patterns for devices, and names of algorithms, protocols and file systems.
    public internal(set) var aliases: [String] = []
  }

  public enum ParseError: Error, Equatable, CustomStringConvertible {
    /// A line of this file, counted from 1, is no entry.
    case line(file: String, Int)
    /// Two modules have this name.
    case repeated(String)
    /// A module needs one of this name, and there is none.
    case missing(String, for: String)

    public var description: String {
      switch self {
      case .line(let file, let number): "line \(number) of \(file) is no entry"
      case .repeated(let name): "two modules are called \(name)"
      case .missing(let name, let module): "\(module) needs \(name), which is not there"
      }
    }
  }

  /// By their names.
  public private(set) var modules: [String: Module] = [:]
  /// Names of what the kernel itself has.
  public let builtIn: Set<String>

  /// - Parameters:
  ///   - dependencies: `modules.dep`.
  ///   - aliases: `modules.alias`.
  ///   - softDependencies: `modules.softdep`. What comes before a module only where it is there counts as needed; what
  ///     comes after it is left aside.
  ///   - builtIn: `modules.builtin`.
  public init(
    dependencies: String, aliases: String = "", softDependencies: String = "", builtIn: String = ""
  ) throws(ParseError) {
    self.builtIn = Set(builtIn.split(separator: "\n").map { moduleName(ofPath: $0) })
    try read(dependencies: dependencies)
    try read(aliases: aliases)
    try read(softDependencies: softDependencies)
  }

  private mutating func read(dependencies: String) throws(ParseError) {
    var needs: [(module: String, paths: [Substring])] = []
    for (number, line) in lines(dependencies) {
      guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
        throw .line(file: "modules.dep", number)
      }
      let path = line[..<colon]
      let name = moduleName(ofPath: path)
      guard modules.updateValue(Module(name: name, path: String(path), needs: []), forKey: name) == nil else {
        throw .repeated(name)
      }
      needs.append((name, line[line.index(after: colon)...].split(separator: " ")))
    }
    for (module, paths) in needs {
      // The nearest comes first there.
      for path in paths.reversed() {
        let name = moduleName(ofPath: path)
        guard modules[name] != nil else { throw .missing(name, for: module) }
        modules[module]?.needs.append(name)
      }
    }
  }

  private mutating func read(aliases: String) throws(ParseError) {
    for (number, line) in lines(aliases) {
      // `alias PATTERN MODULE`; a pattern may have blanks.
      guard line.hasPrefix("alias "), let end = line.lastIndex(of: " "),
        let start = line.index(line.startIndex, offsetBy: 6, limitedBy: end), start < end
      else { throw .line(file: "modules.alias", number) }
      let name = plainName(line[line.index(after: end)...])
      modules[name]?.aliases.append(String(line[start..<end]))
    }
  }

  private mutating func read(softDependencies: String) throws(ParseError) {
    for (number, line) in lines(softDependencies) {
      let words = line.split(separator: " ")
      guard words.count >= 2, words[0] == "softdep" else { throw .line(file: "modules.softdep", number) }
      let module = plainName(words[1])
      guard modules[module] != nil else { continue }
      var comesBefore = false
      for word in words.dropFirst(2) {
        if word == "pre:" || word == "post:" {
          comesBefore = word == "pre:"
        } else if comesBefore, let found = named(word), found != module, modules[module]?.needs.contains(found) == false
        {
          modules[module]?.needs.append(found)
        }
      }
    }
  }

  /// The module of that name or alias: of several the one that asks nothing of the processor.
  private func named(_ word: Substring) -> String? {
    let name = plainName(word)
    if modules[name] != nil { return name }
    if builtIn.contains(name) { return nil }
    let known = modules.values.filter { $0.aliases.contains(String(word)) }.map(\.name).sorted()
    return known.first { $0.hasSuffix("_generic") } ?? known.first
  }

  /// These modules and all that they need, each after what it needs.
  public func closure(of names: [String]) -> [String] {
    var order: [String] = []
    var met: Set<String> = []
    var path: [(name: String, next: Int)] = []
    for name in names where modules[name] != nil && met.insert(name).inserted {
      path.append((name, 0))
      while let (current, next) = path.last {
        let needs = modules[current]?.needs ?? []
        if next < needs.count {
          path[path.count - 1].next += 1
          if met.insert(needs[next]).inserted { path.append((needs[next], 0)) }
        } else {
          order.append(current)
          path.removeLast()
        }
      }
    }
    return order
  }
}

/// Names that somebody may have meant by a word, nearest first, at most three.
func namesNear(_ word: String, among names: some Sequence<String>) -> [String] {
  let plain = plainName(word[...])
  let distances = names.map { name in
    (name.hasPrefix(plain) || plain.hasPrefix(name) ? 1 : editDistance(name.utf8, plain.utf8), name)
  }
  return distances.filter { $0.0 <= max(1, plain.count / 3) }.sorted { $0 < $1 }.prefix(3).map(\.1)
}

/// A text's lines with their numbers from 1, without comments and empty ones.
private func lines(_ text: String) -> [(Int, Substring)] {
  text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().filter {
    !$0.element.isEmpty && !$0.element.hasPrefix("#")
  }.map { ($0.offset + 1, $0.element) }
}

/// `kernel/net/tls-more.ko.xz` is `tls_more`.
func moduleName(ofPath path: Substring) -> String {
  let file = path.split(separator: "/").last ?? ""
  return plainName(file.prefix { $0 != "." })
}

/// Both spellings are one name to the kernel.
func plainName(_ word: Substring) -> String { String(word.map { $0 == "-" ? "_" : $0 }) }
