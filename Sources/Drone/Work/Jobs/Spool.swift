/// Where in one file the outputs lie that are not shown yet: each in blocks of its own, which others get when it has been shown.
public struct Spool: Sendable {
  /// Of so many bytes each.
  public static let block: Int64 = 16 << 10

  /// One output in the file.
  public struct Output: Sendable {
    fileprivate var blocks: [Int64] = []
    /// How many blocks have been taken back.
    fileprivate var taken = 0
    /// How many bytes there are, those in blocks taken back included.
    fileprivate var end: Int64 = 0

    public init() {}
    public var isEmpty: Bool { Int64(taken) * Spool.block >= end }
  }

  public struct Piece: Equatable, Sendable {
    public let offset: Int64
    public let count: Int
  }

  private var free: [Int64] = []
  private var blocks: Int64 = 0

  public init() {}

  /// No output lies in the file: it may be emptied.
  public var isEmpty: Bool { blocks == 0 }

  /// Where the next bytes of an output belong, and how many of so many.
  public mutating func room(in output: inout Output, for count: Int) -> Piece {
    let used = output.end % Spool.block
    let block: Int64
    if output.end < Int64(output.blocks.count) * Spool.block, let last = output.blocks.last {
      block = last
    } else {
      block = free.popLast() ?? blocks
      if block == blocks { blocks += 1 }
      output.blocks.append(block)
    }
    return Piece(offset: block * Spool.block + used, count: min(count, Int(Spool.block - used)))
  }

  /// So many bytes have been written there.
  public mutating func fill(_ output: inout Output, _ count: Int) {
    let room = Int64(output.blocks.count) * Spool.block - output.end
    output.end += min(Int64(clamping: count), room)
  }

  /// Where the first bytes of an output lie. Once they have been read `takeBack` is due.
  public func first(of output: Output) -> Piece? {
    guard !output.isEmpty, output.taken < output.blocks.count else { return nil }
    let rest = output.end - Int64(output.taken) * Spool.block
    return Piece(offset: output.blocks[output.taken] * Spool.block, count: Int(min(rest, Spool.block)))
  }

  /// The first piece has been read, or nobody wants it.
  public mutating func takeBack(_ output: inout Output) {
    guard output.taken < output.blocks.count else { return }
    free.append(output.blocks[output.taken])
    output.taken += 1
    if free.count == blocks {
      free = []
      blocks = 0
    }
  }

  /// Nobody wants any of it.
  public mutating func takeBackAll(_ output: inout Output) {
    while output.taken < output.blocks.count { takeBack(&output) }
    output = Output()
  }
}
