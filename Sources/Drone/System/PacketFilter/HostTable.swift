import DroneLayout
import Addresses
import Bytes
import Netlink

extension FilterTable {
  /// The name and the family of the table that tyd has on a full Linux.
  public static let hostTable: FilterName = "tyd"
  public static let hostFamily = FilterFamily.internet

  /// What a cluster adds to a machine that has a filter of its own.
  ///
  /// A drop in one table counts, whatever others accept; an accept counts in its own table only. So this table drops what
  /// concerns members and the control port alone, and everything else is left to the machine's own rules.
  ///
  /// From members comes what was in ESP, the control channel, discovery and IGMP; what members tell each other of the
  /// cluster (UDP 3278) comes from nobody else, and in ESP alone. A member's other addresses – in the
  /// sets `others` and `others6` – are cut off in both directions: traffic to them would go in the clear. Of IPv6 only its
  /// neighbour discovery passes, without which a member that is the network's router would be lost.
  ///
  /// Where this machine is a router, what it forwards to and from members is no packet of its own: its rules decide. What it
  /// forwards under its own address is: policies demand ESP of it, and the guard sees that. A container or a virtual machine behind
  /// such an address would speak for this node if its UDP 3278 went on to members; nobody else has a reason to send that.
  static var host: FilterTable {
    let rules = ClusterRules(bothVersions: true)
    var table = FilterTable(name: hostTable)
    table.sets =
      ClusterRules.sets + [
        FilterSet(name: othersName, kind: .address, capacity: 65536),
        FilterSet(name: others6Name, kind: .address6, capacity: 65536),
      ]
    table.chains = [
      FilterChain(name: ClusterRules.callersChain, rules: rules.callers),
      FilterChain(
        name: inputName, at: .input, policy: .accept,
        rules: [
          accepting(.fromLoopback),
          accepting(.secured + rules.ipv4(.source(in: ClusterRules.members)), "members"),
        ] + rules.clearIn + [
          rules.calledFromControl,
          accepting(.ports(.tcp, from: ClusterPorts.control), "control"),
          accepting(.ports(.udp, from: ClusterPorts.discovery, to: ClusterPorts.discoveryAnswer), "discovery"),
          dropping(.ports(.udp, to: ClusterPorts.control), "membership without ESP"),
          dropping(rules.ipv4(.source(in: ClusterRules.members)), "members without ESP"),
          dropping(rules.ipv4(.source(in: othersName)), "other addresses of members"),
          accepting(.neighbourDiscovery, "what ARP is for IPv4"),
          dropping(.source6(in: others6Name), "other addresses of members"),
        ]),
      FilterChain(
        name: outputName, at: .output, policy: .accept,
        rules: [
          accepting(.toLoopback),
          dropping(.ports(.udp, from: ClusterPorts.control) + .ofOtherUsers, speaks),
          dropping(rules.ipv4(.destination(in: othersName)), "other addresses of members"),
          accepting(.neighbourDiscovery, "what ARP is for IPv4"),
          dropping(.destination6(in: others6Name), "other addresses of members"),
        ]),
      FilterChain(
        name: forwardName, at: .forward, policy: .accept,
        rules: [
          dropping(
            rules.ipv4(.destination(in: ClusterRules.members)) + .ports(.udp, from: ClusterPorts.control), speaks),
          dropping(rules.ipv4(.destination(in: ClusterRules.members)) + .ports(.udp, to: ClusterPorts.control), speaks),
        ]),
      FilterChain(
        name: ClusterRules.leavingChain,
        rules: ClusterRules.leaving(first: [
          FilterRule(.forwarded + [.verdict(.return)], comment: [UInt8]("on its way through"))
        ])),
      FilterChain(
        name: ClusterRules.guardChain, at: .postrouting, priority: afterTranslation, policy: .accept,
        rules: rules.guarding),
    ]
    return table
  }

  static var othersName: FilterName { "others" }
  static var others6Name: FilterName { "others6" }

  /// Behind NF_IP_PRI_NAT_SRC, 100: sources are what the wire will see.
  private static var afterTranslation: Int32 { 200 }

  private static var forwardName: FilterName { "forward" }
  private static var speaks: StaticString { "only root speaks for this node" }

  static func dropping(_ conditions: [FilterExpression], _ comment: StaticString) -> FilterRule {
    FilterRule(conditions + [.verdict(.drop)], comment: [UInt8](comment))
  }
}

extension FilterBatch {
  /// Makes tyd's table on a full Linux, or brings it back into its state. Members stay.
  public static func hostFilter() -> FilterBatch {
    var batch = FilterBatch(family: FilterTable.hostFamily)
    batch.install(.host)
    return batch
  }

  /// Removes tyd's table, and nothing else.
  public static func removeHostFilter() -> FilterBatch {
    var batch = FilterBatch(family: FilterTable.hostFamily)
    // Deleting fails if there is none.
    batch.addTable(FilterTable.hostTable)
    batch.deleteTable(FilterTable.hostTable)
    return batch
  }

  /// Cuts a member's other address off, on a full Linux.
  public mutating func addOther(_ address: InternetAddress) {
    add([address.octets], to: FilterBatch.others(for: address), of: FilterTable.hostTable)
  }

  /// Ends that. The batch fails with ENOENT if it is not cut off.
  public mutating func removeOther(_ address: InternetAddress) {
    remove([address.octets], from: FilterBatch.others(for: address), of: FilterTable.hostTable)
  }

  private static func others(for address: InternetAddress) -> FilterName {
    switch address {
    case .ipv4: FilterTable.othersName
    case .ipv6: FilterTable.others6Name
    }
  }
}

extension NetlinkRequest {
  /// The other addresses of members that are cut off on a full Linux: IPv4 and IPv6, `FilterMessage.elements` of four and of
  /// sixteen bytes each.
  public static var listOthers: [NetlinkRequest] {
    [FilterTable.othersName, FilterTable.others6Name].map { set in
      listElements(of: set, in: FilterTable.hostTable, family: FilterTable.hostFamily)
    }
  }
}
