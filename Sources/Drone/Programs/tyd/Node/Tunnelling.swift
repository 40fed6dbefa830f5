import DroneLayout
import Addresses
import Bytes
import ControlChannel
import Linux
import Membership
import Netlink
import Reporting
import SecureChannel
import Tunnels
import TydCommand

extension Node {
  func takeTransformEvents(_ now: UInt64) {
    guard let transforms else { return }
    for event in transforms.takeEvents() {
      switch event {
      case .acquire(let peer): tunnels.acquire(peer, at: now)
      case .expired(let spi, let peer, let isHard): tunnels.expired(spi, peer: peer, isHard: isHard, at: now)
      }
    }
    carryOutTunnels(now)
  }

  func takePolicyNews() {
    guard let transforms, transforms.hearsOfMissingPolicies() else { return }
    let count = transforms.restorePolicies()
    guard count > 0 else { return }
    report.step(
      .degraded, "ipsec", number(count) + [UInt8](" policies were taken away by somebody else; they are back"))
  }

  /// Does what the tunnels ask for, in their order, until they ask for nothing more.
  func carryOutTunnels(_ now: UInt64) {
    while true {
      let effects = tunnels.takeEffects()
      if effects.isEmpty { return }
      for effect in effects { carryOut(effect, now) }
    }
  }

  private func carryOut(_ effect: TunnelEffect, _ now: UInt64) {
    switch effect {
    case .connect(let channel, let peer):
      if !open(
        .tunnel(fingerprint: peer.fingerprint), to: peer.address, channel: channel, patience: tunnels.settings.patience,
        now)
      {
        tunnels.closed(channel, at: now)
      }
    case .send(let channel, let message): connection(channel)?.send(message)
    case .close(let channel): connection(channel)?.close()
    case .install(let channel, let keyed): tunnels.installed(channel, install(keyed, over: channel), at: now)
    case .remove(let association): transforms?.remove(association)
    case .removeLarval(let peer): transforms?.removeLarval(peer)
    case .observe:
      // Nothing can be said of them while the kernel does not answer.
      if let uses = transforms?.associations() { tunnels.observe(uses, at: now) }
    }
  }

  /// Installs all of these or none.
  private func install(_ keyed: [KeyedAssociation], over channel: UInt32) -> Bool {
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

  /// Begins a connection with another node; false if that fails at once.
  @discardableResult
  func open(
    _ purpose: Conversation.Purpose, to address: IPv4Address, channel: UInt32, patience: UInt64, _ now: UInt64
  ) -> Bool {
    do throws(SystemError) {
      let socket = try connectStream(
        to: SocketAddress(address, port: ClusterPorts.control), from: interface.address,
        transforms: command.isEncrypted ? .bypass : .asPoliciesSay)
      register(
        Connection(
          Conversation(purpose, at: now, patience: patience), channel, socket, with: address, identity: identity,
          time: time.seconds))
      return true
    } catch {
      report.note("connect", address.text + [UInt8](": ") + error.text)
      return false
    }
  }
}
