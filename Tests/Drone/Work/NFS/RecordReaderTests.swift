import NFS
import TestSupport
import Testing

@Suite struct RecordReaderTests {
  static func records(_ reader: inout RecordReader) -> ([[UInt8]], RecordError?) {
    var out: [[UInt8]] = []
    do throws(RecordError) {
      while let record = try reader.next() { out.append(record) }
      return (out, nil)
    } catch {
      return (out, error)
    }
  }

  @Test("fragments become one record, however they come")
  func fragments() {
    let bytes: [UInt8] = [0, 0, 0, 2, 1, 2, 0, 0, 0, 1, 3, 0x80, 0, 0, 1, 4] + record(of: []) + record(of: [5, 6])
    for step in 1...bytes.count {
      var reader = RecordReader()
      var found: [[UInt8]] = []
      for start in stride(from: 0, to: bytes.count, by: step) {
        reader.add(bytes[start..<min(bytes.count, start + step)])
        let (records, error) = Self.records(&reader)
        found += records
        #expect(error == nil)
      }
      #expect(found == [[1, 2, 3, 4], [], [5, 6]] && reader.isEmpty)
    }
  }

  @Test("a record may be as long as the limit, and its fragments together no longer")
  func limit() {
    let cases: [(bytes: [UInt8], error: RecordError?)] = [
      (record(of: [1, 2, 3]), nil),
      ([0, 0, 0, 2, 1, 2, 0x80, 0, 0, 1, 3], nil),
      (record(of: [1, 2, 3, 4]), .tooLarge(atLeast: 4)),
      ([0, 0, 0, 2, 1, 2, 0x80, 0, 0, 2, 3, 4], .tooLarge(atLeast: 4)),
      ([0, 0, 0, 2, 1, 2, 0, 0, 0, 2], .tooLarge(atLeast: 4)),
      ([0xFF, 0xFF, 0xFF, 0xFF], .tooLarge(atLeast: 0x7FFF_FFFF)),
      ([0, 0, 0, 0], .emptyFragment),
      (record(of: [1, 2, 3]) + [0, 0, 0, 0], .emptyFragment),
      ([0, 0, 0, 1, 1, 0x80, 0, 0, 0], nil),
    ]
    for (bytes, error) in cases {
      var reader = RecordReader(limit: 3)
      reader.add(bytes)
      let (records, found) = Self.records(&reader)
      #expect(found == error, "\(bytes)")
      #expect(records.count == (error == nil || bytes.count == 11 ? 1 : 0))
      reader.add(record(of: [9]))
      let after = Self.records(&reader)
      #expect(after.1 == error && after.0.count == (error == nil ? 1 : 0))
    }
  }

  @Test("a record of a million fragments is one record, and does not take a million copies")
  func manyFragments() {
    var bytes: [UInt8] = []
    for _ in 0..<1_000_000 { bytes += [0, 0, 0, 1, 7] }
    var reader = RecordReader()
    reader.add(bytes + [0x80, 0, 0, 0])
    let (records, error) = Self.records(&reader)
    #expect(error == nil && records.map(\.count) == [1_000_000])
  }

  @Test("any bytes are records or an error, and the same in one piece and in many")
  func anyBytes() {
    let fault = Fuzzing.configured.firstFault { generator in
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...6, using: &generator) {
        bytes += record(of: generator.bytes(Int.random(in: 0...9, using: &generator)))
      }
      if Bool.random(using: &generator) { bytes = bytes.damaged(&generator) }
      var whole = RecordReader(limit: 30)
      whole.add(bytes)
      let (records, error) = Self.records(&whole)
      var reader = RecordReader(limit: 30)
      var found: [[UInt8]] = []
      var last: RecordError?
      var rest = bytes[...]
      while !rest.isEmpty {
        let part = rest.prefix(Int.random(in: 1...7, using: &generator))
        reader.add(part)
        rest = rest.dropFirst(part.count)
        let (more, error) = Self.records(&reader)
        found += more
        last = error
      }
      guard found == records, last == error || bytes.isEmpty else { return "\(bytes)" }
      return records.contains { $0.count > 30 } ? "too long" : nil
    }
    #expect(fault == nil)
  }
}
