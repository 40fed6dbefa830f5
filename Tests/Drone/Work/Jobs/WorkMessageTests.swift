import Addresses
import Bytes
import TestSupport
import Testing

@testable import Jobs

/// What mosrun, mosd and keepers tell each other.
@Suite struct WorkMessageTests {
  static let request = JobRequest(
    arguments: [[UInt8]("make"), [UInt8]("-j8"), [0xFF]], environment: [[UInt8]("PATH=/bin")],
    directory: [UInt8]("/home/a"), mask: 0o077, limits: [.init(soft: 1024, hard: .max)],
    terminal: .init(columns: 80, rows: 24, hasErrorApart: true))
  static let voucher = JobVoucher(
    name: JobName(home: 0x0115, process: 2314), user: 1000, userName: [UInt8]("al"), group: 100, groups: [100, 27],
    secret: [UInt8](0..<16), port: 0x8001,
    trees: [[UInt8]("/home/a"), [UInt8]("/srv/x")])

  @Test("a request comes out as it went in")
  func requestAgain() throws { #expect(try JobRequest(Self.request.bytes) == Self.request) }

  @Test("a voucher has the job's name, the user, his groups, the secret and the folders, in this order")
  func voucherBytes() throws {
    #expect(
      Self.voucher.bytes == [
        0x01, 0x15,  // the home node
        0, 0, 0x09, 0x0A,  // process 2314
        0, 0, 0x03, 0xE8,  // user 1000
        2, 0x61, 0x6C,  // al
        0, 0, 0, 100,  // group 100
        2, 0, 0, 0, 100, 0, 0, 0, 27,  // two groups
      ] + (0..<16)  // the secret
        + [0x80, 0x01]  // the port
        + [2, 7] + [UInt8]("/home/a") + [6] + [UInt8]("/srv/x"))
    #expect(try JobVoucher(Self.voucher.bytes) == Self.voucher)
  }

  static let bad: [(String, [UInt8])] = [
    ("no command", JobRequest(arguments: [], environment: [], directory: [UInt8]("/")).bytes),
    ("an empty command", JobRequest(arguments: [[]], environment: [], directory: [UInt8]("/")).bytes),
    ("a zero byte in an argument", JobRequest(arguments: [[65, 0]], environment: [], directory: [UInt8]("/")).bytes),
    ("a folder that is no whole path", JobRequest(arguments: [[65]], environment: [], directory: [UInt8]("a")).bytes),
    ("a byte too many", request.bytes + [0]), ("a byte too few", [UInt8](request.bytes.dropLast())),
    ("a count without texts", [0xFF, 0xFF, 0x03]),
  ]

  @Test("a request that no process can be made of is refused", arguments: bad)
  func refused(_ what: String, _ bytes: [UInt8]) { #expect(throws: ReadingError.self) { try JobRequest(bytes) } }

  @Test("nobody vouches for the user or the group that setresuid(2) takes for no change")
  func noUser() {
    for place in [6, 13] {
      var bytes = Self.voucher.bytes
      bytes.replaceSubrange(place..<place + 4, with: [255, 255, 255, 255])
      #expect(throws: ReadingError.self) { try JobVoucher(bytes) }
    }
  }

  static let frames: [JobFrame] = [
    .input([1, 2, 3]), .inputEnd, .size(columns: 80, rows: 24), .signal(15), .started, .output([]), .error([255]),
    .taken(70_000), .stopped(signal: 20), .ended(.exited(3)), .ended(.killed(signal: 9)),
    .refused(status: 127, [UInt8]("no")),
  ]

  @Test("frames come out of a stream whole, however it is cut", arguments: [1, 2, 7, 1000])
  func cut(_ size: Int) throws {
    let stream = Self.frames.flatMap(\.bytes)
    var reader = JobFrameReader()
    var found: [JobFrame] = []
    for start in Swift.stride(from: 0, to: stream.count, by: size) {
      reader.feed([UInt8](stream[start..<min(start + size, stream.count)]))
      while let frame = try reader.next() { found.append(frame) }
    }
    #expect(found == Self.frames)
  }

  @Test("a frame that is too long, of no kind, or with a signal that there is not, is refused at once")
  func badFrames() {
    for bytes: [UInt8] in [
      [1, 0, 1, 0, 1], [9, 0, 0, 0, 0], [4, 0, 0, 0, 1, 0], [4, 0, 0, 0, 1, 65], [2, 0, 0, 0, 1, 0],
    ] {
      var reader = JobFrameReader()
      reader.feed(bytes)
      #expect(throws: ReadingError.self) { try reader.next() }
    }
  }

  @Test("what mosrun asks and what it is answered come out as they went in")
  func asks() throws {
    for target in [JobAsk.Target.any, .next, .id(0x0115), .address(IPv4Address(10, 0, 0, 1))] {
      let ask = JobAsk(target: target, machine: .x86_64, trees: [[UInt8]("/home/a")], tried: [1, 2])
      #expect(try JobAsk(ask.bytes) == ask)
    }
    for answer in [
      JobAnswer.refused(by: nil, [UInt8]("no.")), .refused(by: 7, []), .here(7),
      .node(id: 1, home: 2, address: IPv4Address(10, 0, 0, 1)), .lost,
    ] {
      #expect(try JobAnswer(answer.bytes) == answer)
    }
    let greeting = WorkerGreeting(room: 4, machines: [.x86_64, .i386], refusal: [UInt8]("takes no work"))
    #expect(try WorkerGreeting(greeting.bytes) == greeting)
  }

  static let record = JobRecord(
    name: JobName(home: 0x0115, process: 2314), user: 1000, userName: [UInt8]("al"), seconds: 61, processor: 59_990,
    memory: 24 << 10, command: [UInt8]("cc -c a.c"))

  @Test("a node's jobs are told with name, user, time, processor time, memory and command, in this order")
  func listBytes() throws {
    let list = JobList(jobs: [Self.record])
    #expect(
      list.bytes == [
        1,  // one job
        0x01, 0x15, 0, 0, 0x09, 0x0A,  // 0x0115.2314
        0, 0, 0x03, 0xE8,  // user 1000
        2, 0x61, 0x6C,  // al
        0, 0, 0, 61,  // seconds
        0, 0, 0, 0, 0, 0, 0xEA, 0x56,  // milliseconds of a processor
        0, 0, 0, 0, 0, 0, 0x60, 0,  // KiB
        9,  // the command
      ] + [UInt8]("cc -c a.c"))
    #expect(try JobList(list.bytes) == list)
    for answer in [NodeJobs(node: 7, list: list), NodeJobs(node: 7, list: nil)] {
      #expect(try NodeJobs(answer.bytes) == answer)
    }
  }

  static let wishes: [WorkWish] = [
    .place(JobAsk(target: .any, machine: nil, trees: [])), .jobs, .signal(15, JobName(home: 1, process: 2)), .limit(0),
  ]

  @Test("what a mosd is asked, by its own node and by others, comes out as it went in")
  func ordersAgain() throws {
    for wish in Self.wishes { #expect(try WorkWish(wish.bytes) == wish) }
    for order in [WorkerOrder.run(Self.voucher), .list] { #expect(try WorkerOrder(order.bytes) == order) }
    for answer in [WorkAnswer.done(jobs: 300), .refused([UInt8]("no."))] {
      #expect(try WorkAnswer(answer.bytes) == answer)
    }
    let notice = JobNotice(session: [UInt8]("ab"), job: Self.record)
    #expect(try JobNotice(notice.bytes) == notice)
  }

  @Test("any bytes are a message or an error, and a message is written as it was read")
  func fuzz() {
    let mutator = Mutator(
      [
        Self.request.bytes, Self.voucher.bytes, JobAsk(target: .id(3), machine: nil, trees: []).bytes,
        WorkerGreeting(room: 1, machines: [.i386]).bytes, [0], [1], [2], [255], [127, 255, 255, 255], [0, 0, 0, 16],
        [UInt8]("/"), [UInt8]("/home"), JobList(jobs: [Self.record]).bytes, WorkerOrder.run(Self.voucher).bytes,
      ] + Self.frames.map(\.bytes) + Self.wishes.map(\.bytes))
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = mutator.bytes(&generator, pieces: 0...6)
      if let one = try? JobRequest(bytes), (try? JobRequest(one.bytes)) != one { return "\(one)" }
      if let one = try? JobVoucher(bytes), (try? JobVoucher(one.bytes)) != one { return "\(one)" }
      if let one = try? JobAsk(bytes), (try? JobAsk(one.bytes)) != one { return "\(one)" }
      if let one = try? JobAnswer(bytes), (try? JobAnswer(one.bytes)) != one { return "\(one)" }
      if let one = try? WorkerGreeting(bytes), (try? WorkerGreeting(one.bytes)) != one { return "\(one)" }
      if let one = try? WorkWish(bytes), (try? WorkWish(one.bytes)) != one { return "\(one)" }
      if let one = try? WorkAnswer(bytes), (try? WorkAnswer(one.bytes)) != one { return "\(one)" }
      if let one = try? WorkerOrder(bytes), (try? WorkerOrder(one.bytes)) != one { return "\(one)" }
      if let one = try? NodeJobs(bytes), (try? NodeJobs(one.bytes)) != one { return "\(one)" }
      if let one = try? JobNotice(bytes), (try? JobNotice(one.bytes)) != one { return "\(one)" }
      if let one = JobName(bytes), JobName(one.text) != one { return "\(one)" }
      var reader = JobFrameReader()
      reader.feed(bytes)
      while let frame = (try? reader.next()) ?? nil {
        var again = JobFrameReader()
        again.feed(frame.bytes)
        if (try? again.next()) != frame { return "\(frame)" }
      }
      _ = ExecutableNeed(head: bytes)
      _ = WorkTrees(home: bytes, directory: bytes)
      _ = travels(bytes)
      return nil
    }
    #expect(fault == nil)
  }
}
