import Addresses

/// The drones of the army: they are numbered from 1, and each has the same addresses every time.
public struct ArmyPlan: Sendable, Equatable {
  /// How many drones there are.
  public let count: Int

  /// As many as there are addresses below 192.168.1.255 (each drone needs some 60 MB of this computer's memory).
  public static let counts = 1...200

  /// Nil for a number that is not in `counts`.
  public init?(count: Int) {
    guard Self.counts.contains(count) else { return nil }
    self.count = count
  }

  public var numbers: ClosedRange<Int> { 1...count }

  /// 192.168.1.11 for the first, as in the HowTo, and so on.
  public func address(of number: Int) -> IPv4Address {
    IPv4Address(192, 168, 1, UInt8(truncatingIfNeeded: 10 + number))
  }

  /// Within QEMU's own range, so that no card of a real network has it.
  public func hardware(of number: Int) -> String {
    "52:54:00:00:01:" + (number < 16 ? "0" : "") + String(number, radix: 16)
  }

  /// The kernel's command line: addressed at boot, no server is needed. Without a `contact` the drone is the first of a
  /// cluster; with one it joins there. The first serial port is for people, the second for the army itself.
  public func bootLine(of number: Int, contact: IPv4Address?, words: String = "") -> String {
    let address = String(decoding: address(of: number).text, as: UTF8.self)
    let join = contact.map { String(decoding: $0.text, as: UTF8.self) } ?? "first"
    return "console=ttyS1,115200 console=ttyS0,115200 ip=\(address):::255.255.255.0:drone\(number)::off tyd=\(join)"
      + (words.isEmpty ? "" : " " + words)
  }
}
