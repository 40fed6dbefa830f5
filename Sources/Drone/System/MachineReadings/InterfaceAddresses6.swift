import Addresses
import Bytes

/// An IPv6 address of this machine.
public struct InterfaceAddress6: Equatable, Sendable {
  public let address: IPv6Address
  /// The interface's number.
  public let interface: Int32

  public init(_ address: IPv6Address, interface: Int32) {
    self.address = address
    self.interface = interface
  }
}

/// Reads /proc/net/if_inet6 (the kernel's net/ipv6/addrconf.c, `if6_seq_show`): a line for each address, of 32 digits of address,
/// the interface's number, prefix length, scope and flags, all hexadecimal, and the interface's name. Lines that are none of
/// these, and addresses that somebody else turned out to have (`IFA_F_DADFAILED`), are passed over.
public func interfaceAddresses6(_ text: [UInt8]) -> [InterfaceAddress6] {
  var found: [InterfaceAddress6] = []
  for line in text.split(separator: UInt8(ascii: "\n")) {
    let words = line.split(separator: UInt8(ascii: " "))
    guard words.count == 6, words[0].count == 32, let high = hexadecimalNumber(words[0].prefix(16)),
      let low = hexadecimalNumber(words[0].suffix(16)),
      let interface = hexadecimalNumber(words[1]).flatMap(Int32.init(exactly:)),
      let flags = hexadecimalNumber(words[4]), flags & 0x08 == 0
    else { continue }
    found.append(InterfaceAddress6(IPv6Address(high: high, low: low), interface: interface))
  }
  return found
}
