import Addresses
import Bytes

/// What a process of a node asks its mosd.
public enum WorkWish: Equatable, Sendable {
  /// A connection to a node that runs its job. Answered by a `JobAnswer`.
  case place(JobAsk)
  /// Which jobs run where. Answered by a `NodeJobs` for each live node, and an empty message behind the last.
  case jobs
  /// That a job gets a signal. Answered by a `WorkAnswer`, as what follows.
  case signal(UInt8, JobName)
  /// That no more than so many jobs of others run here at once from now on.
  case limit(UInt16)

  public static let largest = JobAsk.largest + 1

  public var bytes: [UInt8] {
    switch self {
    case .place(let ask): return [0] + ask.bytes
    case .jobs: return [1]
    case .signal(let number, let name):
      var out: [UInt8] = [2, number]
      out.append(networkOrder: name.home)
      out.append(networkOrder: name.process)
      return out
    case .limit(let slots): return [3, UInt8(slots >> 8), UInt8(slots & 0xFF)]
    }
  }

  public init(_ bytes: [UInt8]) throws(ReadingError) {
    var reader = ByteReader<ReadingError>(bytes)
    switch try reader.uint8() {
    case 0: self = .place(try JobAsk([UInt8](reader.remainder())))
    case 1: self = .jobs
    case 2:
      let number = try reader.signal()
      self = .signal(number, JobName(home: try reader.uint16(), process: try reader.uint32()))
    case 3: self = .limit(try reader.uint16())
    default: throw .value(offset: 0)
    }
    try reader.end()
  }
}

/// What mosd answers to an order.
public enum WorkAnswer: Equatable, Sendable {
  /// With how many jobs of others run here now.
  case done(jobs: UInt16)
  /// Why not, as a sentence.
  case refused([UInt8])

  public static let largest = 1024

  public var bytes: [UInt8] {
    switch self {
    case .done(let jobs): [0, UInt8(jobs >> 8), UInt8(jobs & 0xFF)]
    case .refused(let sentence): [1] + sentence.prefix(WorkAnswer.largest - 1)
    }
  }

  public init(_ bytes: [UInt8]) throws(ReadingError) {
    var reader = ByteReader<ReadingError>(bytes)
    switch try reader.uint8() {
    case 0: self = .done(jobs: try reader.uint16())
    case 1: self = .refused([UInt8](reader.remainder()))
    default: throw .value(offset: 0)
    }
    try reader.end()
  }
}

/// What a member's mosd wants of another, once it has been greeted.
public enum WorkerOrder: Equatable, Sendable {
  /// To run a job, whose request follows.
  case run(JobVoucher)
  /// To be told which jobs run there: a `JobList`.
  case list

  public static let largest = JobVoucher.largest + 1

  public var bytes: [UInt8] {
    switch self {
    case .run(let voucher): [0] + voucher.bytes
    case .list: [1]
    }
  }

  public init(_ bytes: [UInt8]) throws(ReadingError) {
    var reader = ByteReader<ReadingError>(bytes)
    switch try reader.uint8() {
    case 0: self = .run(try JobVoucher([UInt8](reader.remainder())))
    case 1: self = .list
    default: throw .value(offset: 0)
    }
    try reader.end()
  }
}

/// What a job's keeper tells its mosd of it before it mounts the files.
public struct JobNotice: Equatable, Sendable {
  /// The folder of its mounts.
  public var session: [UInt8]
  public var job: JobRecord

  public init(session: [UInt8], job: JobRecord) {
    self.session = session
    self.job = job
  }

  public static let largest = 1024

  public var bytes: [UInt8] {
    var out: [UInt8] = []
    out.append(text: session)
    job.write(to: &out)
    return out
  }

  public init(_ bytes: [UInt8]) throws(ReadingError) {
    var reader = ByteReader<ReadingError>(bytes)
    session = try reader.text(upTo: 64)
    job = try JobRecord(&reader)
    try reader.end()
  }
}
