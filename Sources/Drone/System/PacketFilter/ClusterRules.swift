import DroneLayout
import Addresses
import Bytes
import Netlink

/// Sets and rules that the tables of a drone and of a full Linux share. In a table of both versions of IP, what looks at IPv4
/// addresses asks for the version first.
struct ClusterRules {
  /// Whether the table sees IPv6, too.
  let bothVersions: Bool

  /// Addresses of live members; each is here only while policies demand ESP to and from it.
  static var members: FilterName { "members" }
  /// Sources of new connections to the control port, each counted by itself.
  static var callers: FilterName { "callers" }
  /// Members that do the same.
  static var memberCallers: FilterName { "member_callers" }

  static var sets: [FilterSet] {
    [
      FilterSet(name: members, kind: .address, capacity: 65536),
      FilterSet(name: callers, kind: .address, flags: [.timeout, .dynamic], timeout: 60_000, capacity: 1024),
      FilterSet(
        name: memberCallers, kind: .address, flags: [.timeout, .dynamic], timeout: 60_000, capacity: 65536),
    ]
  }

  /// The condition, for IPv4 packets alone.
  func ipv4(_ conditions: [FilterExpression]) -> [FilterExpression] {
    bothVersions ? .version4 + conditions : conditions
  }

  /// New connections to the control port: members' pass unless one calls ten times a second for long, as whoever answers ARP in its
  /// name can; others' as fast as one source, and all together, may.
  ///
  /// The kernel's SYN cookies answer a flood from forged sources without memory; the limit in total keeps it from taking all of
  /// an old processor. It is far above what nodes need, since below it a flood does not keep them out: of what comes above
  /// it, theirs is thrown away like the rest. When the set of sources is full, only that limit counts.
  var callers: [FilterRule] {
    [
      FilterRule(
        ipv4(.source(in: Self.members)) + [
          .payload(.network, offset: 12, count: 4),
          .updateOverLimit(set: Self.memberCallers, timeout: 60_000, packets: 600, seconds: 60, burst: 200),
          .verdict(.drop),
        ], comment: [UInt8]("each member")),
      FilterRule(ipv4(.source(in: Self.members)) + [.verdict(.accept)]),
      FilterRule(
        ipv4([.payload(.network, offset: 12, count: 4)]) + [
          .updateOverLimit(set: Self.callers, timeout: 60_000, packets: 60, seconds: 60, burst: 20), .verdict(.drop),
        ], comment: [UInt8]("each caller")),
      FilterRule([.limit(packets: 1000, seconds: 1, burst: 1000), .verdict(.accept)], comment: [UInt8]("all callers")),
      FilterRule([.verdict(.drop)]),
    ]
  }
  static var callersChain: FilterName { "callers_in" }

  /// What comes in the clear all the same: ESP itself, the control channel, questions for a cluster, IGMP.
  var clearIn: [FilterRule] {
    [
      FilterTable.accepting(.transport(.esp), "ESP"),
      FilterRule(.opensConnection(to: ClusterPorts.control) + [.verdict(.jump(Self.callersChain))]),
      FilterTable.accepting(.ports(.tcp, to: ClusterPorts.control), "control"),
      FilterRule(
        ipv4(.destination(ClusterPorts.group)) + .ports(.udp, to: ClusterPorts.discovery) + [
          .limit(packets: 20, seconds: 1, burst: 40), .verdict(.accept),
        ], comment: [UInt8]("discovery")),
      FilterTable.accepting(ipv4(.transport(.igmp)), "IGMP"),
    ]
  }

  /// Policies let what comes from the control port pass in clear, whoever wrote a member's address on it.
  var calledFromControl: FilterRule {
    FilterTable.dropping(
      ipv4(.source(in: Self.members)) + .opensConnection(from: ClusterPorts.control), "nobody calls from there")
  }

  /// The last look at packets that leave for members: nothing goes in the clear, even if policies were taken away by somebody else,
  /// but the control channel, answers to a member that searches for its cluster, and ESP. What boots from this node is a member
  /// until the others have noticed that it went.
  var guarding: [FilterRule] {
    [FilterRule(ipv4(.destination(in: Self.members)) + [.verdict(.jump(Self.leavingChain))])]
  }
  /// - Parameters:
  ///   - first: rules that see it before the others do.
  ///   - also: what else may leave.
  static func leaving(first: [FilterRule] = [], also: [FilterRule] = []) -> [FilterRule] {
    first + [
      FilterTable.accepting(.willBeSecured),
      FilterTable.accepting(.transport(.esp)),
      FilterTable.accepting(.ports(.tcp, to: ClusterPorts.control)),
      FilterTable.accepting(.ports(.tcp, from: ClusterPorts.control)),
      FilterTable.accepting(.ports(.udp, from: ClusterPorts.discovery, to: ClusterPorts.discoveryAnswer)),
    ] + also + [
      FilterTable.logged("drop clear "),
      FilterRule([.verdict(.drop)]),
    ]
  }
  static var leavingChain: FilterName { "leaving" }
  static var guardChain: FilterName { "guard" }
}

extension FilterBatch {
  /// Lets packets to and from a member pass: after policies demand ESP of them.
  public mutating func addMember(_ address: IPv4Address, to table: FilterName) {
    add([address.octets], to: ClusterRules.members, of: table)
  }

  /// Ends that: before the policies go. The batch fails with ENOENT if it is no member.
  public mutating func removeMember(_ address: IPv4Address, from table: FilterName) {
    remove([address.octets], from: ClusterRules.members, of: table)
  }
}

extension NetlinkRequest {
  /// The members in a table's set; `FilterMessage.elements` of four bytes each.
  public static func listMembers(of table: FilterName, family: FilterFamily) -> NetlinkRequest {
    listElements(of: ClusterRules.members, in: table, family: family)
  }
}
