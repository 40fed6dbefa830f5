/// Which bytes to hash next, when a pass may not have time for all of them.
///
/// Files are taken round and round in the baseline's order, a piece at a time; a file that does not fit a pass goes on
/// in the next one where it stopped. `rounds` counts how often everything has been hashed.
public struct ContentSchedule: Equatable, Sendable {
  /// One piece of one file.
  public struct Piece: Equatable, Sendable {
    /// Index of the file's entry in the baseline.
    public var entry: Int
    public var offset: UInt64
    public var count: UInt64
    /// Whether the file ends with this piece, so that its digest can be compared.
    public var isLast: Bool
  }

  private let files: [(entry: Int, size: UInt64)]
  private let pieceSize: UInt64
  private var next = 0
  private var offset: UInt64 = 0
  /// Whole rounds so far.
  public private(set) var rounds: UInt64 = 0
  /// Bytes in one round.
  public let total: UInt64
  /// Pieces in one round.
  public let pieceCount: UInt64

  /// `pieceSize`: bytes in one piece, at least 1.
  public init(_ baseline: Baseline, pieceSize: UInt64) {
    var files: [(entry: Int, size: UInt64)] = []
    let pieceSize = max(1, pieceSize)
    var total: UInt64 = 0
    var pieceCount: UInt64 = 0
    for (index, entry) in baseline.entries.enumerated() {
      guard case .file(let size, _) = entry.kind, Coverage.includes(entry.path) else { continue }
      files.append((entry: index, size: size))
      total &+= size
      pieceCount &+= max(1, size / pieceSize &+ (size % pieceSize == 0 ? 0 : 1))
    }
    self.files = files
    self.total = total
    self.pieceCount = pieceCount
    self.pieceSize = pieceSize
  }

  /// The next piece; nil only when the baseline has no files. An empty file is one piece of no bytes.
  public mutating func piece() -> Piece? {
    guard next < files.count else { return nil }
    let (entry, size) = files[next]
    let rest = size > offset ? size - offset : 0
    let count = min(rest, pieceSize)
    let piece = Piece(entry: entry, offset: offset, count: count, isLast: count == rest)
    if piece.isLast {
      offset = 0
      next += 1
      if next == files.count {
        next = 0
        rounds &+= 1
      }
    } else {
      offset += count
    }
    return piece
  }

  /// Goes back to the beginning of the file that the last piece was of: it could not be read. When that was the last
  /// piece of a round, the round does not count yet.
  public mutating func repeatFile(of piece: Piece) {
    guard let index = files.firstIndex(where: { $0.entry == piece.entry }) else { return }
    if piece.isLast, next == 0, rounds > 0 { rounds &-= 1 }
    next = index
    offset = 0
  }

  /// Goes on with the file after the one that the piece is of.
  public mutating func passOver(_ piece: Piece) {
    guard let index = files.firstIndex(where: { $0.entry == piece.entry }) else { return }
    next = (index + 1) % files.count
    offset = 0
  }

  public static func == (left: ContentSchedule, right: ContentSchedule) -> Bool {
    left.next == right.next && left.offset == right.offset && left.rounds == right.rounds
  }
}
