import Bytes

/// A job's name in the cluster: its home node, and the process there that waits for it. Written `0x010b.2314`.
public struct JobName: Hashable, Sendable {
  public let home: UInt16
  public let process: UInt32

  public init(home: UInt16, process: UInt32) {
    self.home = home
    self.process = process
  }

  /// Nil for anything but four hexadecimal digits behind `0x`, a dot and a process id.
  public init?(_ text: [UInt8]) {
    let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].starts(with: [UInt8]("0x")), parts[0].count == 6,
      let number = hexadecimalNumber(parts[0].dropFirst(2)), let home = UInt16(exactly: number),
      let value = decimal(parts[1]), let process = UInt32(exactly: value), process > 0
    else { return nil }
    self.init(home: home, process: process)
  }

  public var text: [UInt8] {
    idText(home) + [UInt8(ascii: ".")] + decimalText(process)
  }
}
