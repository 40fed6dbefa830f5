import Addresses
import Bytes

/// What a drone is called and what its /etc/hosts says, worked out from everything that may name it.
///
///     let table = HostTable(address: address, requested: nameFromBootLine, leased: nameFromLease)
///     // table.name.name → sethostname(2), table.contents → /run/hosts
///
/// The name is the one asked for on the boot line, else the lease's, else `chaos-` and the address in eight hexadecimal
/// digits. A candidate that is not a host name is ignored: a lease may come from anybody on the wire.
/// The same input gives the same bytes.
public struct HostTable: Hashable, Sendable {
  /// Where the name comes from.
  public enum Origin: Hashable, Sendable { case requested, leased, address }

  public let name: HostName
  public let origin: Origin
  /// The file: `localhost`, then the drone's address with its full name and its short one. There is no 127.0.1.1,
  /// because other nodes must be able to use whatever address the name stands for.
  public let contents: [UInt8]

  /// Nil when `address` cannot be a host's (`IPv4Address.isHostAddress`): there is nothing to write yet.
  ///
  /// - Parameters:
  ///   - requested: The name of `ip=`, with or without a domain; any bytes.
  ///   - leased: The name in the lease (option 12), with or without a domain; any bytes.
  ///   - leasedDomain: The domain in the lease (option 15), for a name that has none of its own; any bytes.
  public init?(address: IPv4Address, requested: [UInt8]?, leased: [UInt8]?, leasedDomain: [UInt8]? = nil) {
    guard address.isHostAddress else { return nil }
    let bare: HostName
    if let name = HostTable.name(requested) {
      bare = name
      origin = .requested
    } else if let name = HostTable.name(leased) {
      bare = name
      origin = .leased
    } else {
      bare = HostName(address: address)
      origin = .address
    }
    name = bare.domain == nil ? bare.within(leasedDomain) : bare
    contents = HostTable.contents(address, name)
  }

  /// A name whose domain is wrong still counts without it.
  private static func name(_ text: [UInt8]?) -> HostName? {
    guard let text else { return nil }
    if let name = try? HostName(text) { return name }
    let label = [UInt8](text.prefix { $0 != UInt8(ascii: ".") })
    return try? HostName(label)
  }

  private static func contents(_ address: IPv4Address, _ name: HostName) -> [UInt8] {
    var out = [UInt8]("127.0.0.1\tlocalhost\n")
    out += address.text
    out.append(UInt8(ascii: "\t"))
    if name.domain != nil { out += name.full + [UInt8(ascii: " ")] }
    out += name.name
    out.append(UInt8(ascii: "\n"))
    return out
  }
}

extension HostName {
  /// This name in the first domain of a text; unchanged when there is none.
  func within(_ text: [UInt8]?) -> HostName {
    guard let domain = text.flatMap({ HostName.firstDomain(in: $0) }) else { return self }
    return (try? HostName(name + [UInt8(ascii: ".")] + domain)) ?? self
  }
}
