import Addresses
import Bytes

/// One process, read from the texts that /proc has of it (proc(5)).
public struct ProcessReading: Equatable, Sendable {
  public var process: UInt32
  /// At most 15 bytes, whatever a program called itself.
  public var name: [UInt8]
  /// The letter: R runs, S and I sleep, D waits for a device, T and t are stopped, Z is dead and not collected.
  public var state: UInt8
  /// The kernel's: 20 plus `nice`, and below 0 for real-time processes.
  public var priority: Int16
  public var nice: Int8
  /// Processor time, the kernel's on its behalf included, and when it started after the machine did; in `ticks`.
  public var time: UInt64
  public var start: UInt64
  /// KiB.
  public var virtual: UInt64
  public var resident: UInt64

  /// In a second: USER_HZ, 100 on every machine that tyd is built for (time(7)).
  public static let ticks: UInt64 = 100
  /// KiB in a page of the x86.
  static let page: UInt64 = 4
  /// TASK_COMM_LEN, without its zero.
  public static let longestName = 15

  /// Reads /proc/PID/stat: `PID (NAME) STATE …`. The name may hold anything, brackets and line feeds included, so it ends at the
  /// last bracket. Nil for what is not such a line.
  public init?(stat text: [UInt8]) {
    guard let open = text.firstIndex(of: UInt8(ascii: "(")), let close = text.lastIndex(of: UInt8(ascii: ")")),
      open < close, open > 0, text[open - 1] == UInt8(ascii: " "), let process = decimal(text[..<(open - 1)]),
      let number = UInt32(exactly: process), number > 0
    else { return nil }
    self.process = number
    name = [UInt8](text[(open + 1)..<close].prefix(ProcessReading.longestName))
    // Counted from 3, the state, as in proc(5).
    let fields = text[(close + 1)...].split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") })
    guard fields.count >= 22, fields[0].count == 1, let state = fields[0].first,
      let user = decimal(fields[11]), let kernel = decimal(fields[12]),
      let priority = signed(fields[15]), let nice = signed(fields[16]),
      let start = decimal(fields[19]), let virtual = decimal(fields[20]), let resident = signed(fields[21])
    else { return nil }
    self.state = state
    let (time, overflow) = user.addingReportingOverflow(kernel)
    self.time = overflow ? .max : time
    self.priority = Int16(clamping: priority)
    self.nice = Int8(clamping: nice)
    self.start = start
    self.virtual = virtual / 1024
    self.resident = ProcessReading.kibibytes(pages: UInt64(clamping: resident))
  }

  /// Reads what a process shares with others, in KiB, from /proc/PID/statm: pages, `SIZE RESIDENT SHARED …`. 0 if it does not say.
  public static func shared(statm text: [UInt8]) -> UInt64 {
    let fields = text.split(separator: UInt8(ascii: " "), maxSplits: 3)
    return fields.count > 2 ? kibibytes(pages: decimal(fields[2]) ?? 0) : 0
  }

  /// Reads as whom a process acts from /proc/PID/status: the second number of the line `Uid:`. Nil if it does not say.
  public static func user(status text: [UInt8]) -> UInt32? {
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: [UInt8]("Uid:")) {
      let numbers = line.dropFirst(4).split(whereSeparator: { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") })
      return numbers.count > 1 ? decimal(numbers[1]).flatMap { UInt32(exactly: $0) } : nil
    }
    return nil
  }

  /// Reads from /proc/PID/cgroup (cgroups(7)) to which job of another node's a process belongs: mosd calls a job's group by the
  /// job, in a group `jobs`. Nil if it belongs to none.
  public static func job(cgroup text: [UInt8]) -> JobName? {
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: [UInt8]("0::/")) {
      let folders = line.split(separator: UInt8(ascii: "/"))
      guard let place = folders.firstIndex(where: { $0.spells("jobs") }), place + 1 < folders.count else { continue }
      return JobName([UInt8](folders[place + 1]))
    }
    return nil
  }

  private static func kibibytes(pages: UInt64) -> UInt64 {
    let (product, overflow) = pages.multipliedReportingOverflow(by: page)
    return overflow ? .max : product
  }
}

/// A decimal number, perhaps with a minus before it.
private func signed(_ text: ArraySlice<UInt8>) -> Int64? {
  if text.first == UInt8(ascii: "-") { return decimal(text.dropFirst()).map { -Int64(clamping: $0) } }
  return decimal(text).map { Int64(clamping: $0) }
}
