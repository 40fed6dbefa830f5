import Foundation

/// How many cases a reader gets, and from which seed on: `DRONEFORGE_FUZZ_CASES` and `DRONEFORGE_FUZZ_SEED` in the environment, else a short
/// run. Case *n* of seed *s* is the case that a run of one case with seed *s + n* makes.
public struct Fuzzing: Sendable {
  public let cases: Int
  public let seed: UInt64
  /// How many messages each case is made of, for what is asked in a row: so many fewer cases are as many messages.
  public var messages = 1

  public static let configured: Fuzzing = {
    let environment = ProcessInfo.processInfo.environment
    return Fuzzing(
      cases: environment["DRONEFORGE_FUZZ_CASES"].flatMap { Int($0) } ?? 20_000,
      seed: environment["DRONEFORGE_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1)
  }()

  /// For a reader that takes so many messages in each case.
  public static func lives(of messages: Int) -> Fuzzing {
    Fuzzing(cases: max(1, (configured.cases + messages - 1) / messages), seed: configured.seed, messages: messages)
  }

  /// For a reader that takes so many times longer than the others.
  public static func one(in part: Int) -> Fuzzing {
    Fuzzing(cases: max(1, configured.cases / part), seed: configured.seed)
  }

  /// Calls `check` for every case until it finds fault; returns the fault with the seed that makes it again, or nil.
  public func firstFault(
    _ file: String = #fileID, _ function: String = #function, _ check: (inout SeededGenerator) -> String?
  ) -> String? {
    var progress = FuzzProgress(of: FuzzProgress.name(file, function), cases: cases &* messages)
    for offset in 0..<cases {
      let seed = seed &+ UInt64(offset)
      var generator = SeededGenerator(seed: seed)
      if let fault = check(&generator) {
        progress.end(after: (offset &+ 1) &* messages)
        return "DRONEFORGE_FUZZ_SEED=\(seed) DRONEFORGE_FUZZ_CASES=1: \(fault)"
      }
      if offset & 0xFFF == 0 { progress.tell(offset &* messages) }
    }
    progress.end(after: cases &* messages)
    return nil
  }
}

/// Makes bytes that look like what a reader expects: pieces of its own language in any order, with damage.
public struct Mutator: Sendable {
  public let pieces: [[UInt8]]

  public init(_ pieces: [String]) { self.pieces = pieces.map { Array($0.utf8) } }

  public init(_ pieces: [[UInt8]]) { self.pieces = pieces }

  public func bytes(_ generator: inout SeededGenerator, pieces count: ClosedRange<Int>) -> [UInt8] {
    var out: [UInt8] = []
    for _ in 0..<Int.random(in: count, using: &generator) {
      switch UInt8.random(in: 0..<16, using: &generator) {
      case 0: out.append(UInt8.random(in: 0...255, using: &generator))
      case 1:
        out +=
          String(UInt64.random(in: 0...(.max >> UInt64.random(in: 0...63, using: &generator)), using: &generator)).utf8
      default: out += pieces.randomElement(using: &generator) ?? []
      }
    }
    for _ in 0..<(Int.random(in: 0..<4, using: &generator)) where !out.isEmpty {
      let index = Int.random(in: 0..<out.count, using: &generator)
      switch UInt8.random(in: 0..<4, using: &generator) {
      case 0: out.remove(at: index)
      case 1: out[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 2: out.insert(UInt8.random(in: 0...255, using: &generator), at: index)
      default: out.removeSubrange(index..<min(out.count, index + 8))
      }
    }
    return out
  }
}

extension [UInt8] {
  /// A copy with one to four faults of the kinds that a wrong sender, a torn copy or an attacker makes.
  public func damaged(_ generator: inout SeededGenerator) -> [UInt8] {
    var out = self
    for _ in 0..<Int.random(in: 1...4, using: &generator) where !out.isEmpty {
      let index = Int.random(in: 0..<out.count, using: &generator)
      let end = Swift.min(out.count, index + Int.random(in: 1...32, using: &generator))
      switch UInt8.random(in: 0..<8, using: &generator) {
      case 0: out[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 1: out[index] = UInt8.random(in: 0...255, using: &generator)
      case 2: out[index] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF].randomElement(using: &generator) ?? 0
      case 3: out.removeSubrange(index..<end)
      case 4: out.removeSubrange(index...)
      case 5: out.insert(contentsOf: [UInt8](out[index..<end]), at: index)
      case 6: out.insert(UInt8.random(in: 0...255, using: &generator), at: index)
      default:
        // Four bytes at a four-byte boundary: where lengths and offsets stand.
        let start = index & ~3
        let byte: UInt8 = [0, 0xFF].randomElement(using: &generator) ?? 0
        for place in start..<Swift.min(out.count, start + 4) { out[place] = byte }
      }
    }
    return out
  }
}
