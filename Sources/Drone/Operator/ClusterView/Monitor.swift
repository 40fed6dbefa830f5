import Terminal

/// What a user of `mosmon` has chosen to see.
public struct Monitor: Equatable, Sendable {
  public var quantity = Quantity.load
  /// Whether nodes that died, left or were removed have a place, too.
  public var showsDead = false
  public var showsTotals = false
  public var numbering = Numbering.automatic
  public var showsHelp = false
  /// The first node that is shown, counted from 0 in the order of ids.
  public var first = 0

  public init() {}

  /// What the bars are of.
  public enum Quantity: UInt8, CaseIterable, Sendable {
    /// Programs that want a processor, averaged over a minute.
    case load
    /// The part of a node's memory that is in use.
    case memory
    /// Memory in MiB: in use, and all.
    case rawMemory
    /// The speed of a processor.
    case speed
    /// The part of a node's processors that no program wants.
    case utilisability
  }

  /// How the ids stand below the bars.
  public enum Numbering: UInt8, CaseIterable, Sendable {
    /// Beside each other if that leaves room for all nodes; else below each other; else tightly so.
    case automatic
    /// `0x010b`: seven places a node.
    case wide
    /// One digit below the other: two places a node.
    case vertical
    /// The same without a space between two nodes.
    case tight
  }

  /// What a key asks of the program.
  public enum Answer: Equatable, Sendable {
    case show
    case quit
  }

  /// Does what a key says. `page` is how many nodes are shown at once, `count` how many there are to show.
  public mutating func press(_ key: Key, page: Int, count: Int) -> Answer {
    if showsHelp, key != .character(UInt8(ascii: "q")) {
      showsHelp = false
      return .show
    }
    if case .character(let byte) = key { return press(byte) }
    let move = key == .right ? .down : key == .left ? .up : key
    first = move.scrolling(from: first, page: page, count: count) ?? first
    return .show
  }

  private mutating func press(_ letter: UInt8) -> Answer {
    switch letter {
    case UInt8(ascii: "l"): quantity = .load
    case UInt8(ascii: "m"): quantity = .memory
    case UInt8(ascii: "r"): quantity = .rawMemory
    case UInt8(ascii: "s"): quantity = .speed
    case UInt8(ascii: "u"): quantity = .utilisability
    case UInt8(ascii: "d"): showsDead.toggle()
    case UInt8(ascii: "t"): showsTotals.toggle()
    case UInt8(ascii: "w"): numbering = .wide
    case UInt8(ascii: "v"): numbering = .vertical
    case UInt8(ascii: "V"): numbering = .tight
    case UInt8(ascii: "a"): numbering = .automatic
    case UInt8(ascii: "h"), UInt8(ascii: "?"): showsHelp = true
    case UInt8(ascii: "q"), UInt8(ascii: "Q"): return .quit
    default: break
    }
    return .show
  }

  /// The nodes that have a place, in the order of ids.
  public func nodes(of table: ClusterTable) -> [ClusterTable.Node] {
    showsDead ? table.sorted { _ in true } : table.liveNodes
  }
}
