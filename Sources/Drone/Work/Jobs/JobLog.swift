import Bytes

/// A line of the log that GNU parallel calls joblog: one try of a job. What has ended it is its exit status, or a signal with status 0.
public struct JobLogLine: Sendable {
  public let number: Int
  /// Where it ran.
  public let host: [UInt8]
  /// In milliseconds, the start since 1970.
  public let start: UInt64
  public let duration: UInt64
  /// Bytes of standard output.
  public let received: UInt64
  public let end: JobEnd
  public let command: [UInt8]

  public init(
    number: Int, host: [UInt8], start: UInt64, duration: UInt64, received: UInt64, end: JobEnd, command: [UInt8]
  ) {
    self.number = number
    self.host = host
    self.start = start
    self.duration = duration
    self.received = received
    self.end = end
    self.command = command
  }

  public static let header: StaticString =
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"

  public var bytes: [UInt8] {
    var runtime = decimalText(duration, places: 3)
    // As GNU parallel sets it.
    if runtime.count < 10 { runtime = [UInt8](repeating: UInt8(ascii: " "), count: 10 - runtime.count) + runtime }
    var status: UInt8 = 0
    var signal: UInt8 = 0
    switch end {
    case .exited(let number): status = number
    case .killed(let number): signal = number
    }
    let line = command.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: " ") : $0 }
    let times = [UInt8]("\(decimalText(start, places: 3))\t\(runtime)")
    return [UInt8]("\(number)\t\(host)\t\(times)\t0\t\(received)\t\(status)\t\(signal)\t\(line)\n")
  }
}
