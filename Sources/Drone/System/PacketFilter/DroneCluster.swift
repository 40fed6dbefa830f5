import DroneLayout
import Addresses
import Bytes
import Netlink

extension FilterTable {
  /// The name of a drone's table, made by init, and its family.
  public static let droneTable: FilterName = "drone"
  public static let droneFamily = FilterFamily.ipv4

  /// What a cluster adds to a drone's table.
  ///
  /// Out, the filter sees a packet before it is encrypted, so members are known by their addresses; policies, which stand
  /// before an address comes into the set, see to the encryption, and the chain `guard` sees that they did. In, what came out
  /// of ESP from a member passes. Traffic of members and the control port is not tracked: a table of connections that
  /// junk could fill does not count for it.
  ///
  /// | new, in                        | from                                                     |
  /// |--------------------------------|----------------------------------------------------------|
  /// | anything out of ESP            | members                                                  |
  /// | ESP                            | anybody: what no association fits, IPsec drops           |
  /// | tcp to 3278                    | anybody: 60 a minute from each, 1,000 a second together  |
  /// | udp to 239.192.0.1, port 2727  | anybody: 20 a second together                            |
  /// | udp 2727 to 2728               | anybody, while this node searches for a cluster          |
  /// | IGMP                           | anybody                                                  |
  /// | ICMP *fragmentation needed*    | anybody, about ESP to a member or tcp from 3278          |
  /// | tcp to where metrics are served | anybody, if that is not the machine itself alone        |
  /// | DHCP, TFTP and its transfers   | anybody, while this node boots others                    |
  /// | tcp to 80                      | the same, as often as to 3278                            |
  /// | udp 4011                       | anybody, while it does so beside another DHCP server     |
  ///
  /// | new, out                       | to                                                       |
  /// |--------------------------------|----------------------------------------------------------|
  /// | anything                       | members                                                  |
  /// | ESP; tcp to and from 3278      | anybody                                                  |
  /// | udp to 239.192.0.1, port 2727  | the group                                                |
  /// | udp 2727 to 2728               | anybody                                                  |
  /// | IGMP                           | anybody                                                  |
  /// | answers of these               | anybody, as long                                         |
  static var droneCluster: FilterTable {
    let rules = ClusterRules(bothVersions: false)
    var table = FilterTable(name: droneName)
    table.sets = ClusterRules.sets
    table.chains = [
      FilterChain(name: ClusterRules.callersChain, rules: rules.callers),
      FilterChain(name: searchingName, rules: []),
      FilterChain(name: allowedName, rules: []),
      FilterChain(name: metricsName, rules: []),
      FilterChain(name: logName, rules: []),
      FilterChain(name: servingInName, rules: []),
      FilterChain(name: servingOutName, rules: []),
      FilterChain(
        name: clusterInName,
        rules: [accepting(.secured + .source(in: ClusterRules.members), "members")] + rules.clearIn + pathMTU + [
          rules.calledFromControl,
          FilterRule([.verdict(.jump(searchingName))]), FilterRule([.verdict(.jump(metricsName))]),
          FilterRule([.verdict(.jump(servingInName))]),
        ]),
      FilterChain(name: clusterOutName, rules: clusterOut),
      FilterChain(name: "untracked_in", at: .prerouting, priority: beforeTracking, policy: .accept, rules: untrackedIn),
      FilterChain(name: "untracked_out", at: .output, priority: beforeTracking, policy: .accept, rules: untrackedOut),
      FilterChain(
        name: ClusterRules.leavingChain,
        rules: ClusterRules.leaving(also: [FilterRule([.verdict(.jump(servingOutName))])])),
      FilterChain(name: ClusterRules.guardChain, at: .postrouting, policy: .accept, rules: rules.guarding),
      FilterChain(
        name: inputName, at: .input, policy: .drop,
        rules: input(first: [FilterRule([.verdict(.jump(clusterInName))])])),
      FilterChain(
        name: outputName, at: .output, policy: .drop,
        rules: output(first: [FilterRule([.verdict(.jump(clusterOutName))])])),
    ]
    return table
  }

  private static var clusterInName: FilterName { "cluster_in" }
  private static var clusterOutName: FilterName { "cluster_out" }
  static var searchingName: FilterName { "searching" }
  static var metricsName: FilterName { "metrics" }
  static var servingInName: FilterName { "serving_in" }
  static var servingOutName: FilterName { "serving_out" }

  /// Chains whose rules come and go with what the node does.
  static var momentary: [FilterName] {
    [searchingName, metricsName, logName, servingInName, servingOutName]
  }

  /// NF_IP_PRI_RAW: connection tracking begins at -200.
  private static var beforeTracking: Int32 { -300 }

  private static var clusterOut: [FilterRule] {
    [
      accepting(.destination(in: ClusterRules.members), "members"),
      accepting(.transport(.esp), "ESP"),
      accepting(.ports(.tcp, to: ClusterPorts.control), "control"),
      accepting(.ports(.tcp, from: ClusterPorts.control), "control"),
      accepting(.destination(ClusterPorts.group) + .ports(.udp, to: ClusterPorts.discovery), "discovery"),
      accepting(.ports(.udp, from: ClusterPorts.discovery, to: ClusterPorts.discoveryAnswer), "discovery"),
      accepting(.transport(.igmp), "IGMP"),
      FilterRule([.verdict(.jump(servingOutName))]),
    ]
  }

  /// What is not tracked has no related errors, so a router's word that a packet was too large is known by what it quotes.
  /// The kernel believes it only about an association, or a place in a connection, that there is.
  private static var pathMTU: [FilterRule] {
    [
      accepting(.tooLarge(.esp) + .quotedDestination(in: ClusterRules.members), "path MTU of ESP"),
      accepting(.tooLarge(.tcp) + .quotedSourcePort(ClusterPorts.control), "path MTU of control"),
    ]
  }

  /// Connections that this node makes to a control port are tracked: their answers come in by that.
  private static var untrackedIn: [FilterRule] {
    [
      FilterRule(.ports(.tcp, to: ClusterPorts.control) + [.notTracked]),
      FilterRule(.transport(.esp) + [.notTracked]),
      FilterRule(.secured + .source(in: ClusterRules.members) + [.notTracked]),
    ]
  }

  private static var untrackedOut: [FilterRule] {
    [
      FilterRule(.ports(.tcp, from: ClusterPorts.control) + [.notTracked]),
      FilterRule(.ports(.tcp, to: ClusterPorts.control) + [.verdict(.return)]),
      FilterRule(.transport(.esp) + [.notTracked]),
      FilterRule(.destination(in: ClusterRules.members) + [.notTracked]),
    ]
  }
}

/// How a drone's filter stands.
public enum DroneFilterState: Sendable {
  /// As at boot, with what a cluster needs; ports that were allowed are closed again.
  case initial
  /// The same, and ports that were allowed stay.
  case closed
  /// Everything passes, but nothing leaves for members in the clear.
  case open
}

/// Whom a drone boots, as its filter sees it.
public enum DroneServing: Sendable {
  case nobody
  /// Others, which get their addresses from it as well.
  case alone
  /// Others, which get their addresses from another server.
  case besideServer
}

extension FilterBatch {
  /// Brings a drone's filter into a state. Members stay, a search goes on, and there is no moment without a filter.
  /// - Parameter tableExists: whether the kernel has a table `drone`; without one all is made anew.
  public static func droneFilter(_ state: DroneFilterState, tableExists: Bool) -> FilterBatch {
    var batch = FilterBatch(family: FilterTable.droneFamily)
    if !tableExists { batch.replace(.drone) }
    switch state {
    case .initial: batch.install(.droneCluster, keeping: FilterTable.momentary)
    case .closed: batch.install(.droneCluster, keeping: FilterTable.momentary + [FilterTable.allowedName])
    case .open:
      batch.install(.droneCluster, keeping: FilterTable.momentary + [FilterTable.allowedName])
      for chain in [FilterTable.inputName, FilterTable.outputName] {
        batch.prepend(
          FilterRule([.verdict(.accept)], comment: [UInt8]("tyd -f off")), to: chain, of: FilterTable.droneName)
      }
    }
    return batch
  }

  /// Makes a drone's filter again what it was at boot, without the cluster's rules; where the log goes stays.
  /// - Parameter rules: what the kernel answers to `NetlinkRequest.listFilterRules`.
  public static func droneAsAtBoot(keepingLogOf rules: [NetlinkMessage]) -> FilterBatch {
    var batch = FilterBatch(family: FilterTable.droneFamily)
    batch.replace(.drone)
    for message in rules {
      if case .rule(let rule, FilterTable.logName, FilterTable.droneName)? = try? FilterMessage(message) {
        batch.append(rule, to: FilterTable.logName, of: FilterTable.droneName)
      }
    }
    return batch
  }

  /// Opens or closes the filter for answers to this node's search for a cluster.
  public static func droneSearch(_ searching: Bool) -> FilterBatch {
    var batch = FilterBatch(family: FilterTable.droneFamily)
    batch.flush(chain: FilterTable.searchingName, of: FilterTable.droneName)
    if searching {
      let answers: [FilterExpression] = .ports(
        .udp, from: ClusterPorts.discovery, to: ClusterPorts.discoveryAnswer)
      batch.append(
        FilterTable.accepting(answers, "discovery"), to: FilterTable.searchingName, of: FilterTable.droneName)
    }
    return batch
  }

  /// Lets anybody connect to where metrics are served, or nobody any longer.
  /// - Parameter address: 0.0.0.0 for every address of the drone.
  public static func droneMetrics(_ place: (address: IPv4Address, port: UInt16)?) -> FilterBatch {
    var batch = FilterBatch(family: FilterTable.droneFamily)
    batch.flush(chain: FilterTable.metricsName, of: FilterTable.droneName)
    if let place {
      let destination: [FilterExpression] = place.address == .unspecified ? [] : .destination(place.address)
      batch.append(
        FilterTable.accepting(destination + .ports(.tcp, to: place.port), "metrics"), to: FilterTable.metricsName,
        of: FilterTable.droneName)
    }
    return batch
  }

  /// Opens or closes the filter for computers that boot from this node. Answers to members are not
  /// tracked, so packets to a transfer's port pass by that port.
  public static func droneServing(_ serving: DroneServing) -> FilterBatch {
    var batch = FilterBatch(family: FilterTable.droneFamily)
    batch.flush(chain: FilterTable.servingInName, of: FilterTable.droneName)
    batch.flush(chain: FilterTable.servingOutName, of: FilterTable.droneName)
    guard serving != .nobody else { return batch }
    let transfers = ClusterPorts.transfers
    let proxy = ClusterPorts.proxyDHCP
    let isProxy = serving == .besideServer
    let web = ClusterPorts.bootFiles
    for (chain, rules) in [
      (
        FilterTable.servingInName,
        [
          FilterTable.accepting(.ports(.udp, from: 68, to: 67), "DHCP, BOOTP"),
          FilterTable.accepting(.ports(.udp, to: 69), "TFTP"),
          FilterTable.accepting(.destinationPort(.udp, in: transfers), "TFTP transfer"),
          FilterRule(.opensConnection(to: web) + [.verdict(.jump(ClusterRules.callersChain))]),
          FilterTable.accepting(.ports(.tcp, to: web), "HTTP"),
        ] + (isProxy ? [FilterTable.accepting(.ports(.udp, to: proxy), "ProxyDHCP")] : [])
      ),
      (
        FilterTable.servingOutName,
        [
          FilterTable.accepting(.ports(.udp, from: 67, to: 68), "DHCP, BOOTP"),
          FilterTable.accepting(.ports(.udp, from: 69), "TFTP"),
          FilterTable.accepting(.sourcePort(.udp, in: transfers), "TFTP transfer"),
          FilterTable.accepting(.ports(.tcp, from: web), "HTTP"),
        ] + (isProxy ? [FilterTable.accepting(.ports(.udp, from: proxy), "ProxyDHCP")] : [])
      ),
    ] {
      for rule in rules { batch.append(rule, to: chain, of: FilterTable.droneName) }
    }
    return batch
  }

  /// Lets anybody connect to a port of a drone, until `DroneFilterState.initial`. Answers pass by the connection's state.
  /// Nil if the port is open already.
  /// - Parameter rules: what the kernel answers to `NetlinkRequest.listFilterRules`.
  public static func droneAllow(
    _ transport: TransportProtocol, port: UInt16, beside rules: [NetlinkMessage]
  ) -> FilterBatch? {
    let wanted = FilterTable.accepting(.ports(transport, to: port), "tyd -f allow")
    for message in rules {
      if case .rule(wanted, FilterTable.allowedName, FilterTable.droneName)? = try? FilterMessage(message) {
        return nil
      }
    }
    var batch = FilterBatch(family: FilterTable.droneFamily)
    batch.append(wanted, to: FilterTable.allowedName, of: FilterTable.droneName)
    return batch
  }
}
