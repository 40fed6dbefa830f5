import Addresses
import Bytes
import DroneLayout
import NodeStatus

/// Why a text is not a table.
public enum ClusterTableError: Error, Equatable, Sendable {
  /// It has more bytes than any table.
  case tooLong(Int)
  /// It does not begin with a table's first line.
  case noTable
  /// It is of another version.
  case version(UInt64)
  /// It says that there are more nodes than any table has.
  case tooMany(UInt64)
  /// It ends before the last node.
  case cut(found: Int, of: Int)
  /// Something follows the last node.
  case rest
  /// This line, counted from 1, is not a node's.
  case line(Int)

  /// A sentence without its full stop.
  public var text: [UInt8] {
    switch self {
    case .tooLong(let count): [UInt8]("a cluster table of \(count) bytes is too long")
    case .noTable: [UInt8]("this is not a cluster table")
    case .version(let version):
      [UInt8]("the cluster table has version \(version); this program reads version \(ClusterTable.version)")
    case .tooMany(let count): [UInt8]("a cluster table of \(count) nodes is too long")
    case .cut(let found, let count):
      [UInt8]("the cluster table ends after \(found) of \(count) nodes")
    case .rest: [UInt8]("something follows the end of the cluster table")
    case .line(let line): [UInt8]("line \(line) of the cluster table is not a node's")
    }
  }
}

extension ClusterTable {
  /// Reads what `text` writes.
  public init(text bytes: [UInt8]) throws(ClusterTableError) {
    guard bytes.count <= ClusterTable.largestText else { throw .tooLong(bytes.count) }
    var reader = LineReader(bytes)
    guard reader.nextLine(), reader.accept("table"), let version = reader.number() else { throw .noTable }
    guard version == ClusterTable.version else { throw .version(version) }
    guard let count = reader.number(), let own = reader.id(), let standing = reader.standing(),
      let fingerprint = reader.digest()
    else { throw .noTable }
    guard count <= UInt64(ClusterTable.largestCount) else { throw .tooMany(count) }
    let name = reader.restOfLine()
    guard name.count <= 64, name.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw .noTable }
    self.init(own: own, standing: standing, fingerprint: fingerprint, name: [UInt8](name))
    nodes.reserveCapacity(Int(clamping: count))
    while nodes.count < Int(clamping: count) {
      guard reader.nextLine() else { throw .cut(found: nodes.count, of: Int(clamping: count)) }
      guard let node = ClusterTable.node(&reader) else { throw .line(nodes.count + 2) }
      nodes.append(node)
    }
    guard reader.isAtEnd else { throw .rest }
  }

  private static func node(_ reader: inout LineReader) -> Node? {
    guard let id = reader.id(), let address = reader.address(), let state = reader.state(),
      let cpus = reader.number().flatMap({ UInt16(exactly: $0) }), let speed = reader.number32(),
      let load = reader.number32(), let memoryTotal = reader.number32(), let memoryFree = reader.number32(),
      let uptime = reader.number32(), let version = reader.version(), let marks = reader.word(), reader.isAtEndOfLine
    else { return nil }
    let isOwn = marks.first == UInt8(ascii: "o")
    let others = isOwn ? marks.dropFirst() : marks
    guard others.spells("a") || others.isEmpty || !isOwn && others.spells("-") else { return nil }
    return Node(
      id: id, address: address, state: state, cpus: cpus, speed: speed, load: load, memoryTotal: memoryTotal,
      memoryFree: memoryFree, uptime: uptime, version: version, isOwn: isOwn, mayApprove: others.spells("a"))
  }
}

/// Walks over a text line by line, and over a line word by word, in place: a table of a thousand nodes is read every second.
private struct LineReader {
  private let bytes: [UInt8]
  /// Where the next word of the line begins, where the line ends, and where the next line begins.
  private var place = 0
  private var end = 0
  private var next = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { next >= bytes.count }
  var isAtEndOfLine: Bool { place > end }

  /// Advances to the next line; false when there is none that ends with a line feed.
  mutating func nextLine() -> Bool {
    var found = next
    while found < bytes.count, bytes[found] != newline { found += 1 }
    guard found < bytes.count else { return false }
    (place, end, next) = (next, found, found + 1)
    return true
  }

  /// The range of the next word, not empty, and advances past it; nil at the line's end.
  private mutating func nextWord() -> Range<Int>? {
    let start = place
    guard start < end else { return nil }
    var stop = start
    while stop < end, bytes[stop] != space { stop += 1 }
    guard stop > start else { return nil }
    place = stop + 1
    return start..<stop
  }

  mutating func word() -> ArraySlice<UInt8>? { nextWord().map { bytes[$0] } }

  mutating func restOfLine() -> ArraySlice<UInt8> {
    defer { place = end + 1 }
    return bytes[min(place, end)..<end]
  }

  /// Whether the next word is this one; if so, continues after it.
  mutating func accept(_ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    let stop = place + count
    guard stop <= end, stop == end || bytes[stop] == space else { return false }
    let start = place
    guard
      word.withUTF8Buffer({ letters in
        for index in 0..<count where bytes[start + index] != letters[index] { return false }
        return true
      })
    else { return false }
    place = stop + 1
    return true
  }

  mutating func standing() -> ClusterTable.Standing? {
    for number in 0..<4 as Range<UInt8> {
      if let standing = ClusterTable.Standing(rawValue: number), accept(standing.word) { return standing }
    }
    return nil
  }

  mutating func state() -> ClusterTable.State? {
    for number in 0..<5 as Range<UInt8> {
      if let state = ClusterTable.State(rawValue: number), accept(state.word) { return state }
    }
    return nil
  }

  mutating func number() -> UInt64? { nextWord().flatMap { number(in: $0) } }

  mutating func number32() -> UInt32? {
    guard let range = nextWord() else { return nil }
    // Nine digits always fit; a Pentium multiplies 64 bits slowly.
    guard range.count <= 9 else { return number(in: range).flatMap { UInt32(exactly: $0) } }
    var value: UInt32 = 0
    for index in range {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      value = value &* 10 &+ UInt32(digit)
    }
    return value
  }

  private func number(in range: Range<Int>) -> UInt64? { decimal(bytes[range]) }

  mutating func id() -> UInt16? {
    guard let range = nextWord(), range.count == 6, bytes[range.lowerBound] == UInt8(ascii: "0"),
      bytes[range.lowerBound + 1] == UInt8(ascii: "x")
    else { return nil }
    return hexadecimalNumber(bytes[range].dropFirst(2)).flatMap { UInt16(exactly: $0) }
  }

  /// 64 hexadecimal digits.
  mutating func digest() -> [UInt8]? {
    word().flatMap { hexadecimalBytes($0, count: 32) }
  }

  mutating func address() -> IPv4Address? {
    if accept("-") { return .unspecified }
    return nextWord().flatMap { IPv4Address(text: bytes[$0]) }
  }

  mutating func version() -> SoftwareVersion? {
    guard let range = nextWord() else { return nil }
    var parts: (UInt16, UInt16, UInt16) = (0, 0, 0)
    var count = 0
    var start = range.lowerBound
    while start <= range.upperBound {
      var stop = start
      while stop < range.upperBound, bytes[stop] != UInt8(ascii: ".") { stop += 1 }
      guard count < 3, let value = number(in: start..<stop).flatMap({ UInt16(exactly: $0) }) else { return nil }
      if count == 0 { parts.0 = value }
      if count == 1 { parts.1 = value }
      if count == 2 { parts.2 = value }
      count += 1
      start = stop + 1
    }
    return count == 3 ? SoftwareVersion(parts.0, parts.1, parts.2) : nil
  }
}
