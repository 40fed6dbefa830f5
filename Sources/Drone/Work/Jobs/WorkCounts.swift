import Bytes

/// What a mosd counts since it began: a small file, which tyd's metrics read.
public struct WorkCounts: Equatable, Sendable {
  /// In the order of their names.
  public enum Kind: Int, CaseIterable, Sendable {
    /// Jobs of this node's users that other nodes took.
    case given
    /// Jobs of others that began here.
    case taken
    /// Calls of members that found no room here.
    case refused
    /// Jobs of this node's users that others run now.
    case elsewhere
    /// Jobs of others that run here now.
    case here
    /// Sessions whose files this node serves now.
    case served
    /// Sessions of others whose files are mounted here now.
    case mounted
    /// Bytes of files that other nodes read from this one.
    case read
    /// Bytes of files that other nodes wrote to this one.
    case written
  }
  private static let names: [StaticString] = [
    "given", "taken", "refused", "elsewhere", "here", "served", "mounted", "read", "written",
  ]
  private var values = [UInt64](repeating: 0, count: names.count)

  public init() {}

  public subscript(_ kind: Kind) -> UInt64 {
    get { values[kind.rawValue] }
    set { values[kind.rawValue] = newValue }
  }

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
      guard words.count == 2, let value = decimal(words[1]),
        let place = WorkCounts.names.firstIndex(where: { words[0].spells($0) })
      else { continue }
      values[place] = value
    }
  }
}
