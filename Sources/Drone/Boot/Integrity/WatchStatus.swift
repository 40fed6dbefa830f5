import Bytes

/// What a running certaintyd reports about itself in a small file, one `name number` per line. A reader ignores unknown names
/// and counts a missing number as 0.
public struct WatchStatus: Equatable, Sendable {
  /// Its process id.
  public var process: UInt64 = 0
  /// Milliseconds between the beginnings of two passes.
  public var interval: UInt64 = 0
  /// Paths that each pass checks.
  public var entries: UInt64 = 0
  /// Bytes of content in a whole round.
  public var total: UInt64 = 0
  /// When it started, and when the last pass ended: milliseconds since the kernel's start.
  public var started: UInt64 = 0
  public var last: UInt64 = 0
  public var passes: UInt64 = 0
  /// Processor time of the last pass in nanoseconds: for metadata, and for content.
  public var metadata: UInt64 = 0
  public var content: UInt64 = 0
  /// Bytes hashed in the last pass.
  public var hashed: UInt64 = 0
  /// Whole rounds of content so far, and how many milliseconds the last one took; 0 when it was within one pass.
  public var rounds: UInt64 = 0
  public var round: UInt64 = 0
  /// Processor time since its first pass began, in nanoseconds, and since when: milliseconds since the kernel's start.
  public var processor: UInt64 = 0
  public var since: UInt64 = 0
  /// Passes that left something to the next one because it could not be read.
  public var repeated: UInt64 = 0

  public init() {}

  private static let names: [StaticString] = [
    "process", "interval", "entries", "total", "started", "last", "passes", "metadata", "content", "hashed", "rounds",
    "round", "processor", "since", "repeated",
  ]

  private subscript(index: Int) -> UInt64 {
    get {
      switch index {
      case 0: process
      case 1: interval
      case 2: entries
      case 3: total
      case 4: started
      case 5: last
      case 6: passes
      case 7: metadata
      case 8: content
      case 9: hashed
      case 10: rounds
      case 11: round
      case 12: processor
      case 13: since
      default: repeated
      }
    }
    set {
      switch index {
      case 0: process = newValue
      case 1: interval = newValue
      case 2: entries = newValue
      case 3: total = newValue
      case 4: started = newValue
      case 5: last = newValue
      case 6: passes = newValue
      case 7: metadata = newValue
      case 8: content = newValue
      case 9: hashed = newValue
      case 10: rounds = newValue
      case 11: round = newValue
      case 12: processor = newValue
      case 13: since = newValue
      default: repeated = newValue
      }
    }
  }

  /// The file's bytes.
  public var file: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(320)
    for (index, name) in Self.names.enumerated() {
      out += [UInt8](name)
      out.append(UInt8(ascii: " "))
      appendDecimal(self[index], to: &out)
      out.append(UInt8(ascii: "\n"))
    }
    return out
  }

  /// Reads the file; nil when it names no process.
  public init?(file: [UInt8]) {
    for line in file.split(separator: UInt8(ascii: "\n")) {
      let words = line.split(separator: UInt8(ascii: " "))
      guard words.count == 2, let index = Self.names.firstIndex(where: { words[0].spells($0) }),
        let value = decimal(words[1])
      else { continue }
      self[index] = value
    }
    guard process > 0 else { return nil }
  }

  /// For people, a line each. `now`: milliseconds since the kernel's start.
  public func text(now: UInt64) -> [UInt8] {
    var out = [UInt8]("certaintyd runs as process ")
    appendDecimal(process, to: &out)
    out += [UInt8](" and looks every ")
    appendSeconds(interval, to: &out)
    guard passes > 0 else {
      out += [UInt8](" at ")
      appendDecimal(entries, to: &out)
      out += [UInt8](" entries.\nIts first pass is still to come.\n")
      return out
    }
    out += [UInt8](".\nLast pass   number ")
    appendDecimal(passes, to: &out)
    out += [UInt8](", ")
    appendSeconds(now > last ? now &- last : 0, to: &out)
    out += [UInt8](" ago, took ")
    out += decimalText((metadata &+ content) / 1000, places: 3)
    out += [UInt8](" ms of processor time\nEntries     ")
    appendDecimal(entries, to: &out)
    out += [UInt8](", their metadata every pass: ")
    out += decimalText(metadata / 1000, places: 3)
    out += [UInt8](" ms\nContent     ")
    if hashed >= total {
      out += [UInt8]("all ")
      appendDecimal(total, to: &out)
      out += [UInt8](" bytes every pass: ")
    } else {
      appendDecimal(hashed, to: &out)
      out += [UInt8](" of ")
      appendDecimal(total, to: &out)
      out += [UInt8](" bytes this pass: ")
    }
    out += decimalText(content / 1000, places: 3)
    out += [UInt8](" ms")
    if hashed < total, round > 0 {
      out += [UInt8]("; a whole round took ")
      appendSeconds(round, to: &out)
    }
    out += [UInt8]("\nProcessor   ")
    // Nanoseconds per millisecond are millionths; a hundred of them are a hundredth of a percent.
    let wall = last > since ? last &- since &+ interval : 0
    out += decimalText(wall > 0 ? processor / wall / 100 : 0, places: 2)
    out += [UInt8](" % of one since the first pass\nRepeated    ")
    appendDecimal(repeated, to: &out)
    out += [UInt8](" passes could not look at everything\n")
    return out
  }
}

/// `2 s` or `0.5 s`.
private func appendSeconds(_ milliseconds: UInt64, to out: inout [UInt8]) {
  out += decimalText(milliseconds / 100, places: 1) + [UInt8](" s")
}
