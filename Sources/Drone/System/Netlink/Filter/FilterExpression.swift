/// One step of a rule. The cases are the kernel's own expressions, the numbers those of
/// include/uapi/linux/netfilter/nf_tables.h; values stand in registers as they stand in the packet.
public enum FilterExpression: Equatable, Sendable {
  /// Loads what the kernel knows about the packet.
  case meta(MetaKey, into: Register = .first)
  /// Changes what the kernel keeps with the packet.
  case setMeta(MetaKey, from: Register = .first)
  /// Loads this value.
  case load([UInt8], into: Register = .first)
  /// Loads what the kernel knows about the packet's way.
  case route(RouteKey, into: Register = .first)
  /// Loads what the packet's source address is to this machine (RTN_): four bytes in the machine's order.
  case sourceKind(into: Register = .first)
  /// Loads the number of the control group, so many levels below the hierarchy's root, that the packet's socket was made in: eight
  /// bytes in the machine's order (NFT_SOCKET_CGROUPV2). Going out it is the socket that sent the packet, coming in the one that gets
  /// it; a packet of no socket, or of none that deep, ends the rule.
  case socketGroup(level: UInt8, into: Register = .first)
  /// Loads what connection tracking knows.
  case connection(ConnectionKey, into: Register = .first)
  /// Loads bytes of the packet.
  case payload(Header, offset: UInt32, count: UInt32, into: Register = .first)
  /// Replaces a register by its value AND mask, XOR flip.
  case bitwise(mask: [UInt8], flip: [UInt8], in: Register = .first)
  /// Continues only if the comparison holds, byte by byte.
  case compare(Comparison, [UInt8], in: Register = .first)
  /// Continues only if the value lies between both, or, inverted, outside.
  case range(from: [UInt8], to: [UInt8], inverted: Bool = false, in: Register = .first)
  /// Continues only if the value is in the set, or, inverted, is not.
  case lookup(set: FilterName, inverted: Bool = false, in: Register = .first)
  /// Puts the value in the set, or starts its time anew. Does not go on if the set is full.
  case update(set: FilterName, timeout: UInt64, in: Register = .first)
  /// As `update`, and continues only if packets with this value exceed a rate, after a burst:
  /// each value is counted by itself. Does not go on if the set is full.
  case updateOverLimit(
    set: FilterName, timeout: UInt64, packets: UInt64, seconds: UInt64, burst: UInt32, in: Register = .first)
  /// Continues only while packets do not exceed a rate (packets in seconds), after a burst.
  case limit(packets: UInt64, seconds: UInt64, burst: UInt32)
  /// Writes a line about the packet to the kernel's log.
  case log(prefix: [UInt8], level: LogLevel)
  /// Counts. The numbers are where it starts.
  case counter(packets: UInt64 = 0, bytes: UInt64 = 0)
  /// Gives the packet's new connection a helper of the table.
  case assignHelper(FilterName)
  /// Keeps the packet out of connection tracking; only in chains that see it before that does.
  case notTracked
  /// Drops the packet and says so to who sent it, by ICMP's "destination unreachable" with this code (RFC 792, RFC 1812 §5.2.7.1).
  case reject(code: UInt8)
  /// Ends the rule with a decision.
  case verdict(Verdict)
  /// One that is not read here; never sent.
  case unknown(name: [UInt8])

  /// One of the four registers of 16 bytes.
  public enum Register: UInt32, Sendable {
    case first = 1
    case second, third, fourth
  }

  /// NFT_META_.
  public struct MetaKey: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Ethernet's number of what the packet is (IEEE 802.3 §3.2.6), two bytes in network order.
    public static let protocolNumber = MetaKey(rawValue: 1)
    /// A number that rules give a packet, four bytes in the machine's order; 0 to begin with.
    public static let mark = MetaKey(rawValue: 3)
    /// The number of the interface that the packet came by, and leaves by; four bytes in the machine's order. 0: it came by
    /// none, since this machine made it.
    public static let inputInterface = MetaKey(rawValue: 4)
    public static let outputInterface = MetaKey(rawValue: 5)
    /// Its name, and zeros up to 16 bytes.
    public static let inputName = MetaKey(rawValue: 6)
    public static let outputName = MetaKey(rawValue: 7)
    /// The user whose socket the packet comes from, four bytes in the machine's order; a packet of no socket ends the rule.
    public static let user = MetaKey(rawValue: 10)
    /// One byte: 2 for IPv4, 10 for IPv6.
    public static let version = MetaKey(rawValue: 15)
    /// One byte.
    public static let transport = MetaKey(rawValue: 16)
    /// One byte: 1 if the packet came out of an IPsec transformation.
    public static let secured = MetaKey(rawValue: 25)
  }

  /// NFT_RT_.
  public struct RouteKey: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// One byte: 1 if the packet will go through an IPsec transformation.
    public static let willBeSecured = RouteKey(rawValue: 4)
  }

  /// NFT_CT_.
  public struct ConnectionKey: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Four bytes in the machine's order, one bit of `ConnectionState` set.
    public static let state = ConnectionKey(rawValue: 0)
    /// The name, 16 bytes filled with zeros, of the helper whose watching foretold this connection. No match for others.
    public static let helper = ConnectionKey(rawValue: 6)
  }

  /// NFT_PAYLOAD_: what offsets count from.
  public enum Header: UInt32, Sendable {
    case link = 0
    case network, transport
  }

  /// NFT_CMP_.
  public enum Comparison: UInt32, Sendable {
    case equal = 0
    case notEqual, less, lessOrEqual, greater, greaterOrEqual
  }

  /// How urgent a line of the kernel's log is (syslog(3)).
  public enum LogLevel: UInt32, Sendable {
    case emergency = 0
    case alert, critical, error, warning, notice, information, debug
  }

  public enum Verdict: Equatable, Sendable {
    case drop
    case accept
    /// Go on with another chain, then return here; the same without return; return to the chain that led here.
    case jump(FilterName)
    case goto(FilterName)
    case `return`
  }
}

/// What connection tracking thinks of a packet (NF_CT_STATE_).
public struct ConnectionState: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Belongs to nothing known and can begin nothing.
  public static let invalid = ConnectionState(rawValue: 0x1)
  /// Of a connection that has seen packets both ways.
  public static let established = ConnectionState(rawValue: 0x2)
  /// About such a connection (an ICMP error), or foretold by its helper.
  public static let related = ConnectionState(rawValue: 0x4)
  public static let new = ConnectionState(rawValue: 0x8)
}
