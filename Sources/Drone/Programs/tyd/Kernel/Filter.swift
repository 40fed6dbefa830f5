import DroneLayout
import Addresses
import Bytes
import Linux
import Netlink
import PacketFilter
import TydCommand

/// The packet filter as tyd needs it: TCP 3278, ESP, and whatever goes between members through ESP. On a drone it extends
/// the table that was closed at boot; on a full Linux it is a table of its own, which concerns members and the control
/// port alone.
final class Filter {
  let isDrone: Bool
  private var members: [IPv4Address]
  private var others: [InternetAddress]
  private var socket: NetlinkSocket

  /// - Parameter members: those of whom policies demand ESP already.
  init(members: [IPv4Address] = []) throws(Failure) {
    isDrone = Filter.isOnDrone
    self.members = members
    others = []
    socket = try Filter.openSocket()
  }

  private static func openSocket() throws(Failure) -> NetlinkSocket {
    do throws(NetlinkSocketError) { return try NetlinkSocket(.netfilter) } catch { throw Failure(error.text) }
  }

  /// Process 1 of a drone writes this file and nobody else does.
  static var isOnDrone: Bool { exists(Path(DronePath.bootLog)) }

  /// Closes it but for what a cluster needs, and for who asks for metrics.
  func install(metrics: TydCommand.Endpoint?) throws(Failure) {
    do throws(NetlinkSocketError) {
      try set(.closed)
      try serveMetrics(at: metrics)
    } catch {
      throw Failure([UInt8]("the packet filter cannot be closed: ") + error.text)
    }
  }

  /// Lets everything pass that the machine itself does not keep out.
  func open() throws(Failure) {
    do throws(NetlinkSocketError) { try set(.open) } catch {
      throw Failure([UInt8]("the packet filter cannot be opened: ") + error.text)
    }
  }

  /// Rules of a full Linux's own that keep out what a cluster needs, each as a phrase.
  func obstacles() -> [[UInt8]] {
    guard !isDrone else { return [] }
    do throws(NetlinkSocketError) {
      let rules = try HostRules.read { request throws(NetlinkSocketError) in try socket.list(request) }
      return rules.obstacles().map { $0.text }
    } catch {
      return []
    }
  }

  /// Brings the filter into a state; members that it has stay.
  func set(_ state: DroneFilterState) throws(NetlinkSocketError) {
    if isDrone {
      try socket.perform(.droneFilter(state, tableExists: try hasDroneTable()))
    } else if case .open = state {
      try socket.perform(.removeHostFilter())
    } else {
      var batch = FilterBatch.hostFilter()
      for member in members { batch.addMember(member, to: FilterTable.hostTable) }
      for address in others { batch.addOther(address) }
      try socket.perform(batch)
    }
  }

  private func hasDroneTable() throws(NetlinkSocketError) -> Bool {
    for message in try socket.list(.listFilterTables(of: FilterTable.droneFamily)) {
      if case .table(let name)? = try? FilterMessage(message), name == FilterTable.droneTable { return true }
    }
    return false
  }

  /// Lets a port in, on a drone.
  func allow(isTCP: Bool, port: UInt16) throws(NetlinkSocketError) {
    let rules = try socket.list(.listFilterRules)
    if let batch = FilterBatch.droneAllow(isTCP ? .tcp : .udp, port: port, beside: rules) { try socket.perform(batch) }
  }

  /// Lets in who asks for metrics where they are served, on a drone. A full Linux's own rules decide there.
  func serveMetrics(at endpoint: TydCommand.Endpoint?) throws(NetlinkSocketError) {
    guard isDrone else { return }
    let open = endpoint.flatMap { $0.isLoopback ? nil : $0 }
    try socket.perform(.droneMetrics(open.map { ($0.address, $0.port) }))
  }

  /// Lets packets to and from a member pass; the policy that demands ESP for them stands already.
  func add(_ member: IPv4Address) throws(NetlinkSocketError) {
    guard !members.contains(member) else { return }
    removeOthers([.ipv4(member)])
    var batch = FilterBatch(family: isDrone ? FilterTable.droneFamily : FilterTable.hostFamily)
    batch.addMember(member, to: isDrone ? FilterTable.droneTable : FilterTable.hostTable)
    try performUnlessGone(batch)
    members.append(member)
  }

  func remove(_ member: IPv4Address) {
    guard let place = members.firstIndex(of: member) else { return }
    members.remove(at: place)
    var batch = FilterBatch(family: isDrone ? FilterTable.droneFamily : FilterTable.hostFamily)
    batch.removeMember(member, from: isDrone ? FilterTable.droneTable : FilterTable.hostTable)
    try? socket.perform(batch)
  }

  /// Cuts off a member's other addresses on a full Linux, where packets to them would go in clear. A drone lets nothing out
  /// to them anyway.
  func addOthers(_ addresses: [InternetAddress]) throws(NetlinkSocketError) {
    for address in addresses where !isDrone && !others.contains(address) {
      if case .ipv4(let address) = address, members.contains(address) { continue }
      var batch = FilterBatch(family: FilterTable.hostFamily)
      batch.addOther(address)
      try performUnlessGone(batch)
      others.append(address)
    }
  }

  func removeOthers(_ addresses: [InternetAddress]) {
    for address in addresses {
      guard let place = others.firstIndex(of: address) else { continue }
      others.remove(at: place)
      var batch = FilterBatch(family: FilterTable.hostFamily)
      batch.removeOther(address)
      try? socket.perform(batch)
    }
  }

  /// A full Linux's table may have been taken away, by `tyd -f off` or with all others: policies demand ESP all the same, and
  /// `refill` puts everything into the next one.
  private func performUnlessGone(_ batch: FilterBatch) throws(NetlinkSocketError) {
    do {
      try socket.perform(batch)
    } catch .refused(let failure, _) where failure.number == 2 && !isDrone {
      // ENOENT.
    }
  }

  /// On a full Linux: the table is there unless the operator took it away, and holds what it should. The machine's own filter may
  /// have been loaded anew (`flush ruleset`), or `tyd -f off` and `-f on` said. True when it was gone.
  func refill(isOff: Bool) -> Bool {
    guard !isDrone, !isOff else { return false }
    let family = FilterTable.hostFamily
    var present = Set<[UInt8]>()
    for request in [.listMembers(of: FilterTable.hostTable, family: family)] + NetlinkRequest.listOthers {
      do throws(NetlinkSocketError) {
        for message in try socket.list(request) {
          guard case .elements(let elements, _, _)? = try? FilterMessage(message, family: family) else { continue }
          for element in elements { present.insert(element) }
        }
      } catch {
        guard case .refused = error else { return false }
        do throws(NetlinkSocketError) { try set(.closed) } catch { return false }
        return true
      }
    }
    var batch = FilterBatch(family: family)
    for member in members where !present.contains(member.octets) {
      batch.addMember(member, to: FilterTable.hostTable)
    }
    for address in others where !present.contains(address.octets) { batch.addOther(address) }
    if !batch.requests.isEmpty { try? socket.perform(batch) }
    return false
  }

  /// After a crash: what a former run let in or cut off, and is no member or no address of one any longer, goes.
  func keepOnly(_ kept: [IPv4Address]) {
    let family = isDrone ? FilterTable.droneFamily : FilterTable.hostFamily
    let table = isDrone ? FilterTable.droneTable : FilterTable.hostTable
    for element in elements(.listMembers(of: table, family: family), family) {
      guard let address = IPv4Address(octets: element), !kept.contains(address) else { continue }
      members.append(address)
      remove(address)
    }
    guard !isDrone else { return }
    for request in NetlinkRequest.listOthers {
      for element in elements(request, family) {
        let four = IPv4Address(octets: element).map { InternetAddress.ipv4($0) }
        guard let address = four ?? IPv6Address(octets: element).map({ .ipv6($0) }), !others.contains(address) else {
          continue
        }
        others.append(address)
        removeOthers([address])
      }
    }
  }

  private func elements(_ request: NetlinkRequest, _ family: FilterFamily) -> [[UInt8]] {
    guard let messages = try? socket.list(request) else { return [] }
    return messages.flatMap { message -> [[UInt8]] in
      guard case .elements(let elements, _, _)? = try? FilterMessage(message, family: family) else { return [] }
      return elements
    }
  }

  /// While a member is searched for, answers come in by UDP 2728.
  func setSearching(_ isSearching: Bool) {
    if isDrone { try? socket.perform(.droneSearch(isSearching)) }
  }

  /// While this node boots others, their questions come in and its answers go out.
  func setServing(_ isServing: Bool) throws(NetlinkSocketError) {
    if isDrone { try socket.perform(.droneServing(isServing)) }
  }

  /// Puts back what was there before tyd: a drone's filter as at boot, nothing on a full Linux.
  func close() {
    if isDrone {
      var batch = FilterBatch(family: FilterTable.droneFamily)
      batch.replace(.drone)
      try? socket.perform(batch)
    } else {
      try? socket.perform(.removeHostFilter())
    }
  }
}

/// Runs `tyd -f …` and gives the exit status.
func runFilter(_ request: TydCommand.FilterRequest) -> Int32 {
  do throws(Failure) {
    if case .allow = request, !Filter.isOnDrone {
      throw Failure("this machine's own packet filter decides which ports are open; open the port there.")
    }
    // Between a full Linux's filter that was off and the tyd that runs there nothing may be lost.
    let filter = try Filter(members: Transforms.demanded())
    let mark = Places().filterOff
    let wasOff = exists(mark)
    do throws(NetlinkSocketError) {
      switch request {
      case .initialise:
        try filter.set(.initial)
        removeFile(mark)
      case .on:
        try filter.set(.closed)
        removeFile(mark)
      case .off:
        // First the mark, or the tyd that runs here might put back what is taken away.
        try? replaceFile(mark, [], permissions: 0o600)
        try filter.set(.open)
      case .allow(let isTCP, let port): try filter.allow(isTCP: isTCP, port: port)
      }
    } catch {
      if !wasOff { removeFile(mark) }
      throw Failure([UInt8]("the packet filter is as it was: ") + error.text)
    }
  } catch {
    return fail(error.sentence)
  }
  return 0
}
