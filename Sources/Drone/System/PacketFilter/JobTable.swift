import Addresses
import Bytes
import DroneLayout
import Netlink

extension FilterTable {
  /// What other nodes' jobs may say on a drone, by a table of its own, which stands whatever `tyd -f` says: packets of sockets that were
  /// made in a control group, or in one below it.
  ///
  /// | in, out                                       | passes                                              |
  /// |-----------------------------------------------|-----------------------------------------------------|
  /// | from, to a port that nodes speak by           | never: no job speaks for a node                     |
  /// | out, to a port that a node boots others by    | never: the server would take it for the card's      |
  /// | from, to the drone itself                     | yes                                                 |
  /// | in, out of ESP; out, what goes through it     | yes: these are members                              |
  /// | anything else                                 | never                                               |
  ///
  /// Whether a packet goes through ESP is sure when it leaves: the first one to a member waits for its association. So jobs' packets
  /// are marked, and looked at once more there. The set of members only says to whom a job may try; others are refused at once.
  ///
  /// It only takes away: what passes here, the drone's own table sees, too. It comes before that, so that a job is told.
  ///
  /// - Parameters:
  ///   - group: the control group's number.
  ///   - level: how far it is below the root of its hierarchy, at least 1.
  public static func jobs(of group: UInt64, level: UInt8) -> FilterTable {
    var table = FilterTable(name: jobsName)
    table.sets = [FilterSet(name: ClusterRules.members, kind: .address, capacity: 65536)]
    func jobs(to chain: FilterName) -> [FilterRule] {
      [FilterRule(.ofSockets(in: group, level: level) + [.verdict(.goto(chain))])]
    }
    table.chains = [
      FilterChain(
        name: jobInName,
        rules: nodesPorts.map { dropping($0, "a node's") } + [
          accepting(.fromLoopback), accepting(.secured), dropping([], "no member"),
        ]),
      FilterChain(
        name: jobOutName,
        rules: [accepting(.transport(.esp))] + (nodesPorts + bootServersPorts).map { refusing($0, "a node's") } + [
          accepting(.toLoopback), FilterRule(.marking(jobsMark)), accepting(.willBeSecured),
          accepting(.destination(in: ClusterRules.members)), refusing([], "no member"),
        ]),
      FilterChain(
        name: jobLeavingName,
        rules: [accepting(.transport(.esp)), accepting(.willBeSecured), dropping([], "in clear")]),
      FilterChain(
        name: "in", at: .input, priority: beforeDrones, policy: .accept,
        // The kernel looks for the sockets of TCP and UDP alone (net/ipv4/netfilter/nf_socket_ipv4.c).
        rules: [dropping(.transport(.udpLite), "perhaps a job's")] + jobs(to: jobInName)),
      FilterChain(name: "out", at: .output, priority: beforeDrones, policy: .accept, rules: jobs(to: jobOutName)),
      FilterChain(
        name: "leaving", at: .postrouting, policy: .accept,
        rules: [FilterRule(.marked(jobsMark) + [.verdict(.goto(jobLeavingName))])]),
    ]
    return table
  }

  fileprivate static var jobsName: FilterName { "jobs" }
  private static var jobInName: FilterName { "job_in" }
  private static var jobOutName: FilterName { "job_out" }
  private static var jobLeavingName: FilterName { "job_leaving" }
  private static var jobsMark: UInt32 { 0x6A6F_6273 }
  /// Of two chains with one priority the kernel asks the younger first, and either may be made anew.
  private static var beforeDrones: Int32 { -1 }

  /// A job hears at once that it may not: when a packet is dropped on its way out, connect(2) waits for minutes. The code is
  /// "communication administratively prohibited".
  private static func refusing(_ conditions: [FilterExpression], _ comment: StaticString) -> FilterRule {
    FilterRule(conditions + [.reject(code: 13)], comment: [UInt8](comment))
  }

  private static var nodesPorts: [[FilterExpression]] {
    let control = ClusterPorts.control...ClusterPorts.work
    let discovery = ClusterPorts.discovery...ClusterPorts.discoveryAnswer
    return [
      .sourcePort(.tcp, in: control), .destinationPort(.tcp, in: control),
      .sourcePort(.udp, in: control), .destinationPort(.udp, in: control),
      .sourcePort(.udp, in: discovery), .destinationPort(.udp, in: discovery),
    ]
  }

  /// DHCP, TFTP and its transfers, ProxyDHCP.
  private static var bootServersPorts: [[FilterExpression]] {
    [
      .destinationPort(.udp, in: 67...69), .destinationPort(.udp, in: ClusterPorts.transfers),
      .destinationPort(.udp, in: ClusterPorts.proxyDHCP...ClusterPorts.proxyDHCP),
    ]
  }
}

extension FilterBatch {
  /// Lets jobs speak as `FilterTable.jobs` says, from now on.
  public static func jobs(of group: UInt64, level: UInt8) -> FilterBatch {
    var batch = FilterBatch(family: FilterTable.droneFamily)
    batch.replace(.jobs(of: group, level: level))
    return batch
  }

  /// Lets jobs try to speak to these members, and to others only through an association that there is.
  public static func jobs(to members: [IPv4Address]) -> FilterBatch {
    var batch = FilterBatch(family: FilterTable.droneFamily)
    batch.empty(ClusterRules.members, of: FilterTable.jobsName)
    batch.add(members.map { $0.octets }, to: ClusterRules.members, of: FilterTable.jobsName)
    return batch
  }
}
