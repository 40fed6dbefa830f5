import Bytes

/// What a mosd counts since it began: a small file, which tyd's metrics read.
public struct WorkCounts: Equatable, Sendable {
  /// Jobs of this node's users that other nodes took.
  public var given: UInt64 = 0
  /// Jobs of others that began here.
  public var taken: UInt64 = 0
  /// Calls of members that found no room here.
  public var refused: UInt64 = 0
  /// Jobs of this node's users that others run now.
  public var elsewhere: UInt64 = 0
  /// Jobs of others that run here now.
  public var here: UInt64 = 0
  /// Sessions whose files this node serves now.
  public var served: UInt64 = 0
  /// Sessions of others whose files are mounted here now.
  public var mounted: UInt64 = 0
  /// Bytes of files that other nodes read from this one, and wrote to it.
  public var read: UInt64 = 0
  public var written: UInt64 = 0

  public init() {}

  private static let names: [StaticString] = [
    "given", "taken", "refused", "elsewhere", "here", "served", "mounted", "read", "written",
  ]
  private var values: [UInt64] { [given, taken, refused, elsewhere, here, served, mounted, read, written] }

  /// A line with a name and a number for each.
  public var text: [UInt8] {
    var out: [UInt8] = []
    for (name, value) in zip(WorkCounts.names, values) {
      out += [UInt8](name) + [UInt8(ascii: " ")] + decimalText(value) + [UInt8(ascii: "\n")]
    }
    return out
  }

  /// Lines that it does not know are those of a later version.
  public init(_ text: [UInt8]) {
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let words = line.split(separator: UInt8(ascii: " "))
      guard words.count == 2, let value = decimal(words[1]) else { continue }
      switch WorkCounts.names.firstIndex(where: { words[0].spells($0) }) {
      case 0: given = value
      case 1: taken = value
      case 2: refused = value
      case 3: elsewhere = value
      case 4: here = value
      case 5: served = value
      case 6: mounted = value
      case 7: read = value
      case 8: written = value
      default: break
      }
    }
  }
}
