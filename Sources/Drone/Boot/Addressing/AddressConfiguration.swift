import Addresses

/// What a server on the network says about a machine's place in it. Texts are as they came: whoever uses them checks them.
public struct AddressConfiguration: Equatable, Sendable {
  /// Always one that a host may have.
  public let address: IPv4Address
  /// Nil when the server gave none, or one with holes.
  public var netmask: Netmask?
  /// The router to everywhere that no other route leads to.
  public var gateway: IPv4Address?
  /// The other routes.
  public var routes: [StaticRoute] = []
  /// The longest packet of the network, in bytes: at least what every host must take (RFC 791 §3.1).
  public var mtu: UInt16? {
    didSet { if let mtu, mtu < AddressConfiguration.smallestMTU { self.mtu = nil } }
  }
  /// The server that answered.
  public var server: IPv4Address?
  public var nameServers: [IPv4Address] = []
  public var timeServers: [IPv4Address] = []
  public var hostName: [UInt8]?
  public var domain: [UInt8]?

  public static let smallestMTU: UInt16 = 576

  /// Nil for an address that no host may have (0/8, 127/8, multicast and above).
  public init?(address: IPv4Address) {
    guard address.isHostAddress else { return nil }
    self.address = address
  }

  /// The given mask, else that of the address's class (RFC 791 §3.2), as the kernel's autoconfiguration does.
  public var effectiveNetmask: Netmask? { netmask ?? address.classfulNetmask }
}
