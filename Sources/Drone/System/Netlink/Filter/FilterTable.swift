/// The name of a table, chain, set or object of nf_tables: 1 to 255 bytes without zeros; the kernel refuses others.
public struct FilterName: Hashable, Sendable, ExpressibleByStringLiteral {
  public let bytes: [UInt8]
  public init(_ bytes: [UInt8]) { self.bytes = bytes }
  public init(stringLiteral literal: StaticString) { bytes = literal.withUTF8Buffer { [UInt8]($0) } }
}

/// Which packets a table sees (`nfgen_family`).
public struct FilterFamily: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Both versions of IP in one table.
  public static let internet = FilterFamily(rawValue: 1)
  public static let ipv4 = FilterFamily(rawValue: 2)
  public static let ipv6 = FilterFamily(rawValue: 10)
}

/// A table of the packet filter: what `nft list table FAMILY NAME` shows, as a value.
///
/// ```swift
/// var table = FilterTable(name: "drone")
/// table.chains = [FilterChain(name: "input", at: .input, policy: .drop, rules: [.accepting(.loopback)])]
/// ```
public struct FilterTable: Equatable, Sendable {
  public var name: FilterName
  public var sets: [FilterSet] = []
  public var helpers: [ConnectionHelper] = []
  public var chains: [FilterChain] = []

  public init(name: FilterName) { self.name = name }
}

/// A list of rules.
public struct FilterChain: Equatable, Sendable {
  /// Where in the kernel's packet path a chain begins by itself (include/uapi/linux/netfilter.h).
  public enum Hook: UInt32, Sendable {
    /// Every packet that comes, before it is known for whom.
    case prerouting = 0
    /// Packets for this machine.
    case input = 1
    /// Packets on their way through.
    case forward = 2
    /// Packets of this machine.
    case output = 3
    /// Every packet that leaves, when all is decided.
    case postrouting = 4
  }

  /// What happens to packets that no rule decided on.
  public enum Policy: UInt32, Sendable {
    case drop = 0
    case accept = 1
  }

  /// What makes a chain a base chain.
  public struct Base: Equatable, Sendable {
    public var hook: Hook
    /// Lower ones see a packet earlier; 0 is where filters stand.
    public var priority: Int32
    public var policy: Policy

    public init(hook: Hook, priority: Int32 = 0, policy: Policy) {
      self.hook = hook
      self.priority = priority
      self.policy = policy
    }
  }

  public var name: FilterName
  /// Nil for a chain that only other chains' rules lead to.
  public var base: Base?
  public var rules: [FilterRule]

  /// A chain that other chains' rules lead to.
  public init(name: FilterName, rules: [FilterRule]) {
    self.name = name
    self.rules = rules
  }

  /// A chain that begins at a hook.
  public init(name: FilterName, at hook: Hook, priority: Int32 = 0, policy: Policy, rules: [FilterRule]) {
    self.name = name
    self.base = Base(hook: hook, priority: priority, policy: policy)
    self.rules = rules
  }
}

/// Expressions evaluated from left to right until one does not match or gives a verdict.
public struct FilterRule: Equatable, Sendable {
  public var expressions: [FilterExpression]
  /// Why the rule is there, shown by nft(8); at most 127 bytes.
  public var comment: [UInt8]

  public init(_ expressions: [FilterExpression], comment: [UInt8] = []) {
    self.expressions = expressions
    self.comment = comment
  }
}

/// A named set of values that rules look up.
public struct FilterSet: Equatable, Sendable {
  /// What the values are: nft(8) shows them by it; the kernel only uses their size.
  public struct Kind: Hashable, Sendable {
    /// nft's number of the type.
    public let number: UInt32
    /// Bytes of a value.
    public let size: UInt32
    public init(number: UInt32, size: UInt32) {
      self.number = number
      self.size = size
    }
    public static let address = Kind(number: 7, size: 4)
    public static let address6 = Kind(number: 8, size: 16)
    public static let port = Kind(number: 13, size: 2)
    public static let icmpType = Kind(number: 14, size: 1)
  }

  /// NFT_SET_ flags.
  public struct Flags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Elements are bounds of ranges, not single values.
    public static let ranges = Flags(rawValue: 0x4)
    /// Never changes once rules use it.
    public static let constant = Flags(rawValue: 0x2)
    /// Elements go by themselves after a time.
    public static let timeout = Flags(rawValue: 0x10)
    /// Rules add elements.
    public static let dynamic = Flags(rawValue: 0x20)
  }

  public var name: FilterName
  public var kind: Kind
  public var flags: Flags
  /// How long an element stays, in milliseconds; 0 for ever.
  public var timeout: UInt64
  /// The most elements; 0 for as many as memory holds.
  public var capacity: UInt32
  /// Values in network order, each of the kind's size.
  public var elements: [[UInt8]]

  public init(
    name: FilterName, kind: Kind, flags: Flags = [], timeout: UInt64 = 0, capacity: UInt32 = 0,
    elements: [[UInt8]] = []
  ) {
    self.name = name
    self.kind = kind
    self.flags = flags
    self.timeout = timeout
    self.capacity = capacity
    self.elements = elements
  }
}

/// A tracker of connections that belong to another one, to be given to connections by rules (`ct helper`).
public struct ConnectionHelper: Equatable, Sendable {
  public var name: FilterName
  /// The kernel's name of the tracker: `tftp`.
  public var tracker: FilterName
  /// The transport protocol of the connections that it watches.
  public var transport: TransportProtocol

  public init(name: FilterName, tracker: FilterName, transport: TransportProtocol) {
    self.name = name
    self.tracker = tracker
    self.transport = transport
  }
}

/// IPv4's protocol number (RFC 791 §3.1).
public struct TransportProtocol: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  public static let icmp = TransportProtocol(rawValue: 1)
  public static let icmp6 = TransportProtocol(rawValue: 58)
  public static let igmp = TransportProtocol(rawValue: 2)
  public static let tcp = TransportProtocol(rawValue: 6)
  public static let udp = TransportProtocol(rawValue: 17)
  public static let esp = TransportProtocol(rawValue: 50)
  public static let udpLite = TransportProtocol(rawValue: 136)
}
