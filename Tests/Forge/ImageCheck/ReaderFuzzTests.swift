import Foundation
import TestSupport
import Testing

@testable import Image
@testable import ImageCheck

/// Damaged archives end in a value or an error, whatever libarchive makes of them.
@Suite struct ReaderFuzzTests {
  /// Cases per reader: these unpack whole archives, so a fiftieth of what the other readers get.
  private static let cases = max(
    100, (ProcessInfo.processInfo.environment["DRONEFORGE_FUZZ_CASES"].flatMap { Int($0) } ?? 0) / 50)

  /// Numbers that are the same in every run (Knuth's MMIX generator).
  private struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 29
    }
  }

  private func damaged(_ bytes: [UInt8], _ numbers: inout Numbers, within range: Range<Int>) -> [UInt8] {
    var out = bytes
    for _ in 0..<Int.random(in: 1...8, using: &numbers) {
      out[Int.random(in: range, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
    }
    if Int.random(in: 0..<8, using: &numbers) == 0 { out.removeLast(Int.random(in: 0..<out.count, using: &numbers)) }
    return out
  }

  @Test("a damaged CD image, its directories above all, gives members or an error")
  func cds() async throws {
    let image = try await Sample.shared.value.cd
    var numbers = Numbers(state: 1)
    for _ in 0..<Self.cases {
      let bytes = damaged(image, &numbers, within: 32768..<min(image.count, 90_000))
      if let members = try? readCD(bytes, shelf: Shelf()) { #expect(members.allSatisfy { $0.path.hasPrefix("/") }) }
    }
  }

  @Test("a damaged root gives members or an error, packed or not")
  func roots() async throws {
    let sample = try await Sample.shared.value
    let plain = try cpioArchive(of: sample.root)
    var numbers = Numbers(state: 2)
    for _ in 0..<Self.cases {
      _ = try? readCpioArchives(damaged(plain, &numbers, within: 0..<plain.count), shelf: Shelf())
      let packed = damaged(sample.archive, &numbers, within: 0..<sample.archive.count)
      // XZ's own check sums: whatever unpacks is what was packed, or another reader names it.
      if let unpacked = try? decompressed(packed), unpacked != plain {
        #expect(XZStream.all(packed) == nil || packed == sample.archive)
      }
    }
  }

  @Test("a listing of any bytes gives a list")
  func listings() {
    var numbers = Numbers(state: 3)
    let pieces = ["\n", "\t", " ", ":", "<", ">", "lock", "rep", "cmovnel", "4010b4", "<f>:\n", "\n  4010: \t"]
    for _ in 0..<(20 * Self.cases) {
      var text: [UInt8] = []
      for _ in 0..<20 { text += (pieces.randomElement(using: &numbers) ?? "").utf8 }
      text = damaged(text + [0], &numbers, within: 0..<text.count)
      let (found, decoded) = foreignInstructions(listing: text, allowed: .i586)
      #expect(found.count <= decoded)
    }
  }
}
