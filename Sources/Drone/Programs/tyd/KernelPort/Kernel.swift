import Addresses
import Bytes
import ControlChannel
import Linux
import Netlink
import NodeCore
import PacketFilter
import Reporting
import Tunnels
import TydCommand

/// What the kernel does for this node: IPsec, and the packet filter. It carries out what the core asks of the kernel, and hands
/// over what that tells.
final class Kernel {
  let machine: MachineKind
  private let isEncrypted: Bool
  private let report: Report
  private let filterOff: Path
  /// Nil before `prepare`, and with `-c off`.
  private var transforms: Transforms?
  private var filter: ClusterFilter?

  init(_ machine: MachineKind, isEncrypted: Bool, _ report: Report, _ places: Places) {
    self.machine = machine
    self.isEncrypted = isEncrypted
    self.report = report
    filterOff = places.filterOff
  }

  /// Demands IPsec and closes the filter, or with `-c off` opens it.
  func prepare(_ own: IPv4Address, _ ciphers: [TunnelCipher], _ command: TydCommand) throws(Failure) {
    guard isEncrypted else {
      // What a former run demanded would stop what is to go in clear now.
      (try? Transforms(own: own, softPackets: nil))?.keepOnly([])
      // What comes in clear cannot be told from a stranger's.
      try ClusterFilter(on: machine).open()
      return report.step(
        .failed, "ipsec",
        [UInt8]("OFF as -c off asks: EVERYTHING GOES IN CLEAR and the filter is open. For debugging only."))
    }
    let transforms = try Transforms(own: own, softPackets: command.rekeyPackets)
    // A drone's own kernel has what it needs, and an old processor half a second less. Whether modules are enough shows now.
    if machine == .host || kernelKnowsModules() { try transforms.tryOut(ciphers) }
    try transforms.exceptControl()
    self.transforms = transforms
    let filter = try ClusterFilter(on: machine)
    removeFile(filterOff)
    try filter.install(metrics: command.metrics)
    self.filter = filter
    for obstacle in filter.obstacles() {
      report.step(.degraded, "filter", obstacle + [UInt8](": this node and others cannot reach each other"))
    }
    report.step(.ok, "ipsec", [UInt8]("required between members; the filter sees to it"))
  }

  /// Hands over what the kernel tells from now on.
  func register(in loop: Loop, _ core: NodeCore, _ perform: @escaping ([NodeCommand], UInt64) -> Void) {
    loop.add({ [self] in transforms.map { Interest($0.policyDescriptor) } }) { [self] _, _ in takePolicyNews() }
    loop.add({ [self] in transforms.map { Interest($0.descriptor) } }) { [self] _, now in
      for event in transforms?.takeEvents() ?? [] {
        switch event {
        case .acquire(let peer): perform(core.receiveQuestionForKeys(to: peer, at: now), now)
        case .expired(let spi, let peer, let isHard):
          perform(core.receiveExpiry(of: spi, peer: peer, isHard: isHard, at: now), now)
        }
      }
    }
  }

  private func takePolicyNews() {
    guard let transforms, transforms.hearsOfMissingPolicies() else { return }
    let count = transforms.restorePolicies()
    guard count > 0 else { return }
    report.step(
      .degraded, "ipsec", decimalText(count) + [UInt8](" policies were taken away by somebody else; they are back"))
  }

  // MARK: Changes

  /// Makes these changes until one fails; whether none did.
  func admit(_ changes: [KernelChange]) -> Bool {
    for change in changes {
      do throws(NetlinkSocketError) {
        try make(change)
      } catch {
        if case .require(let peer)? = changes.first {
          report.step(.failed, "member", peer.text + [UInt8](": ") + error.text)
        }
        return false
      }
    }
    return true
  }

  func make(_ change: KernelChange) throws(NetlinkSocketError) {
    switch change {
    case .require(let peer): try transforms?.require(peer)
    case .permit(let peer): try filter?.add(peer)
    case .cutOff(let addresses): try filter?.addOthers(addresses)
    case .forbid(let peer): filter?.remove(peer)
    case .release(let peer): transforms?.release(peer)
    case .restore(let addresses): filter?.removeOthers(addresses)
    }
  }

  /// From now on everything is by this own address.
  func follow(_ address: IPv4Address) {
    transforms?.own = address
    do throws(Failure) { try transforms?.exceptControl() } catch { report.step(.failed, "ipsec", error.sentence) }
  }

  /// Takes away what is demanded, and excepted, by a former own address.
  func release(former: IPv4Address, _ peers: [IPv4Address]) { transforms?.releaseAll(of: former, peers) }

  // MARK: Associations

  /// Installs all of these or none; `export` gives keys.
  func install(_ keyed: [KeyedAssociation], _ export: (KeyContext, Int) -> [UInt8]?) -> Bool {
    guard let transforms else { return false }
    var done: [TunnelAssociation] = []
    for one in keyed {
      guard let material = export(one.context, one.cipher.keyLength) else { break }
      do throws(NetlinkSocketError) {
        try transforms.install(one.association, one.cipher, material: material)
      } catch {
        report.step(.degraded, "tunnel", one.association.peer.text + [UInt8](": ") + error.text)
        break
      }
      done.append(one.association)
    }
    if done.count == keyed.count { return true }
    for association in done { transforms.remove(association) }
    return false
  }

  func remove(_ association: TunnelAssociation) { transforms?.remove(association) }

  func removeWaiting(_ peer: IPv4Address) { transforms?.removeLarval(peer) }

  /// Nil while the kernel does not answer.
  func associations() -> [AssociationUse]? { transforms?.associations() }

  func refusedPackets() -> (late: UInt64, replayed: UInt64, unproven: UInt64)? { transforms?.refusedPackets() }

  // MARK: The filter

  func setSearching(_ isSearching: Bool) { filter?.setSearching(isSearching) }

  func setServing(_ serving: DroneServing) throws(NetlinkSocketError) { try filter?.setServing(serving) }

  /// Puts back what somebody else took away from the filter.
  func refill() {
    guard filter?.refill(isOff: exists(filterOff)) == true else { return }
    report.step(.degraded, "filter", [UInt8]("was taken away, perhaps with this machine's own; it is back"))
  }

  // MARK: Beginning and end

  /// What a former run left: of whom it demanded ESP, and what it cut off.
  func former() -> (demanded: [IPv4Address], cutOff: [InternetAddress]) {
    (isEncrypted ? Transforms.demanded() : [], filter?.cutOff() ?? [])
  }

  /// What a former run demanded and let in, and is of none of these, goes.
  func keepOnly(_ demanded: [IPv4Address]) {
    filter?.keepOnly(demanded)
    transforms?.keepOnly(demanded)
  }

  /// Everything that is tyd's is taken out; the filter goes back to what it was after boot.
  func restore() {
    if isEncrypted { filter?.close() } else { (try? ClusterFilter(on: machine))?.close() }
    transforms?.keepOnly([])
    transforms?.removeExceptions()
  }
}
