import Bytes

/// What ends a connection: what came is no record that is read here.
public enum RecordError: Error, Equatable, Sendable {
  /// A record of at least so many bytes.
  case tooLarge(atLeast: UInt64)
  /// A fragment without bytes that is not its record's last: a sender that goes nowhere.
  case emptyFragment
}

/// Takes the bytes of a connection as they come and gives the records in them, without their marks (RFC 5531 §11).
public struct RecordReader: Sendable {
  /// The longest record in bytes: a WRITE of 1 MiB with its credentials and handle.
  public static let largest = 1 << 20 + 64 << 10

  private let limit: Int
  /// What has come of a fragment's four bytes of length.
  private var mark: UInt32 = 0
  private var markBytes = 0
  /// What is missing of the fragment.
  private var missing = 0
  private var isLast = false
  private var record: [UInt8] = []
  private var whole: [[UInt8]] = []
  private var given = 0
  private var failure: RecordError?

  /// - Parameter limit: the longest record that is taken, in bytes.
  public init(limit: Int = RecordReader.largest) { self.limit = max(limit, 0) }

  /// Whether nothing of a record has come that has not been given.
  public var isEmpty: Bool { given == whole.count && record.isEmpty && missing == 0 && markBytes == 0 && !isLast }

  public mutating func add(_ bytes: [UInt8]) { add(bytes[...]) }

  /// Adds what came. After an error everything is ignored.
  public mutating func add(_ bytes: ArraySlice<UInt8>) {
    var rest = bytes
    while failure == nil, !rest.isEmpty || (isLast && missing == 0) {
      if missing > 0 {
        let part = rest.prefix(missing)
        record += part
        missing -= part.count
        rest = rest.dropFirst(part.count)
      } else if isLast {
        whole.append(record)
        record = []
        isLast = false
      } else if let byte = rest.popFirst() {
        mark = mark << 8 | UInt32(byte)
        markBytes += 1
        if markBytes == 4 { beginFragment() }
      }
    }
  }

  /// The next record that is whole; nil until more has come. Those before an error are given before it.
  public mutating func next() throws(RecordError) -> [UInt8]? {
    guard given < whole.count else {
      if let failure { throw failure }
      return nil
    }
    let record = whole[given]
    whole[given] = []
    given += 1
    if given == whole.count {
      whole = []
      given = 0
    }
    return record
  }

  private mutating func beginFragment() {
    let length = mark & 0x7FFF_FFFF
    isLast = mark >> 31 == 1
    mark = 0
    markBytes = 0
    guard length > 0 || isLast else {
      failure = .emptyFragment
      return
    }
    let total = UInt64(clamping: record.count) + UInt64(length)
    guard total <= UInt64(clamping: limit), let length = Int(exactly: length) else {
      failure = .tooLarge(atLeast: total)
      return
    }
    missing = length
    // An array grows to what is reserved and no further: with many short fragments it would move at each of them.
    if length >= 64 << 10 { record.reserveCapacity(record.count + length) }
  }
}

/// Marks bytes as a record of one fragment. No record is as long as 2 GiB.
public func record(of bytes: [UInt8]) -> [UInt8] {
  var out: [UInt8] = []
  out.reserveCapacity(bytes.count + 4)
  out.append(networkOrder: recordMark(bytes.count))
  return out + bytes
}

func recordMark(_ count: Int) -> UInt32 { 0x8000_0000 | (UInt32(clamping: count) & 0x7FFF_FFFF) }
