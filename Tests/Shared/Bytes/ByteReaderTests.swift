import Bytes
import TestSupport
import Testing

@Suite struct ByteReaderTests {
  private typealias Reader = ByteReader<ReadingError>

  /// 1 byte, 2, 4, 8 in network order, the varint 300, three bytes.
  private static let bytes: [UInt8] = [
    0xFE,
    0x01, 0x02,
    0x03, 0x04, 0x05, 0x06,
    0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E,
    0xAC, 0x02,
    1, 2, 3,
  ]

  @Test("fields come one after the other, the highest byte first")
  func fields() throws {
    var reader = Reader(Self.bytes)
    #expect(try reader.uint8() == 0xFE)
    #expect(try reader.uint16() == 0x0102)
    #expect(try reader.uint32() == 0x0304_0506)
    #expect(try reader.uint64() == 0x0708_090A_0B0C_0D0E)
    #expect(try reader.varint() == 300)
    #expect(try reader.bytes(1) == [1] && reader.remaining == [2, 3] && !reader.isAtEnd)
    #expect(reader.remainder() == [2, 3] && reader.isAtEnd && reader.remainder().isEmpty)
  }

  @Test("what is written is read again")
  func writing() throws {
    var out: [UInt8] = [0xFE]
    out.append(networkOrder: 0x0102 as UInt16)
    out.append(networkOrder: 0x0304_0506 as UInt32)
    out.append(networkOrder: 0x0708_090A_0B0C_0D0E as UInt64)
    out.append(varint: 300)
    #expect(out + [1, 2, 3] == Self.bytes)
  }

  @Test("a field that is not all there is an error that says where, and takes nothing")
  func truncated() throws {
    var reader = Reader(Self.bytes.suffix(3))
    try reader.skip(1)
    let error = ReadingError.truncated(offset: 18, needed: 4, available: 2)
    #expect(throws: error) { try reader.uint32() }
    #expect(throws: ReadingError.truncated(offset: 18, needed: -1, available: 2)) { try reader.bytes(-1) }
    #expect(throws: ReadingError.truncated(offset: 18, needed: .max, available: 2)) { try reader.skip(.max) }
    #expect(try reader.uint16() == 0x0203 && reader.isAtEnd)
  }

  @Test("a part ends where it should, and its offsets are those of the whole")
  func parts() throws {
    var reader = Reader(Self.bytes)
    var part = try reader.part(3)
    try part.skip(1)
    #expect(throws: ReadingError.truncated(offset: 1, needed: 4, available: 2)) { try part.uint32() }
    #expect(try part.uint16() == 0x0102 && part.isAtEnd && reader.offset == 3)
  }

  @Test(
    "a varint has at most 32 bits in five bytes",
    arguments: [
      ([0x00], 0), ([0x7F], 127), ([0x80, 0x01], 128), ([0xFF, 0xFF, 0xFF, 0xFF, 0x0F], .max),
      ([0xFF, 0xFF, 0xFF, 0xFF, 0x1F], nil), ([0x80, 0x80, 0x80, 0x80, 0x80, 0x01], nil), ([0x80], nil),
    ] as [([UInt8], UInt32?)])
  func varints(_ bytes: [UInt8], _ value: UInt32?) {
    var reader = Reader(bytes)
    #expect((try? reader.varint()) == value)
  }

  @Test("a varint above the limit is an error at its first byte")
  func limits() throws {
    var reader = Reader([0, 0xAC, 0x02])
    try reader.skip(1)
    #expect(throws: ReadingError.value(offset: 1)) { try reader.varint(upTo: 299) }
  }

  @Test("of more bytes than a number has room for the last count")
  func folding() {
    #expect(UInt16(networkOrder: [1, 2, 3]) == 0x0203 && UInt32(networkOrder: []) == 0)
    #expect(UInt8(networkOrder: [1, 2]) == 2)
  }

  @Test("whatever is asked of whatever bytes, a reader never leaves them")
  func anyReads() {
    let fault = Fuzzing.configured.firstFault { generator in
      let whole = generator.bytes(Int(generator.next() % 40))
      let start = whole.isEmpty ? 0 : Int(generator.next() % UInt64(whole.count))
      var reader = Reader(whole[start...])
      for _ in 0..<12 {
        let before = reader.offset
        let size = Int(generator.next() % 12) - 1
        do throws(ReadingError) {
          switch generator.next() % 9 {
          case 0: _ = try reader.uint8()
          case 1: _ = try reader.uint16()
          case 2: _ = try reader.uint32()
          case 3: _ = try reader.uint64()
          case 4: _ = try reader.varint(upTo: UInt32(truncatingIfNeeded: generator.next()))
          case 5: if try reader.bytes(size).count != size { return "another count of bytes" }
          case 6: try reader.skip(size)
          case 7: reader = try reader.part(size)
          default: _ = try reader.fingerprint()
          }
        } catch {
          if reader.offset != before { return "\(error) took something at \(before)" }
          switch error {
          case .truncated(let offset, let needed, let available):
            if offset < before || needed <= available && needed >= 0 { return "\(error) at \(before)" }
          case .value(let offset): if offset != before { return "\(error) at \(before)" }
          }
        }
        if reader.offset < start || reader.offset > whole.count { return "left the bytes: \(reader.offset)" }
      }
      return nil
    }
    #expect(fault == nil)
  }
}
