/// The SHA-256 of bytes that arrive piece by piece (FIPS 180-4). It allocates nothing.
///
///     var digest = ContentDigest()
///     digest.add(piece.span)
///     let bytes = digest.finish()
public struct ContentDigest: Sendable {
  private var state: InlineArray<8, UInt32>
  /// Bytes that do not fill a block yet: the first `pending` of them count.
  private var block: InlineArray<64, UInt8>
  private var pending = 0
  private var count: UInt64 = 0

  public init() {
    // §5.3.3: the fractional parts of the square roots of the first eight primes.
    state = [
      0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    block = .init(repeating: 0)
  }

  public mutating func add(_ bytes: Span<UInt8>) {
    count &+= UInt64(bytes.count)
    var next = 0
    if pending > 0 {
      while pending < 64, next < bytes.count {
        block[pending] = bytes[next]
        pending += 1
        next += 1
      }
      guard pending == 64 else { return }
      pending = 0
      let full = block
      compressBlock(full.span.bytes, at: 0)
    }
    let raw = bytes.bytes
    while bytes.count - next >= 64 {
      compressBlock(raw, at: next)
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
    let bits = count &* 8
    // §5.1.1: a one, zeros, and the length in bits as the last eight bytes of a block.
    block[pending] = 0x80
    pending += 1
    if pending > 56 {
      while pending < 64 {
        block[pending] = 0
        pending += 1
      }
      let full = block
      compressBlock(full.span.bytes, at: 0)
      pending = 0
    }
    while pending < 56 {
      block[pending] = 0
      pending += 1
    }
    for index in 0..<8 { block[56 + index] = UInt8(truncatingIfNeeded: bits >> UInt64(56 - 8 * index)) }
    let full = block
    compressBlock(full.span.bytes, at: 0)
    var out: [UInt8] = []
    out.reserveCapacity(32)
    for index in 0..<8 {
      var shift: UInt32 = 24
      while true {
        out.append(UInt8(truncatingIfNeeded: state[index] >> shift))
        if shift == 0 { break }
        shift -= 8
      }
    }
    return out
  }

  /// §6.2.2 for the 64 bytes from `offset` on.
  private mutating func compressBlock(_ bytes: RawSpan, at offset: Int) {
    var schedule = InlineArray<16, UInt32>(repeating: 0)
    for index in 0..<16 {
      schedule[index] = bytes.unsafeLoadUnaligned(fromByteOffset: offset &+ 4 &* index, as: UInt32.self).bigEndian
    }
    var a = state[0]
    var b = state[1]
    var c = state[2]
    var d = state[3]
    var e = state[4]
    var f = state[5]
    var g = state[6]
    var h = state[7]
    var step = 0
    // Eight steps at a time: then no variable has to be moved to the next one's place.
    while step < 64 {
      let half = step & 15
      turn(a, b, c, &d, e, f, g, &h, roundConstants[step] &+ schedule[half])
      turn(h, a, b, &c, d, e, f, &g, roundConstants[step + 1] &+ schedule[half + 1])
      turn(g, h, a, &b, c, d, e, &f, roundConstants[step + 2] &+ schedule[half + 2])
      turn(f, g, h, &a, b, c, d, &e, roundConstants[step + 3] &+ schedule[half + 3])
      turn(e, f, g, &h, a, b, c, &d, roundConstants[step + 4] &+ schedule[half + 4])
      turn(d, e, f, &g, h, a, b, &c, roundConstants[step + 5] &+ schedule[half + 5])
      turn(c, d, e, &f, g, h, a, &b, roundConstants[step + 6] &+ schedule[half + 6])
      turn(b, c, d, &e, f, g, h, &a, roundConstants[step + 7] &+ schedule[half + 7])
      step += 8
      guard half == 8, step < 64 else { continue }
      // Word by word, so that every place in the schedule is a constant.
      extend(&schedule, 0)
      extend(&schedule, 1)
      extend(&schedule, 2)
      extend(&schedule, 3)
      extend(&schedule, 4)
      extend(&schedule, 5)
      extend(&schedule, 6)
      extend(&schedule, 7)
      extend(&schedule, 8)
      extend(&schedule, 9)
      extend(&schedule, 10)
      extend(&schedule, 11)
      extend(&schedule, 12)
      extend(&schedule, 13)
      extend(&schedule, 14)
      extend(&schedule, 15)
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
    state[5] &+= f
    state[6] &+= g
    state[7] &+= h
  }
}

/// One step of §6.2.2, with the variables where they are instead of moved on. `word`: W plus K.
@inline(__always)
private func turn(
  _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32, _ g: UInt32, _ h: inout UInt32,
  _ word: UInt32
) {
  // The sums of three rotations are rotations of sums: one register does where three would be needed.
  let first = h &+ word &+ rotated(e ^ rotated(e ^ rotated(e, 14), 5), 6) &+ (g ^ e & (f ^ g))
  d = d &+ first
  h = first &+ rotated(a ^ rotated(a ^ rotated(a, 9), 11), 2) &+ (a & b | c & (a | b))
}

/// The word 16 after the one at `index` takes its place.
@inline(__always)
private func extend(_ schedule: inout InlineArray<16, UInt32>, _ index: Int) {
  let first = schedule[(index &+ 1) & 15]
  let second = schedule[(index &+ 14) & 15]
  schedule[index] =
    schedule[index] &+ schedule[(index &+ 9) & 15] &+ (rotated(first ^ rotated(first, 11), 7) ^ first >> 3)
    &+ (rotated(second ^ rotated(second, 2), 17) ^ second >> 10)
}

@inline(__always)
private func rotated(_ word: UInt32, _ bits: UInt32) -> UInt32 { word &>> bits | word &<< (32 &- bits) }

/// §4.2.2: the fractional parts of the cube roots of the first 64 primes.
private let roundConstants: InlineArray<64, UInt32> = [
  0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
  0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
  0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
  0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
  0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
  0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
  0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
  0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
]
