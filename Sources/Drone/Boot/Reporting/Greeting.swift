import Addresses
import Bytes

/// How the root is watched, for the greeting.
public enum RootWatchState: Sendable, CaseIterable {
  case watched
  /// And nobody can end that.
  case locked
  case unwatched
}

/// What stands above the first prompt of a shell.
public struct Greeting: Sendable {
  public var name: [UInt8]
  public var addresses: [IPv4Address]
  public var cluster: NodeStanding
  public var root: RootWatchState
  /// Whether the drone was started with its packet filter.
  public var isFiltered: Bool

  public init(
    name: [UInt8], addresses: [IPv4Address], cluster: NodeStanding, root: RootWatchState, isFiltered: Bool = true
  ) {
    self.name = name
    self.addresses = addresses
    self.cluster = cluster
    self.root = root
    self.isFiltered = isFiltered
  }

  /// An empty line and six lines of at most 79 columns, the last one with its line feed. A name that is too long for its line
  /// is cut.
  public var text: [UInt8] {
    var out = [UInt8]("\nDrone      ") + name.prefix(64).map(printable) + [UInt8]("\nAddress    ")
    if addresses.isEmpty { out += [UInt8]("none yet; by hand: ifconfig eth0 ADDRESS; fix_hosts") }
    for (index, address) in addresses.prefix(3).enumerated() {
      if index > 0 { out += [UInt8](", ") }
      out += address.text
    }
    if addresses.count > 3 { out += [UInt8](" and more") }
    out += [UInt8]("\nCluster    ") + clusterLine + [UInt8]("\nNetwork    no remote shell; ")
    out +=
      isFiltered
      ? [UInt8]("wget, nc and their like reach members only")
      : [UInt8]("the packet filter was left off")
    out += [UInt8]("\nRoot       ")
    switch root {
    case .watched: out += [UInt8]("any change restarts the drone; to make one: killall certaintyd")
    case .locked: out += [UInt8]("any change restarts the drone, and so does the end of certaintyd")
    case .unwatched: out += [UInt8]("not watched: certaintyd does not run")
    }
    return out + [UInt8]("\nBoot log   /run/boot.log, dmesg        End   reboot, halt, poweroff\n")
  }

  private var clusterLine: [UInt8] {
    switch cluster {
    case .outside: return [UInt8]("not in one: tyd starts one; tyd -m ADDRESS, or tyd -m any, joins one")
    case .silent: return [UInt8]("tyd runs and does not answer; /run/tyd/log tells why")
    case .joining: return [UInt8]("tyd is on its way into one: tyd --status, /run/tyd/log")
    case .pending(let key):
      return [UInt8]("on a member that may admit: tyd --approve ") + key.prefix(16).map(printable)
    case .member(let id, let nodes):
      var out = idText(id) + [UInt8](" is in, ")
      appendDecimal(UInt64(nodes), to: &out)
      out += nodes == 1 ? [UInt8](" node") : [UInt8](" nodes")
      if let own = addresses.first { out += [UInt8]("; others join by: tyd -m ") + own.text }
      return out
    }
  }
}
