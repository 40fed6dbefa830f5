import Addresses
import Bytes
import ControlChannel
import Linux
import Netlink
import NodeCore
import Reporting
import Tunnels

// What the core asks of the kernel, and what the kernel tells the core.

extension Node {
  /// Makes these changes until one fails.
  func admit(_ ticket: UInt32, _ changes: [KernelChange], _ now: UInt64) {
    var isDone = true
    for change in changes where isDone {
      do throws(NetlinkSocketError) {
        try make(change)
      } catch {
        isDone = false
        if case .require(let peer)? = changes.first {
          report.step(.failed, "member", peer.text + [UInt8](": ") + error.text)
        }
      }
    }
    perform(core.receiveAdmission(ticket, isDone: isDone, at: now), now)
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

  /// Installs all of these or none.
  func install(_ keyed: [KeyedAssociation], over channel: UInt32) -> Bool {
    guard let connection = connection(channel), let transforms else { return false }
    var done: [TunnelAssociation] = []
    for one in keyed {
      guard let material = connection.export(one.context, count: one.cipher.keyLength) else { break }
      do throws(NetlinkSocketError) {
        try transforms.install(one.association, one.cipher, material: material)
      } catch {
        report.note("tunnel", one.association.peer.text + [UInt8](": ") + error.text)
        break
      }
      done.append(one.association)
    }
    if done.count == keyed.count { return true }
    for association in done { transforms.remove(association) }
    return false
  }

  func follow(_ address: IPv4Address) {
    transforms?.own = address
    do throws(Failure) { try transforms?.exceptControl() } catch { report.step(.failed, "ipsec", error.sentence) }
  }

  func takeTransformEvents(_ now: UInt64) {
    guard let transforms else { return }
    for event in transforms.takeEvents() {
      switch event {
      case .acquire(let peer): perform(core.receiveQuestionForKeys(to: peer, at: now), now)
      case .expired(let spi, let peer, let isHard):
        perform(core.receiveExpiry(of: spi, peer: peer, isHard: isHard, at: now), now)
      }
    }
  }

  func takePolicyNews() {
    guard let transforms, transforms.hearsOfMissingPolicies() else { return }
    let count = transforms.restorePolicies()
    guard count > 0 else { return }
    report.step(
      .degraded, "ipsec", decimalText(count) + [UInt8](" policies were taken away by somebody else; they are back"))
  }
}
