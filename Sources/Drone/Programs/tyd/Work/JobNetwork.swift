import Addresses
import Linux
import Netlink
import PacketFilter

/// The network that jobs have.
enum JobNetwork {
  /// One for each job, which leads nowhere.
  case none
  /// The drone's, as far as the packet filter lets jobs (`FilterTable.jobs`).
  case members

  /// On a full Linux jobs have none: local services have names there (unix(7), the abstract namespace) that belong to the network, and no
  /// packet filter stands before them. A drone has no such service.
  ///
  /// - Parameter groups: nil where no jobs run.
  init(of groups: JobGroups?) {
    self = .none
    // A kernel that cannot tell has no filter for it.
    guard let groups, exists(servicesFolder), let number = try? controlGroupNumber(groups.root) else { return }
    do throws(NetlinkSocketError) {
      var socket = try NetlinkSocket(.netfilter)
      // On a drone the group of all jobs is one below the root.
      try socket.perform(.jobs(of: number, level: 1))
      self = .members
    } catch {}
  }

  /// Lets jobs speak to those of whom policies demand ESP now, the association to whom may still have to be made. Before a job begins.
  func allowMembers() {
    guard self == .members else { return }
    // Where it fails, only members that the drone has an association with already are reached at the first try.
    do throws(NetlinkSocketError) {
      var socket = try NetlinkSocket(.netfilter)
      let request = NetlinkRequest.listMembers(of: FilterTable.droneTable, family: FilterTable.droneFamily)
      let members = socket.elements(request, FilterTable.droneFamily).compactMap { IPv4Address(octets: $0) }
      try socket.perform(.jobs(to: members))
    } catch {}
  }
}
