import Bytes

/// What a machine is and how busy it is, read from the texts of /proc (proc(5)). What a text does not say is 0.
public struct MachineReadings: Equatable, Sendable {
  /// Processors that are in use.
  public var processors: UInt16 = 0
  /// The speed of the first, in MHz, rounded.
  public var megahertz: UInt32 = 0
  /// Memory in KiB: all that the kernel manages, and what a program could get without hurting others.
  public var memoryTotal: UInt64 = 0
  public var memoryAvailable: UInt64 = 0
  /// How many programs wanted a processor, in hundredths, on average of the last minute, five and fifteen.
  public var load = LoadAverage()
  /// Seconds since the machine started.
  public var uptime: UInt64 = 0

  public struct LoadAverage: Equatable, Sendable {
    public var one: UInt32 = 0
    public var five: UInt32 = 0
    public var fifteen: UInt32 = 0
    public init() {}
  }

  public init() {}

  /// Reads /proc/cpuinfo: a paragraph for each processor, of lines `name : value`.
  public mutating func read(cpuinfo text: [UInt8]) {
    processors = 0
    megahertz = 0
    for line in text.split(separator: newline) {
      let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
      guard parts.count == 2 else { continue }
      let name = trimmed(parts[0])
      if name.spells("processor") {
        processors &+= 1
      } else if name.spells("cpu MHz"), megahertz == 0 {
        let hundredths = MachineReadings.hundredths(trimmed(parts[1])) ?? 0
        megahertz = UInt32(clamping: hundredths / 100 + (hundredths % 100 >= 50 ? 1 : 0))
      }
    }
  }

  /// Reads /proc/meminfo: lines `name: value kB`. A kernel before 3.14 does not say what is available: there it is what is
  /// free, with what could be.
  public mutating func read(meminfo text: [UInt8]) {
    var available: UInt64?
    var free: UInt64 = 0
    memoryTotal = 0
    for line in text.split(separator: newline) {
      let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
      guard parts.count == 2, let value = decimal(trimmed(parts[1]).prefix(while: { $0 != space })) else { continue }
      let name = parts[0]
      if name.spells("MemTotal") { memoryTotal = value }
      if name.spells("MemAvailable") { available = value }
      if name.spells("MemFree") || name.spells("Buffers") || name.spells("Cached") {
        let (sum, overflow) = free.addingReportingOverflow(value)
        free = overflow ? .max : sum
      }
    }
    memoryAvailable = available ?? free
  }

  /// Reads /proc/loadavg: `0.20 0.18 0.12 1/80 11206`.
  public mutating func read(loadavg text: [UInt8]) {
    let numbers = text.split(separator: space).prefix(3).map { UInt32(clamping: MachineReadings.hundredths($0) ?? 0) }
    load = LoadAverage()
    if numbers.count > 0 { load.one = numbers[0] }
    if numbers.count > 1 { load.five = numbers[1] }
    if numbers.count > 2 { load.fifteen = numbers[2] }
  }

  /// Reads /proc/uptime: seconds since the start, seconds idle.
  public mutating func read(uptime text: [UInt8]) {
    let first = text.prefix { $0 != space && $0 != newline }
    uptime = (MachineReadings.hundredths(first) ?? 0) / 100
  }

  /// A number of digits, perhaps with a point and more digits, in hundredths; further digits are cut off. Nil for anything else.
  static func hundredths(_ text: some Collection<UInt8>) -> UInt64? {
    var whole: UInt64 = 0
    var digits = 0
    var places: Int?
    for byte in text {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        digits += 1
        if let counted = places {
          places = counted + 1
          if counted >= 2 { continue }
        }
        let (product, tooLarge) = whole.multipliedReportingOverflow(by: 10)
        let (sum, overflow) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
        guard !tooLarge, !overflow else { return nil }
        whole = sum
      case UInt8(ascii: "."):
        guard places == nil, digits > 0 else { return nil }
        places = 0
      default: return nil
      }
    }
    guard digits > 0 else { return nil }
    for _ in min(places ?? 0, 2)..<2 {
      let (product, tooLarge) = whole.multipliedReportingOverflow(by: 10)
      guard !tooLarge else { return nil }
      whole = product
    }
    return whole
  }
}

private let newline = UInt8(ascii: "\n")
private let space = UInt8(ascii: " ")

/// Without spaces and tabs at its ends.
private func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  var text = text.drop { $0 == space || $0 == UInt8(ascii: "\t") }
  while let last = text.last, last == space || last == UInt8(ascii: "\t") { text.removeLast() }
  return text
}
