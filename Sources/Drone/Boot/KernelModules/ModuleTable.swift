import Bytes

/// The kernel modules that an image holds: what each needs, and for which devices it is.
///
/// As text, one line an entry; a module's lines are followed by those of its patterns:
///
///     droneforge-modules 1 6.1.0-57-amd64
///     a nf_tables ‹64 hexadecimal digits› libcrc32c
///     m e1000e ‹64 hexadecimal digits› ptp pps_core
///     p pci:v00008086d00001502sv*sd*bc*sc*i*
///     end 2
///
/// `a` modules are loaded on every computer, in the table's order; `m` modules where a device asks for them. A module's
/// name is followed by the SHA-256 of its file and by the modules that must be loaded before it. The last line counts the modules,
/// so that a cut table is never taken for a whole one.
public struct ModuleTable: Equatable, Sendable {
  public struct Module: Equatable, Sendable {
    /// As /proc/modules has it: with `_` and not `-`.
    public var name: [UInt8]
    /// Of its file: 32 bytes.
    public var digest: [UInt8]
    /// Names of modules of this table that are loaded before it.
    public var needs: [[UInt8]]
    /// For which devices it is, as patterns of fnmatch(3) for a device's `modalias`.
    public var patterns: [[UInt8]]
    /// It is loaded whatever the devices are.
    public var isForAll: Bool

    public init(
      name: [UInt8], digest: [UInt8], needs: [[UInt8]] = [], patterns: [[UInt8]] = [], isForAll: Bool = false
    ) {
      (self.name, self.digest, self.needs, self.patterns, self.isForAll) = (name, digest, needs, patterns, isForAll)
    }

    /// Its file's name in the folder of modules.
    public var file: [UInt8] { name + [UInt8](".ko") }
  }

  /// The kernel that they are for, as `uname -r` gives it.
  public let release: [UInt8]
  public let modules: [Module]
  /// For each module the places of those that it needs.
  private let needs: [[Int]]

  /// Modules that a table may have.
  public static let most = 8192
  /// Bytes that its text may have.
  public static let largest = 4 << 20
  private static let heading: StaticString = "droneforge-modules 1 "

  /// What is wrong with a table.
  public enum ParseError: Error, Equatable {
    /// The first line is not this format's heading with a kernel's release.
    case heading
    /// The line with this number, from 1, is no entry.
    case line(Int)
    /// The last line is missing, or counts other than there are.
    case cut
    /// There are more modules than a table may have.
    case tooMany
    /// Two modules have this name.
    case repeated([UInt8])
    /// A module needs one of this name, and there is none.
    case missing([UInt8])
  }

  /// Of an image without modules; it has no text.
  public init() { (release, modules, needs) = ([], [], []) }

  /// A table of these modules in their order. Throws `repeated`, `missing` or `tooMany`; `line` for a word that the text
  /// cannot hold.
  public init(release: [UInt8], _ modules: [Module]) throws(ParseError) {
    guard isWord(release) else { throw .heading }
    guard modules.count <= Self.most else { throw .tooMany }
    var places: [[UInt8]: Int] = [:]
    for (place, module) in modules.enumerated() {
      guard isModuleName(module.name), module.digest.count == 32, module.patterns.allSatisfy(isPattern) else {
        throw .line(place + 2)
      }
      guard places.updateValue(place, forKey: module.name) == nil else { throw .repeated(module.name) }
    }
    var needs: [[Int]] = []
    for module in modules {
      var found: [Int] = []
      for name in module.needs {
        guard let place = places[name] else { throw .missing(name) }
        found.append(place)
      }
      needs.append(found)
    }
    (self.release, self.modules, self.needs) = (release, modules, needs)
  }

  /// The table's text.
  public var text: [UInt8] {
    var out = [UInt8](Self.heading) + release
    out.append(newline)
    for module in modules {
      out.append(module.isForAll ? UInt8(ascii: "a") : UInt8(ascii: "m"))
      out.append(space)
      out += module.name
      out.append(space)
      out += hexadecimalText(module.digest)
      for name in module.needs {
        out.append(space)
        out += name
      }
      out.append(newline)
      for pattern in module.patterns {
        out += [UInt8(ascii: "p"), space]
        out += pattern
        out.append(newline)
      }
    }
    out += [UInt8]("end ")
    appendDecimal(UInt64(modules.count), to: &out)
    out.append(newline)
    return out
  }

  /// Reads a table's text; every byte of it must be accounted for.
  public init(text: [UInt8]) throws(ParseError) {
    let (release, modules) = try Self.read(text, namesOnly: false)
    try self.init(release: release, modules)
  }

  /// The names of a table's modules, in its order, for whom the rest of it would only take memory. Throws for each line for which
  /// `init(text:)` does; what a module needs is not looked for.
  public static func names(text: [UInt8]) throws(ParseError) -> [[UInt8]] {
    try read(text, namesOnly: true).modules.map { $0.name }
  }

  /// Checks every line; keeps of each module what is asked for.
  private static func read(
    _ text: [UInt8], namesOnly: Bool
  ) throws(ParseError) -> (release: [UInt8], modules: [Module]) {
    var rest = text[...]
    guard let first = rest.takeLine(), first.starts(with: [UInt8](heading)) else { throw .heading }
    let release = [UInt8](first.dropFirst(heading.utf8CodeUnitCount))
    guard isWord(release) else { throw .heading }
    var modules: [Module] = []
    var number = 1
    while let line = rest.takeLine() {
      number += 1
      if line.starts(with: [UInt8]("end ")) {
        guard decimal(line.dropFirst(4)) == UInt64(modules.count), rest.isEmpty else { throw .cut }
        return (release, modules)
      }
      let words = line.dropFirst(2)
      guard line.dropFirst().first == space else { throw .line(number) }
      switch line.first {
      case UInt8(ascii: "a"), UInt8(ascii: "m"):
        guard var module = Module(words: words, isForAll: line.first == UInt8(ascii: "a")) else { throw .line(number) }
        guard modules.count < most else { throw .tooMany }
        if namesOnly { module = Module(name: module.name, digest: []) }
        modules.append(module)
      case UInt8(ascii: "p"):
        guard !modules.isEmpty, isPattern(words) else { throw .line(number) }
        if !namesOnly { modules[modules.count - 1].patterns.append([UInt8](words)) }
      default: throw .line(number)
      }
    }
    throw .cut
  }

  // MARK: What a computer needs

  /// The places of the modules for a device that calls itself so.
  public func places(for modalias: [UInt8]) -> [Int] {
    modules.indices.filter { place in modules[place].patterns.contains { matches($0[...], modalias[...]) } }
  }

  /// The places of these modules and of all that they need, each after what it needs, and once. Modules that need each other in
  /// a circle come in the order in which they were met.
  public func loadOrder(of wanted: [Int]) -> [Int] {
    var order: [Int] = []
    var isMet = [Bool](repeating: false, count: modules.count)
    // What is under way, with the number of needs that are done: a chain may be as long as the table.
    var path: [(place: Int, next: Int)] = []
    for place in wanted where modules.indices.contains(place) && !isMet[place] {
      isMet[place] = true
      path.append((place, 0))
      while let (current, next) = path.last {
        if next < needs[current].count {
          path[path.count - 1].next += 1
          let need = needs[current][next]
          if !isMet[need] {
            isMet[need] = true
            path.append((need, 0))
          }
        } else {
          order.append(current)
          path.removeLast()
        }
      }
    }
    return order
  }

  public static func == (one: ModuleTable, other: ModuleTable) -> Bool {
    one.release == other.release && one.modules == other.modules
  }
}

extension ModuleTable.Module {
  /// `e1000e ‹digest› ptp pps_core`
  fileprivate init?(words: ArraySlice<UInt8>, isForAll: Bool) {
    let parts = words.split(separator: space, omittingEmptySubsequences: false)
    guard parts.count >= 2, let digest = hexadecimalBytes(parts[1], count: 32),
      isModuleName(parts[0]), parts.dropFirst(2).allSatisfy({ isModuleName($0) })
    else { return nil }
    self.init(
      name: [UInt8](parts[0]), digest: digest, needs: parts.dropFirst(2).map { [UInt8]($0) }, isForAll: isForAll)
  }
}

private let space = UInt8(ascii: " ")
private let newline = UInt8(ascii: "\n")

/// Printable ASCII without a space: 1 to 255 bytes.
private func isWord(_ bytes: some Collection<UInt8>) -> Bool {
  (1...255).contains(bytes.count) && bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F }
}

/// A module's name is part of a file's: letters, digits and `_`, at most 55 bytes (include/linux/module.h, MODULE_NAME_LEN).
private func isModuleName(_ bytes: some Collection<UInt8>) -> Bool {
  (1...55).contains(bytes.count)
    && bytes.allSatisfy {
      switch $0 {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
}

private func isPattern(_ bytes: some Collection<UInt8>) -> Bool {
  (1...512).contains(bytes.count) && bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
}
