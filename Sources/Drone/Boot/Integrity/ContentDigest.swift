/// The BLAKE3 digest, 32 bytes and without a key, of bytes that arrive piece by piece (the sections are those of "BLAKE3: one
/// function, fast everywhere", 2021; draft-aumasson-blake3). It allocates nothing.
///
///     var digest = ContentDigest()
///     digest.add(piece.span)
///     let bytes = digest.finish()
///
/// The bytes are cut into chunks of 1,024. A chunk's blocks of 64 are mixed into its chaining value one after the other, and
/// chaining values by two, as in a tree, up to the root's, which is the digest.
public struct ContentDigest: Sendable {
  /// How long a digest is.
  public static var size: Int { 32 }

  /// Of the chunk that is going on.
  private var state = initialization
  /// How many of the chunk's blocks are in it.
  private var blocks = 0
  /// The bytes behind these blocks: the first `pending` of them count. A full block waits, since the last one of all is mixed
  /// in differently.
  private var block = InlineArray<64, UInt8>(repeating: 0)
  private var pending = 0
  /// Chunks before it.
  private var chunks: UInt64 = 0
  /// Chaining values of whole trees on the left, the largest tree first: one for each bit of `chunks` that is set. 2^54 chunks
  /// are all bytes that can be counted.
  private var trees = InlineArray<54, InlineArray<8, UInt32>>(repeating: initialization)
  private var treeCount = 0

  public init() {}

  public mutating func add(_ bytes: Span<UInt8>) {
    var next = 0
    if pending > 0 {
      while pending < 64, next < bytes.count {
        block[pending] = bytes[next]
        pending += 1
        next += 1
      }
      guard next < bytes.count else { return }
      pending = 0
      let full = block
      addBlock(full.span.bytes, at: 0)
    }
    let raw = bytes.bytes
    while bytes.count - next > 64 {
      addBlock(raw, at: next)
      next += 64
    }
    while next < bytes.count {
      block[pending] = bytes[next]
      pending += 1
      next += 1
    }
  }

  /// The digest, 32 bytes, of everything that was added. It consumes the value.
  public consuming func finish() -> [UInt8] {
    var rest = pending
    while rest < 64 {
      block[rest] = 0
      rest += 1
    }
    let full = block
    var flags = blocks == 0 ? Flags.chunkStart | Flags.chunkEnd : Flags.chunkEnd
    if treeCount == 0 { flags |= Flags.root }
    mix(full.span.bytes, at: 0, into: &state, counter: chunks, length: UInt32(truncatingIfNeeded: pending), flags)
    while treeCount > 0 {
      treeCount -= 1
      join(trees[treeCount], treeCount == 0 ? Flags.parent | Flags.root : Flags.parent)
    }
    var out: [UInt8] = []
    out.reserveCapacity(Self.size)
    for index in 0..<8 {
      var word = state[index]
      for _ in 0..<4 {
        out.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
    }
    return out
  }

  /// Takes 64 bytes behind which others follow.
  private mutating func addBlock(_ bytes: RawSpan, at offset: Int) {
    let flags = blocks == 0 ? Flags.chunkStart : blocks == 15 ? Flags.chunkEnd : 0
    mix(bytes, at: offset, into: &state, counter: chunks, length: 64, flags)
    blocks += 1
    if blocks == 16 { endChunk() }
  }

  /// Joins trees of one size as long as there are two (§5.1.2).
  private mutating func endChunk() {
    chunks &+= 1
    var joined = chunks
    while joined & 1 == 0, treeCount > 0 {
      treeCount -= 1
      join(trees[treeCount], Flags.parent)
      joined >>= 1
    }
    trees[treeCount] = state
    treeCount += 1
    state = initialization
    blocks = 0
  }

  /// Makes `state` the chaining value over `left` and itself.
  private mutating func join(_ left: InlineArray<8, UInt32>, _ flags: UInt32) {
    var both = InlineArray<16, UInt32>(repeating: 0)
    for index in 0..<8 {
      both[index] = left[index].littleEndian
      both[8 + index] = state[index].littleEndian
    }
    state = initialization
    mix(both.span.bytes, at: 0, into: &state, counter: 0, length: 64, flags)
  }
}

/// Table 3.
private enum Flags {
  static var chunkStart: UInt32 { 1 }
  static var chunkEnd: UInt32 { 2 }
  static var parent: UInt32 { 4 }
  static var root: UInt32 { 8 }
}

/// Table 1, which is SHA-256's (FIPS 180-4, §5.3.3).
private let initialization: InlineArray<8, UInt32> = [
  0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
]

/// Mixes the 64 bytes from `offset` on, of which the first `length` count, into a chaining value (§2.2).
@inline(never)
private func mix(
  _ bytes: RawSpan, at offset: Int, into state: inout InlineArray<8, UInt32>, counter: UInt64, length: UInt32,
  _ flags: UInt32
) {
  var v = Words(
    state, UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32), length, flags)
  // A line a round, each the line before by Table 2: with constant places every word of the block is an operand in memory.
  v.round(bytes, offset, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  v.round(bytes, offset, 2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
  v.round(bytes, offset, 3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1)
  v.round(bytes, offset, 10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6)
  v.round(bytes, offset, 12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4)
  v.round(bytes, offset, 9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7)
  v.round(bytes, offset, 11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13)
  state[0] = v.v0 ^ v.v8
  state[1] = v.v1 ^ v.v9
  state[2] = v.v2 ^ v.v10
  state[3] = v.v3 ^ v.v11
  state[4] = v.v4 ^ v.v12
  state[5] = v.v5 ^ v.v13
  state[6] = v.v6 ^ v.v14
  state[7] = v.v7 ^ v.v15
}

/// The sixteen words that are mixed (v in §2.2).
private struct Words {
  var v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15: UInt32

  @inline(__always)
  init(_ state: InlineArray<8, UInt32>, _ low: UInt32, _ high: UInt32, _ length: UInt32, _ flags: UInt32) {
    (v0, v1, v2, v3) = (state[0], state[1], state[2], state[3])
    (v4, v5, v6, v7) = (state[4], state[5], state[6], state[7])
    (v8, v9, v10, v11) = (0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a)
    (v12, v13, v14, v15) = (low, high, length, flags)
  }

  /// One round: the columns, then the diagonals.
  @inline(__always)
  mutating func round(
    _ bytes: RawSpan, _ offset: Int, _ s0: Int, _ s1: Int, _ s2: Int, _ s3: Int, _ s4: Int, _ s5: Int, _ s6: Int,
    _ s7: Int, _ s8: Int, _ s9: Int, _ s10: Int, _ s11: Int, _ s12: Int, _ s13: Int, _ s14: Int, _ s15: Int
  ) {
    turn(&v0, &v4, &v8, &v12, word(s0, bytes, offset), word(s1, bytes, offset))
    turn(&v1, &v5, &v9, &v13, word(s2, bytes, offset), word(s3, bytes, offset))
    turn(&v2, &v6, &v10, &v14, word(s4, bytes, offset), word(s5, bytes, offset))
    turn(&v3, &v7, &v11, &v15, word(s6, bytes, offset), word(s7, bytes, offset))
    turn(&v0, &v5, &v10, &v15, word(s8, bytes, offset), word(s9, bytes, offset))
    turn(&v1, &v6, &v11, &v12, word(s10, bytes, offset), word(s11, bytes, offset))
    turn(&v2, &v7, &v8, &v13, word(s12, bytes, offset), word(s13, bytes, offset))
    turn(&v3, &v4, &v9, &v14, word(s14, bytes, offset), word(s15, bytes, offset))
  }
}

/// The word at a place of the block that begins at `offset`, little-endian. Who calls `mix` has seen that the block is
/// whole.
@inline(__always)
private func word(_ place: Int, _ bytes: RawSpan, _ offset: Int) -> UInt32 {
  bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ 4 &* place, as: UInt32.self).littleEndian
}

/// G (§2.2).
@inline(__always)
private func turn(
  _ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32, _ d: inout UInt32, _ x: UInt32, _ y: UInt32
) {
  a = a &+ b &+ x
  d = rotated(d ^ a, 16)
  c = c &+ d
  b = rotated(b ^ c, 12)
  a = a &+ b &+ y
  d = rotated(d ^ a, 8)
  c = c &+ d
  b = rotated(b ^ c, 7)
}

/// `word`, turned right.
@inline(__always)
private func rotated(_ word: UInt32, _ bits: UInt32) -> UInt32 { word &>> bits | word &<< (32 &- bits) }

/// The digest of bytes that are all at hand.
public func contentDigest(_ bytes: [UInt8]) -> [UInt8] {
  var digest = ContentDigest()
  digest.add(bytes.span)
  return digest.finish()
}
