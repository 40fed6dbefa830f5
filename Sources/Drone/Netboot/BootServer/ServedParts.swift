/// A served file as what it consists of, one part behind the other. Nothing is copied together: each read takes its bytes from
/// where they lie.
public struct ServedParts: Equatable, Sendable {
  public enum Source: Equatable, Sendable {
    case bytes([UInt8])
    /// Bytes of an open file, from this offset on; files are numbered by whoever opened them.
    case file(Int, from: Int)
    case zeros
  }

  private struct Part: Equatable, Sendable {
    let source: Source
    /// In the served file.
    let start: Int
    let count: Int
  }

  /// Some bytes of one part.
  public struct Piece: Equatable, Sendable {
    public let source: Source
    /// From the beginning of the source.
    public let offset: Int
    public let count: Int
  }

  private var parts: [Part] = []
  /// In bytes.
  public private(set) var size = 0

  public init() {}

  /// Adds a part; one without bytes counts as not there.
  public mutating func append(_ source: Source, count: Int) {
    guard count > 0 else { return }
    parts.append(Part(source: source, start: size, count: count))
    size += count
  }

  /// Adds bytes.
  public mutating func append(_ bytes: [UInt8]) { append(.bytes(bytes), count: bytes.count) }

  /// Adds all of another file.
  public mutating func append(_ other: ServedParts) {
    for part in other.parts { append(part.source, count: part.count) }
  }

  /// The pieces that hold these bytes, in their order; nil when the file has not so many.
  public func pieces(_ offset: Int, _ count: Int) -> [Piece]? {
    guard offset >= 0, count >= 0, offset <= size, count <= size - offset else { return nil }
    var pieces: [Piece] = []
    for part in parts where part.start < offset + count && offset < part.start + part.count {
      let first = max(offset, part.start)
      let end = min(offset + count, part.start + part.count)
      guard first < end else { continue }
      var skipped = first - part.start
      if case .file(_, let start) = part.source { skipped += start }
      pieces.append(Piece(source: part.source, offset: skipped, count: end - first))
    }
    return pieces
  }
}
