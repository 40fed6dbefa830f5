import Addresses
import Bytes
import DroneLayout
import Linux
import Netlink
import PacketFilter
import ProcessControl

/// The network that jobs have.
enum JobNetwork {
  /// One for each job, which leads nowhere.
  case none
  /// The drone's, as far as the packet filter lets jobs (`FilterTable.jobs`).
  case members

  /// On a full Linux jobs have none: local services have names there (unix(7), the abstract namespace) that belong to the network, and no
  /// packet filter stands before them. A drone has no such service. It has none either where anything of this fails.
  ///
  /// - Parameter groups: nil where no jobs run.
  init(of groups: JobGroups?) {
    self = .none
    guard let groups, exists(servicesFolder), JobNetwork.speaksIPv4Alone, JobNetwork.keepsNodesPorts(),
      JobNetwork.filters(groups), JobNetwork.isFiltered(groups.root / "trial")
    else { return }
    self = .members
  }

  // MARK: Members

  /// Those of whom policies demand ESP now; the association to one may still have to be made.
  func members() -> [IPv4Address] {
    guard self == .members else { return [] }
    do throws(NetlinkSocketError) {
      var socket = try NetlinkSocket(.netfilter)
      let request = NetlinkRequest.listMembers(of: FilterTable.droneTable, family: FilterTable.droneFamily)
      return socket.elements(request, FilterTable.droneFamily).compactMap { IPv4Address(octets: $0) }
    } catch {
      return []
    }
  }

  /// Lets jobs try to speak to these; false where they have no network, or the filter is gone.
  @discardableResult
  func allow(_ members: [IPv4Address]) -> Bool {
    guard self == .members else { return false }
    do throws(NetlinkSocketError) {
      var socket = try NetlinkSocket(.netfilter)
      try socket.perform(.jobs(to: members))
      return true
    } catch {
      return false
    }
  }

  // MARK: The filter

  /// It is one of IPv4, and init switches the other version off.
  private static var speaksIPv4Alone: Bool {
    let all: Path = "/proc/sys/net/ipv6/conf/all/disable_ipv6"
    return !exists(all) || (try? readFile(all, limit: 8))?.first == UInt8(ascii: "1")
  }

  /// A job gets none of the ports that nodes speak by and boot others by, also while nobody has them.
  private static func keepsNodesPorts() -> Bool {
    (try? writeFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", [UInt8]("4096"))) != nil
  }

  private static func filters(_ groups: JobGroups) -> Bool {
    guard let number = try? controlGroupNumber(groups.root) else { return false }
    do throws(NetlinkSocketError) {
      var socket = try NetlinkSocket(.netfilter)
      // On a drone the group of all jobs is one below the root.
      try socket.perform(.jobs(of: number, level: 1))
      return true
    } catch {
      return false
    }
  }

  /// Whether it holds, as a process in a group below that of all jobs finds it: a kernel may take a rule whose condition never comes
  /// true. That process calls this node's own mosd, which hears already.
  private static func isFiltered(_ group: Path) -> Bool {
    guard (try? makeDirectory(group)) != nil, let process = try? forkProcess() else { return false }
    defer { try? removeDirectory(group) }
    switch process {
    case .child: endProcess(isRefused(in: group) ? 0 : 1)
    case .parent(let child): return waitForChild(child)?.succeeded ?? false
    }
  }

  private static func isRefused(in group: Path) -> Bool {
    // EHOSTUNREACH.
    let refused: Int32 = 113
    do throws(SystemError) {
      try writeFile(group / "cgroup.procs", [UInt8]("0"))
      let socket = try connectStream(to: SocketAddress(IPv4Address(127, 0, 0, 1), port: ClusterPorts.work))
      _ = waitReady([Interest(socket.number, .writable)], milliseconds: 2000)
      return connectionFailure(socket)?.number == refused
    } catch {
      return error.number == refused
    }
  }
}
