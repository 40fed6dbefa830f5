import Bytes

/// A range of addresses as it is written on a command line: `192.168.1.100-192.168.1.200`.
public struct AddressRange: Equatable, Sendable {
  public let first: IPv4Address
  public let last: IPv4Address

  public init(_ first: IPv4Address, _ last: IPv4Address) {
    self.first = first
    self.last = max(first, last)
  }

  public init?(text: [UInt8]) {
    let parts = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 2, let first = IPv4Address(text: parts[0]), let last = IPv4Address(text: parts[1]),
      first <= last
    else { return nil }
    self.init(first, last)
  }

  public var text: [UInt8] { first.text + [UInt8]("-") + last.text }
}
