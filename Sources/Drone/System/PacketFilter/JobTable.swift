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
  /// | from, to the drone itself                     | yes                                                 |
  /// | in, out of ESP; out, what will go through it  | yes: these are members, unless the cluster is clear |
  /// | out, to members                               | yes: the first packet waits for its association     |
  /// | out, ESP                                      | yes: a job's own packets, which come by twice       |
  /// | anything else                                 | never                                               |
  ///
  /// It only takes away: what passes here, the drone's own table sees, too.
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
        rules: [accepting(.transport(.esp))] + nodesPorts.map { refusing($0, "a node's") } + [
          accepting(.toLoopback), accepting(.willBeSecured), accepting(.destination(in: ClusterRules.members)),
          refusing([], "no member"),
        ]),
      FilterChain(name: "in", at: .input, policy: .accept, rules: jobs(to: jobInName)),
      FilterChain(name: "out", at: .output, policy: .accept, rules: jobs(to: jobOutName)),
    ]
    return table
  }

  fileprivate static var jobsName: FilterName { "jobs" }
  private static var jobInName: FilterName { "job_in" }
  private static var jobOutName: FilterName { "job_out" }

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
}

extension FilterBatch {
  /// Lets jobs speak as `FilterTable.jobs` says, from now on, and to no member yet.
  public static func jobs(of group: UInt64, level: UInt8) -> FilterBatch {
    var batch = FilterBatch(family: FilterTable.droneFamily)
    batch.replace(.jobs(of: group, level: level))
    return batch
  }

  /// Lets jobs speak to these members and to no others.
  public static func jobs(to members: [IPv4Address]) -> FilterBatch {
    var batch = FilterBatch(family: FilterTable.droneFamily)
    batch.empty(ClusterRules.members, of: FilterTable.jobsName)
    batch.add(members.map { $0.octets }, to: ClusterRules.members, of: FilterTable.jobsName)
    return batch
  }
}
