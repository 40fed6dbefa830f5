/// Protocols by which an address is asked for.
public struct AddressProtocols: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  public static let dhcp = AddressProtocols(rawValue: 1)
  public static let bootp = AddressProtocols(rawValue: 2)
  public static let rarp = AddressProtocols(rawValue: 4)

  /// In capitals, as protocols are written.
  public var names: [StaticString] {
    var names: [StaticString] = []
    if contains(.dhcp) { names.append("DHCP") }
    if contains(.bootp) { names.append("BOOTP") }
    if contains(.rarp) { names.append("RARP") }
    return names
  }
}
