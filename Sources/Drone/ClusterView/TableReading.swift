import NetworkAddresses

/// Why a text is no table.
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
    func number(_ value: UInt64) -> [UInt8] {
      var out: [UInt8] = []
      appendDecimal(value, to: &out)
      return out
    }
    return switch self {
    case .tooLong(let count): [UInt8]("a cluster's table of ") + number(UInt64(count)) + [UInt8](" bytes is too long")
    case .noTable: [UInt8]("this is not a cluster's table")
    case .version(let version):
      [UInt8]("the cluster's table is of version ") + number(version) + [UInt8]("; this program reads version ")
        + number(ClusterTable.version)
    case .tooMany(let count): [UInt8]("a cluster's table of ") + number(count) + [UInt8](" nodes is too long")
    case .cut(let found, let count):
      [UInt8]("the cluster's table ends after ") + number(UInt64(found)) + [UInt8](" of ") + number(UInt64(count))
        + [UInt8](" nodes")
    case .rest: [UInt8]("something follows the end of the cluster's table")
    case .line(let line): [UInt8]("line ") + number(UInt64(line)) + [UInt8](" of the cluster's table is not a node's")
    }
  }
}

extension ClusterTable {
  /// Reads what `text` writes.
  public init(text bytes: [UInt8]) throws(ClusterTableError) {
    guard bytes.count <= ClusterTable.largestText else { throw .tooLong(bytes.count) }
    var reader = LineReader(bytes)
    guard reader.nextLine(), reader.word()?.spells("table") == true, let version = reader.number() else {
      throw .noTable
    }
    guard version == ClusterTable.version else { throw .version(version) }
    guard let count = reader.number(), let own = reader.id(), let word = reader.word(),
      let standing = Standing.allCases.first(where: { word.spells($0.word) }),
      let digits = reader.word(), let fingerprint = ClusterTable.digest(digits)
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
    guard let id = reader.id(), let address = reader.address(), let word = reader.word(),
      let state = State.allCases.first(where: { word.spells($0.word) }),
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

  private static func digest(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
    guard digits.count == 64 else { return nil }
    var out: [UInt8] = []
    var high: UInt8?
    for byte in digits {
      guard let digit = hexadecimalDigit(byte) else { return nil }
      if let first = high {
        out.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return out
  }
}

/// Walks over a text line by line, and over a line word by word, in place.
private struct LineReader {
  private let bytes: [UInt8]
  /// Where the next word of the line begins, where the line ends, and where the next line begins.
  private var place = 0
  private var end = 0
  private var next = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { next >= bytes.count }
  var isAtEndOfLine: Bool { place > end }

  /// Goes to the next line; false when there is none that ends with a line feed.
  mutating func nextLine() -> Bool {
    guard let found = bytes[min(next, bytes.count)...].firstIndex(of: newline) else { return false }
    (place, end, next) = (next, found, found + 1)
    return true
  }

  /// The next word, not empty; nil at the line's end.
  mutating func word() -> ArraySlice<UInt8>? {
    guard place < end else { return nil }
    let start = place
    let stop = bytes[start..<end].firstIndex(of: space) ?? end
    guard stop > start else { return nil }
    place = stop + 1
    return bytes[start..<stop]
  }

  mutating func restOfLine() -> ArraySlice<UInt8> {
    defer { place = end + 1 }
    return bytes[min(place, end)..<end]
  }

  mutating func number() -> UInt64? { word().flatMap { decimal($0) } }

  mutating func number32() -> UInt32? { number().flatMap { UInt32(exactly: $0) } }

  mutating func id() -> UInt16? {
    guard let word = word(), word.count == 6, word.starts(with: [UInt8]("0x")) else { return nil }
    var id: UInt16 = 0
    for byte in word.dropFirst(2) {
      guard let digit = hexadecimalDigit(byte) else { return nil }
      id = id << 4 | UInt16(digit)
    }
    return id
  }

  mutating func address() -> IPv4Address? {
    guard let word = word() else { return nil }
    return word.spells("-") ? .unspecified : IPv4Address(text: word)
  }

  mutating func version() -> ClusterTable.Version? {
    guard let word = word() else { return nil }
    var parts: (UInt16, UInt16, UInt16) = (0, 0, 0)
    var count = 0
    for part in word.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
      guard let value = decimal(part).flatMap({ UInt16(exactly: $0) }) else { return nil }
      switch count {
      case 0: parts.0 = value
      case 1: parts.1 = value
      case 2: parts.2 = value
      default: return nil
      }
      count += 1
    }
    return count == 3 ? ClusterTable.Version(parts.0, parts.1, parts.2) : nil
  }
}
