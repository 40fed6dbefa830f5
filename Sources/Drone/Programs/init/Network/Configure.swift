import Addresses
import Addressing
import BootLine
import Bytes
import Linux
import Netlink
import Reporting

extension Network {
  /// Gives a card what an answer or the boot line says. What it has already is not set again: a renewed lease without news
  /// changes nothing.
  func configure(
    _ position: Int, _ card: Int32, _ answer: AddressConfiguration, _ method: AddressMethod
  ) {
    let configuration = assignments[position].request.completed(answer, settings, on: cards.name(card))
    let before = assignments[position].applied
    if let before, before.card == card, before.configuration == configuration { return }
    let name = cards.name(card)
    let metric = UInt32(clamping: position)
    given.append((card, configuration.address))
    if let before {
      let sameAddress =
        before.card == card && before.configuration.address == configuration.address
        && before.configuration.effectiveNetmask == configuration.effectiveNetmask
      if !sameAddress {
        interfaces.release(before.card, cards.name(before.card), before.configuration, metric: metric)
      } else {
        let wanted = configuration.reachableRoutes
        let old = before.configuration.reachableRoutes.filter { !wanted.contains($0) }
        interfaces.removeRoutes(card, old, metric: metric)
      }
    }
    do throws(NetlinkSocketError) {
      try interfaces.configure(card, name, configuration, metric: metric)
    } catch {
      report(.failed, "network", name + [UInt8](" ") + configuration.address.text + [UInt8](": ") + error.text)
      assignments[position].task.receiveLoss(of: configuration.address, on: card)
      return
    }
    assignments[position].applied = (card, configuration)
    if assignments[position].request.mtu == nil, let mtu = configuration.mtu { setMTU(card, name, mtu) }
    recordNames(configuration)
    keepTime(configuration.timeServers)
    describe(name, configuration, method)
    if assignments[position].request.hostName == nil { reportUnusableName(name, configuration) }
    reportHosts()
  }

  /// The lease's MTU. A card that cannot send as much keeps its own.
  private func setMTU(_ card: Int32, _ name: [UInt8], _ mtu: UInt16) {
    do throws(NetlinkSocketError) {
      try interfaces.setMTU(card, mtu)
    } catch {
      var text = name + [UInt8](" keeps its own MTU instead of the lease's ")
      appendDecimal(UInt64(mtu), to: &text)
      report(.degraded, "network", text + [UInt8](": ") + error.text)
    }
  }

  /// Says that the name which a server gave cannot be one, as far as it can be shown.
  private func reportUnusableName(_ card: [UInt8], _ configuration: AddressConfiguration) {
    guard let name = configuration.hostName,
      HostTable(address: configuration.address, requested: nil, leased: name)?.origin == .address
    else { return }
    let shown = name.prefix(64).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
    report(
      .degraded, "network",
      card + [UInt8](": the server names this drone \"") + shown
        + [UInt8]("\", which is no host name (letters, digits and hyphens); it is called by its address"))
  }

  /// Takes a card's address away because its lease is over.
  func release(_ position: Int, _ card: Int32) {
    guard let address = removeAddress(position, card) else { return }
    report(
      .degraded, "network",
      cards.name(card) + [UInt8](": the lease of ") + address.text + [UInt8](" is over; asking again"))
  }

  /// Takes away the address that a card was given a moment ago, because somebody else has it.
  func withdraw(
    _ position: Int, _ card: Int32, _ address: IPv4Address, _ method: AddressMethod, _ holder: MACAddress
  ) {
    _ = removeAddress(position, card)
    let next: StaticString =
      switch method {
      case .fixed: "give this drone another one, by ip= or ifconfig"
      case .dhcp: "its lease is declined, and another is asked for in 10 s"
      case .bootp, .rarp: "another is asked for in 10 s"
      }
    report(.failed, "network", inUse(card, address, by: holder) + [UInt8](": it is given up; ") + [UInt8](next))
  }

  func reportContested(_ card: Int32, _ address: IPv4Address, _ rival: MACAddress) {
    report(.failed, "network", inUse(card, address, by: rival) + [UInt8](", too: both keep it until you change one"))
  }

  /// `eth0 (52:54:00:12:34:56): 192.168.1.21 is in use by 02:00:00:00:00:0b`.
  func inUse(_ card: Int32, _ address: IPv4Address, by holder: MACAddress) -> [UInt8] {
    var text = cards.name(card)
    if let hardware = cards.card(card)?.hardware { text += [UInt8](" (") + hardware.text + [UInt8](")") }
    return text + [UInt8](": ") + address.text + [UInt8](" is in use by ") + holder.text
  }

  /// Removes a card's address, and its name from /etc/hosts; returns the address. Nil if the card has none from here.
  private func removeAddress(_ position: Int, _ card: Int32) -> IPv4Address? {
    guard let applied = assignments[position].applied, applied.card == card else { return nil }
    interfaces.release(card, cards.name(card), applied.configuration, metric: UInt32(clamping: position))
    assignments[position].applied = nil
    reportHosts()
    return applied.configuration.address
  }

  private func describe(_ name: [UInt8], _ configuration: AddressConfiguration, _ method: AddressMethod) {
    var text = name + [UInt8](" ") + configuration.address.text
    if let mask = configuration.effectiveNetmask {
      text += [UInt8]("/")
      appendDecimal(UInt64(mask.prefixLength), to: &text)
    }
    text += [UInt8](" ") + [UInt8](method.name)
    if let server = configuration.server { text += [UInt8](" from ") + server.text }
    if let gateway = configuration.reachableRoutes.last(where: { $0.mask == .everywhere })?.gateway {
      text += [UInt8](", gateway ") + gateway.text
    }
    if let gateway = configuration.unreachableGateway {
      text += [UInt8](", without the gateway ") + gateway.text + [UInt8](", which is not in this network")
      report(.degraded, "network", text)
    } else {
      report(.ok, "network", text)
    }
  }

  private func reportHosts() {
    switch fixHosts() {
    case .right(let name, _, let changed): if changed { report(.ok, "fix_hosts", name) }
    // The machine's own name must not lead to another machine.
    case .noAddress: NetworkState.write(NetworkState.hosts, nil)
    case .failed(let reason): report(.failed, "fix_hosts", reason)
    }
  }

  /// Follows the given NTP servers, and none when none are given: no server is built in.
  private func keepTime(_ servers: [IPv4Address]) {
    guard !servers.isEmpty, timeService?.servers ?? [] != servers else { return }
    timeService?.child.stop()
    var arguments: [[UInt8]] = [[UInt8]("ntpd"), [UInt8]("-n")]
    for server in servers { arguments += [[UInt8]("-p"), server.text] }
    let child = Child(now: millisecondsSinceStart()) {
      Program("/bin/busybox", arguments: arguments, environment: standardEnvironment())
    }
    timeService = (servers, child)
  }
}
