import Addresses
import Bytes
import Linux
import Netlink
import PacketFilter
import TydCommand

/// The packet filter as tyd needs it: TCP 3278, ESP, and whatever goes between members through ESP. Which of the two it is
/// follows from the machine.
enum ClusterFilter {
  case drone(DroneFilter)
  case host(HostFilter)

  /// - Parameter members: those of whom policies demand ESP already.
  init(on kind: MachineKind, members: [IPv4Address] = []) throws(Failure) {
    let socket: NetlinkSocket
    do throws(NetlinkSocketError) { socket = try NetlinkSocket(.netfilter) } catch { throw Failure(error.text) }
    switch kind {
    case .drone: self = .drone(DroneFilter(socket, members: members))
    case .host: self = .host(HostFilter(socket, members: members))
    }
  }

  /// Closes it but for what a cluster needs, and for who asks for metrics. A full Linux's own rules decide whether its
  /// metrics are reached.
  func install(metrics: TydCommand.Endpoint?) throws(Failure) {
    do throws(NetlinkSocketError) {
      try set(.closed)
      if case .drone(let filter) = self { try filter.serveMetrics(at: metrics) }
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

  /// Brings the filter into a state; members that it has stay.
  func set(_ state: DroneFilterState) throws(NetlinkSocketError) {
    switch self {
    case .drone(let filter): try filter.set(state)
    case .host(let filter): if case .open = state { try filter.removeTable() } else { try filter.installTable() }
    }
  }

  /// Rules of a full Linux's own that keep out what a cluster needs, each as a phrase.
  func obstacles() -> [[UInt8]] {
    if case .host(let filter) = self { filter.obstacles() } else { [] }
  }

  /// Lets packets to and from a member pass; the policy that demands ESP for them stands already.
  func add(_ member: IPv4Address) throws(NetlinkSocketError) {
    switch self {
    case .drone(let filter): try filter.add(member)
    case .host(let filter): try filter.add(member)
    }
  }

  func remove(_ member: IPv4Address) {
    switch self {
    case .drone(let filter): filter.remove(member)
    case .host(let filter): filter.remove(member)
    }
  }

  /// Cuts off a member's other addresses, where packets to them would go in clear. A drone lets nothing out to them anyway.
  func addOthers(_ addresses: [InternetAddress]) throws(NetlinkSocketError) {
    if case .host(let filter) = self { try filter.addOthers(addresses) }
  }

  func removeOthers(_ addresses: [InternetAddress]) {
    if case .host(let filter) = self { filter.removeOthers(addresses) }
  }

  /// Puts back what somebody took away from a full Linux's table; true when all of it was gone. `isOff`: the operator did.
  func refill(isOff: Bool) -> Bool {
    if case .host(let filter) = self, !isOff { filter.refill() } else { false }
  }

  /// After a crash: what a former run let in or cut off, and is no member or no address of one any longer, goes.
  func keepOnly(_ kept: [IPv4Address]) {
    switch self {
    case .drone(let filter): filter.keepOnly(kept)
    case .host(let filter): filter.keepOnly(kept)
    }
  }

  /// The addresses that a former run cut off.
  func cutOff() -> [InternetAddress] {
    if case .host(let filter) = self { filter.cutOff() } else { [] }
  }

  /// While a member is searched for, answers come in to a drone by UDP 2728.
  func setSearching(_ isSearching: Bool) {
    if case .drone(let filter) = self { filter.setSearching(isSearching) }
  }

  /// While this node boots others, their questions come in to a drone and its answers go out.
  func setServing(_ serving: DroneServing) throws(NetlinkSocketError) {
    if case .drone(let filter) = self { try filter.setServing(serving) }
  }

  /// Puts back what was there before tyd: a drone's filter as at boot, nothing on a full Linux.
  func close() {
    switch self {
    case .drone(let filter): filter.restore()
    case .host(let filter): try? filter.removeTable()
    }
  }
}

extension NetlinkSocket {
  /// The elements of a set; none if there is no such set.
  mutating func elements(_ request: NetlinkRequest, _ family: FilterFamily) -> [[UInt8]] {
    guard let messages = try? list(request) else { return [] }
    return messages.flatMap { message -> [[UInt8]] in
      guard case .elements(let elements, _, _)? = try? FilterMessage(message, family: family) else { return [] }
      return elements
    }
  }
}
