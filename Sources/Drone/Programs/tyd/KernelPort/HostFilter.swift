import Addresses
import Linux
import Netlink
import PacketFilter

/// A full Linux's packet filter is its own; tyd adds a table, which concerns members and the control port alone.
final class HostFilter {
  private var members: [IPv4Address]
  /// Other addresses of members, which are cut off: packets to them would go in clear.
  private var others: [InternetAddress] = []
  private var socket: NetlinkSocket

  /// - Parameter members: those of whom policies demand ESP already.
  init(_ socket: consuming NetlinkSocket, members: [IPv4Address]) {
    self.socket = socket
    self.members = members
  }

  /// Makes the table or brings it back into its state, with everything that it should hold.
  func installTable() throws(NetlinkSocketError) {
    var batch = FilterBatch.hostFilter()
    for member in members { batch.addMember(member, to: FilterTable.hostTable) }
    for address in others { batch.addOther(address) }
    try socket.perform(batch)
  }

  func removeTable() throws(NetlinkSocketError) { try socket.perform(.removeHostFilter()) }

  /// Rules of this machine's own that keep out what a cluster needs, each as a phrase.
  func obstacles() -> [[UInt8]] {
    do throws(NetlinkSocketError) {
      let rules = try HostRules.read { request throws(NetlinkSocketError) in try socket.list(request) }
      return rules.obstacles().map { $0.text }
    } catch {
      return []
    }
  }

  func add(_ member: IPv4Address) throws(NetlinkSocketError) {
    guard !members.contains(member) else { return }
    removeOthers([.ipv4(member)])
    var batch = FilterBatch(family: FilterTable.hostFamily)
    batch.addMember(member, to: FilterTable.hostTable)
    try performUnlessGone(batch)
    members.append(member)
  }

  func remove(_ member: IPv4Address) {
    guard let place = members.firstIndex(of: member) else { return }
    members.remove(at: place)
    var batch = FilterBatch(family: FilterTable.hostFamily)
    batch.removeMember(member, from: FilterTable.hostTable)
    try? socket.perform(batch)
  }

  func addOthers(_ addresses: [InternetAddress]) throws(NetlinkSocketError) {
    for address in addresses where !others.contains(address) {
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

  /// The table may have been taken away, by `tyd -f off` or with all others: policies demand ESP all the same, and `refill`
  /// puts everything into the next one.
  private func performUnlessGone(_ batch: FilterBatch) throws(NetlinkSocketError) {
    do {
      try socket.perform(batch)
    } catch .refused(let failure, _) where failure.number == 2 {
      // ENOENT.
    }
  }

  /// Puts back what the table lacks. The machine's own filter may have been loaded anew (`flush ruleset`), or `tyd -f off` and
  /// `-f on` said. True when the table was gone.
  func refill() -> Bool {
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
        do throws(NetlinkSocketError) { try installTable() } catch { return false }
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

  /// After a crash: what a former run let in or cut off goes.
  func keepOnly(_ kept: [IPv4Address]) {
    let family = FilterTable.hostFamily
    for element in socket.elements(.listMembers(of: FilterTable.hostTable, family: family), family) {
      guard let address = IPv4Address(octets: element), !kept.contains(address) else { continue }
      members.append(address)
      remove(address)
    }
    for address in cutOff() where !others.contains(address) {
      others.append(address)
      removeOthers([address])
    }
  }

  /// What the kernel's sets have, whoever put it there.
  func cutOff() -> [InternetAddress] {
    var found: [InternetAddress] = []
    for request in NetlinkRequest.listOthers {
      for element in socket.elements(request, FilterTable.hostFamily) {
        let four = IPv4Address(octets: element).map { InternetAddress.ipv4($0) }
        if let address = four ?? IPv6Address(octets: element).map({ .ipv6($0) }) { found.append(address) }
      }
    }
    return found
  }
}
