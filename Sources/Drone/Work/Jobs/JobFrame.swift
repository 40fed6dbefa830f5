import Bytes

/// How a process ended.
public enum JobEnd: Equatable, Sendable {
  case exited(UInt8)
  case killed(signal: UInt8)

  /// What a shell makes of it.
  public var status: Int32 {
    switch self {
    case .exited(let status): Int32(status)
    case .killed(let signal): 128 + Int32(signal)
    }
  }
}

/// What mosrun and the keeper of its job send each other once the job is asked for: a byte for the kind, four for the length in
/// network order, and so many bytes.
public enum JobFrame: Equatable, Sendable {
  // From the one who waits.

  /// For the job's standard input.
  case input([UInt8])
  case inputEnd
  /// The terminal has another size.
  case size(columns: UInt16, rows: UInt16)
  /// The waiting process got this signal.
  case signal(UInt8)

  // From the job's keeper.

  /// The job runs, under this process id of its own namespace.
  case started
  case output([UInt8])
  case error([UInt8])
  /// So many bytes of its input have been taken: as many more may come.
  case taken(UInt32)
  /// A key or a signal has stopped the job.
  case stopped(signal: UInt8)
  case ended(JobEnd)
  /// It never began: the exit status that a shell would give, and why, as a phrase.
  case refused(status: UInt8, [UInt8])

  /// The most bytes that a frame carries.
  public static let largest = 64 << 10
  /// How many bytes of input may be on their way.
  public static let window: UInt32 = 256 << 10

  public var bytes: [UInt8] {
    switch self {
    case .input(let bytes): JobFrame.framed(1, bytes)
    case .inputEnd: JobFrame.framed(2, [])
    case .size(let columns, let rows):
      JobFrame.framed(
        3, [UInt8(columns >> 8), UInt8(columns & 0xFF), UInt8(rows >> 8), UInt8(rows & 0xFF)])
    case .signal(let number): JobFrame.framed(4, [number])
    case .started: JobFrame.framed(16, [])
    case .output(let bytes): JobFrame.framed(17, bytes)
    case .error(let bytes): JobFrame.framed(18, bytes)
    case .taken(let count):
      JobFrame.framed(19, (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * UInt32($0))) })
    case .stopped(let signal): JobFrame.framed(20, [signal])
    case .ended(.exited(let status)): JobFrame.framed(21, [status])
    case .ended(.killed(let signal)): JobFrame.framed(22, [signal])
    case .refused(let status, let sentence): JobFrame.framed(23, [status] + sentence)
    }
  }

  private static func framed(_ kind: UInt8, _ content: [UInt8]) -> [UInt8] {
    let content = content.prefix(largest)
    var out: [UInt8] = []
    out.reserveCapacity(content.count + 5)
    out.append(kind)
    out.append(networkOrder: UInt32(content.count))
    out += content
    return out
  }

  /// Reads a frame's kind and content.
  init(kind: UInt8, _ content: ArraySlice<UInt8>) throws(ReadingError) {
    var reader = ByteReader<ReadingError>(content)
    switch kind {
    case 1: self = .input([UInt8](reader.remainder()))
    case 2: self = .inputEnd
    case 3: self = .size(columns: try reader.uint16(), rows: try reader.uint16())
    case 4: self = .signal(try reader.signal())
    case 16: self = .started
    case 17: self = .output([UInt8](reader.remainder()))
    case 18: self = .error([UInt8](reader.remainder()))
    case 19: self = .taken(try reader.uint32())
    case 20: self = .stopped(signal: try reader.signal())
    case 21: self = .ended(.exited(try reader.uint8()))
    case 22: self = .ended(.killed(signal: try reader.signal()))
    case 23: self = .refused(status: try reader.uint8(), [UInt8](reader.remainder()))
    default: throw .value(offset: content.startIndex)
    }
    try reader.end()
  }
}

/// Takes frames out of a stream of bytes.
public struct JobFrameReader {
  private var waiting: [UInt8] = []

  public init() {}

  public mutating func feed(_ bytes: [UInt8]) { waiting += bytes }

  /// The next whole frame; nil if it has not come yet. After an error nothing that follows has a meaning.
  public mutating func next() throws(ReadingError) -> JobFrame? {
    guard waiting.count >= 5 else { return nil }
    let length = UInt32(networkOrder: waiting[1..<5])
    guard length <= UInt32(JobFrame.largest) else { throw .value(offset: 1) }
    let end = 5 + Int(length)
    guard waiting.count >= end else { return nil }
    let frame = try JobFrame(kind: waiting[0], waiting[5..<end])
    waiting.removeFirst(end)
    return frame
  }
}
