import Addresses
import Bytes
import Netlink

extension FilterTable {
  /// The filter that a drone closes before any of its interfaces is up: what it needs to get an address, names, the time
  /// and files, the answers to that, and nothing else, in neither direction.
  ///
  /// | out, new          | for         | what comes back in                                           |
  /// |-------------------|-------------|--------------------------------------------------------------|
  /// | udp 68 to 67      | DHCP, BOOTP | udp 67 to 68: may be a broadcast, which is never an *answer* |
  /// | udp, tcp to 53    | DNS         | the connection's packets                                     |
  /// | udp to 123        | NTP         | the connection's packets                                     |
  /// | udp to 69         | TFTP        | the transfer, from a port of the server's choice             |
  /// | ICMP echo request | ping        | the connection's packets                                     |
  /// | udp to 514        | `syslog=`   | nothing; to that host alone, once its address is known       |
  ///
  /// That a TFTP server answers from a new port (RFC 1350 §4) is foretold by the kernel's tracker, for this server only.
  ///
  /// Both ways an ICMP error about such a connection passes; path MTU discovery needs it (RFC 1191). ARP is not IP and
  /// passes; so do raw sockets of the drone's own, which stand below the filter. What is dropped is logged as
  /// `drop in `, `drop out ` or `drop forward `, each at most 30 times a minute after
  /// the first ten.
  public static var drone: FilterTable {
    var table = FilterTable(name: droneName)
    table.sets = [icmpErrors]
    table.helpers = [ConnectionHelper(name: tftpHelper, tracker: tftpTracker, transport: .udp)]
    table.chains = [
      FilterChain(name: inputName, at: .input, policy: .drop, rules: input()),
      FilterChain(name: outputName, at: .output, policy: .drop, rules: output()),
      FilterChain(name: "forward", at: .forward, policy: .drop, rules: [logged("drop forward ")]),
      FilterChain(name: logName, rules: []),
      FilterChain(name: allowedName, rules: []),
    ]
    return table
  }

  static var droneName: FilterName { "drone" }
  static var inputName: FilterName { "input" }
  static var outputName: FilterName { "output" }
  /// Ports that somebody opened; here from the beginning, since no tyd needs to run for that.
  static var allowedName: FilterName { "allowed" }
  /// To whom the log goes.
  static var logName: FilterName { "log_out" }

  private static var tftpHelper: FilterName { "tftp" }
  private static var tftpTracker: FilterName { "tftp" }

  /// Destination unreachable (with *fragmentation needed*), time exceeded, parameter problem (RFC 792).
  private static var icmpErrors: FilterSet {
    FilterSet(name: "icmp_errors", kind: .icmpType, flags: .constant, elements: [[3], [11], [12]])
  }

  /// - Parameter first: rules that see what is not the loopback's before the others do.
  static func input(first: [FilterRule] = []) -> [FilterRule] {
    [accepting(.fromLoopback)] + first + [
      accepting(.state(.established)),
      accepting(.state(.related) + .icmp(typeIn: icmpErrors.name), "path MTU and other errors"),
      accepting(.state(.related) + .foretold(by: tftpTracker), "TFTP transfer"),
      accepting(.ports(.udp, from: 67, to: 68), "DHCP, BOOTP"),
      FilterRule([.verdict(.jump(allowedName))]),
      logged("drop in "),
    ]
  }

  /// As `input`.
  static func output(first: [FilterRule] = []) -> [FilterRule] {
    [accepting(.toLoopback)] + first + [
      accepting(.state(.established)),
      accepting(.state(.related) + .icmp(typeIn: icmpErrors.name), "errors"),
      accepting(.ports(.udp, from: 68, to: 67), "DHCP, BOOTP"),
      accepting(.ports(.udp, to: 53), "DNS"),
      accepting(.ports(.tcp, to: 53), "DNS"),
      accepting(.ports(.udp, to: 123), "NTP"),
      // The helper is given first and the packet accepted by the same rule.
      accepting(.ports(.udp, to: 69) + [.assignHelper(tftpHelper)], "TFTP"),
      accepting(.icmp(type: 8), "ping"),
      FilterRule([.verdict(.jump(logName))]),
      logged("drop out "),
    ]
  }

  static func accepting(_ conditions: [FilterExpression], _ comment: StaticString = "") -> FilterRule {
    FilterRule(conditions + [.verdict(.accept)], comment: [UInt8](comment))
  }

  /// Logs what comes this far; the chain's policy then drops it.
  static func logged(_ prefix: StaticString) -> FilterRule {
    FilterRule([
      .limit(packets: 30, seconds: 60, burst: 10), .log(prefix: [UInt8](prefix), level: .information),
    ])
  }
}

extension FilterBatch {
  /// Lets the log out to one host, and to no other from now on. The batch fails with ENOENT if there is no filter.
  public static func droneLog(to host: IPv4Address) -> FilterBatch {
    var batch = FilterBatch(family: FilterTable.droneFamily)
    batch.flush(chain: FilterTable.logName, of: FilterTable.droneName)
    batch.append(
      FilterTable.accepting(.destination(host) + .ports(.udp, to: 514), "syslog"), to: FilterTable.logName,
      of: FilterTable.droneName)
    return batch
  }
}
