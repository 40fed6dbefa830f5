import Addresses
import Linux
import Netlink
import PacketFilter
import TydCommand

/// A drone's packet filter, closed at boot: tyd extends that table. `DroneCluster` lists its rules.
final class DroneFilter {
  private var members: [IPv4Address]
  private var socket: NetlinkSocket

  /// - Parameter members: those of whom policies demand ESP already.
  init(_ socket: consuming NetlinkSocket, members: [IPv4Address]) {
    self.socket = socket
    self.members = members
  }

  /// Brings the table into a state; members that it has stay.
  func set(_ state: DroneFilterState) throws(NetlinkSocketError) {
    try socket.perform(.droneFilter(state, tableExists: try hasTable()))
  }

  private func hasTable() throws(NetlinkSocketError) -> Bool {
    for message in try socket.list(.listFilterTables(of: FilterTable.droneFamily)) {
      if case .table(let name)? = try? FilterMessage(message), name == FilterTable.droneTable { return true }
    }
    return false
  }

  /// Lets a port in.
  func allow(isTCP: Bool, port: UInt16) throws(NetlinkSocketError) {
    let rules = try socket.list(.listFilterRules)
    if let batch = FilterBatch.droneAllow(isTCP ? .tcp : .udp, port: port, beside: rules) { try socket.perform(batch) }
  }

  /// Lets in who asks for metrics where they are served.
  func serveMetrics(at endpoint: TydCommand.Endpoint?) throws(NetlinkSocketError) {
    let open = endpoint.flatMap { $0.isLoopback ? nil : $0 }
    try socket.perform(.droneMetrics(open.map { ($0.address, $0.port) }))
  }

  func add(_ member: IPv4Address) throws(NetlinkSocketError) {
    guard !members.contains(member) else { return }
    var batch = FilterBatch(family: FilterTable.droneFamily)
    batch.addMember(member, to: FilterTable.droneTable)
    try socket.perform(batch)
    members.append(member)
  }

  func remove(_ member: IPv4Address) {
    guard let place = members.firstIndex(of: member) else { return }
    members.remove(at: place)
    var batch = FilterBatch(family: FilterTable.droneFamily)
    batch.removeMember(member, from: FilterTable.droneTable)
    try? socket.perform(batch)
  }

  /// After a crash: what a former run let in goes.
  func keepOnly(_ kept: [IPv4Address]) {
    let request = NetlinkRequest.listMembers(of: FilterTable.droneTable, family: FilterTable.droneFamily)
    for element in socket.elements(request, FilterTable.droneFamily) {
      guard let address = IPv4Address(octets: element), !kept.contains(address) else { continue }
      members.append(address)
      remove(address)
    }
  }

  func setSearching(_ isSearching: Bool) { try? socket.perform(.droneSearch(isSearching)) }

  func setServing(_ serving: DroneServing) throws(NetlinkSocketError) { try socket.perform(.droneServing(serving)) }

  /// The table as it was after boot; the log goes on to where it goes.
  func restore() { try? socket.perform(.droneAsAtBoot(keepingLogOf: (try? socket.list(.listFilterRules)) ?? [])) }
}
