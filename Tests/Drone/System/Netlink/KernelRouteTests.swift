import Addresses
import Glibc
import Linux
import Netlink
import TestSupport
import Testing

/// What the kernel makes of our requests, as iproute2 sees it, and what our reader makes of what iproute2 did.
@Suite(.enabled(if: NetworkThread.isPossible, "needs root, iproute2 and nftables"))
struct KernelRouteTests {
  @Test("an address, a default route and an MTU that we set are what ip(8) shows; removed, they are gone")
  func configure() throws {
    let network = try NetworkThread()
    try network.command("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other")
    try network.command("ip", "link", "set", "other", "up")
    let mask = try #require(Netmask(prefixLength: 24))
    try network.run {
      var socket = try NetlinkSocket(.route)
      let card = try #require(try socket.links().first { $0.name == Array("eth0".utf8) })
      #expect(card.isEthernet && !card.isUp && !card.hasCarrier && card.address != nil && card.mtu == 1500)
      try socket.perform(.setLink(index: card.index, mtu: 1400))
      try socket.perform(.setLink(index: card.index, up: true))
      let address = InterfaceAddress(
        interface: card.index, address: IPv4Address(192, 168, 1, 21), mask: mask,
        broadcast: IPv4Address(192, 168, 1, 255), label: Array("eth0".utf8))
      try socket.perform(.add(address))
      try socket.perform(.replace(.standard(gateway: IPv4Address(192, 168, 1, 1), interface: card.index)))
      try socket.perform(.replace(.standard(gateway: IPv4Address(192, 168, 1, 2), interface: card.index)))
      let up = try #require(try socket.links().first { $0.index == card.index })
      #expect(up.isUp && up.hasCarrier && up.mtu == 1400)
      #expect(try socket.addresses().filter { $0.interface == card.index } == [address])
      #expect(try socket.routes().filter(\.isDefault).map(\.gateway) == [IPv4Address(192, 168, 1, 2)])
    }
    let link = try network.command("ip", "-o", "address", "show", "dev", "eth0")
    #expect(link.contains("inet 192.168.1.21/24 brd 192.168.1.255 scope global eth0"))
    #expect(try network.command("ip", "-o", "link", "show", "eth0").contains("mtu 1400"))
    let routes = try network.command("ip", "route", "show", "default")
    #expect(routes.trimmingPrefix { $0 == " " }.hasPrefix("default via 192.168.1.2 dev eth0"))
    #expect(!routes.contains("192.168.1.1 "))

    try network.run {
      var socket = try NetlinkSocket(.route)
      let card = try #require(try socket.links().first { $0.name == Array("eth0".utf8) })
      try socket.perform(.remove(.standard(gateway: IPv4Address(192, 168, 1, 2), interface: card.index)))
      for address in try socket.addresses() { try socket.perform(.remove(address)) }
      try socket.perform(.setLink(index: card.index, up: false))
    }
    #expect(try network.command("ip", "-4", "route").isEmpty)
    #expect(try network.command("ip", "-4", "address").isEmpty)
  }

  @Test("a link gets the name that it is given, and for %d the lowest number that is free")
  func rename() throws {
    let network = try NetworkThread()
    try network.command("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other")
    try network.run {
      var socket = try NetlinkSocket(.route)
      let links = try socket.links()
      let card = try #require(links.first { $0.name == Array("eth0".utf8) })
      let other = try #require(links.first { $0.name == Array("other".utf8) })
      try socket.perform(.setLink(index: card.index, name: Array("a name of 15 b".utf8.map { $0 == 32 ? 95 : $0 })))
      try socket.perform(.setLink(index: other.index, name: Array("eth%d".utf8)))
      try socket.perform(.setLink(index: card.index, name: Array("eth%d".utf8)))
      #expect(throws: (any Error).self) {
        try socket.perform(.setLink(index: card.index, name: Array("eth0".utf8)))
      }
    }
    let names = try network.command("ip", "-br", "link").split(separator: "\n").map {
      $0.prefix { $0 != "@" && $0 != " " }
    }
    #expect(names.filter { $0.hasPrefix("eth") }.sorted() == ["eth0", "eth1"])
  }

  @Test("what the kernel refuses is an error with its number and its words")
  func refused() throws {
    try NetworkThread().run {
      var socket = try NetlinkSocket(.route)
      do {
        try socket.perform(.setLink(index: 99, up: true))
        Issue.record("not refused")
      } catch NetlinkSocketError.refused(let failure, _) {
        #expect(failure.number == 19)  // ENODEV
      }
      do {
        try socket.perform(.replace(.standard(gateway: IPv4Address(10, 0, 0, 1), interface: 1)))
        Issue.record("not refused")
      } catch NetlinkSocketError.refused(let failure, _) {
        #expect(failure.number == 101)  // ENETUNREACH
        #expect(!failure.explanation.isEmpty)
      }
    }
  }

  @Test("addresses set by hand and cables pulled out are heard of")
  func events() throws {
    let network = try NetworkThread()
    try network.command("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other")
    try network.command("ip", "link", "set", "eth0", "up")
    try network.run {
      let listener = try NetlinkSocket(.route, groups: RouteGroups.links.union(.addresses).rawValue)
      #expect(try listener.routeEvents(within: 0).isEmpty)
      _ = network
      var heard: [RouteMessage] = []
      func listen(until wanted: (RouteMessage) -> Bool) throws -> Bool {
        for _ in 0..<20 {
          let events = try listener.routeEvents(within: 500)
          heard += events
          if events.contains(where: wanted) { return true }
        }
        return false
      }
      let other = try #require(try links().first { $0.name == Array("other".utf8) })
      let card = try #require(try links().first { $0.name == Array("eth0".utf8) })
      var socket = try NetlinkSocket(.route)
      try socket.perform(.setLink(index: other.index, up: true))
      #expect(
        try listen { if case .link(let link) = $0 { link.index == card.index && link.hasCarrier } else { false } })
      let address = InterfaceAddress(
        interface: card.index, address: IPv4Address(10, 0, 0, 1), mask: .host, broadcast: nil)
      try socket.perform(.add(address))
      #expect(try listen { if case .address(let new) = $0 { new.address == address.address } else { false } })
      try socket.perform(.remove(address))
      #expect(try listen { if case .addressRemoved(let old) = $0 { old.address == address.address } else { false } })
      try socket.perform(.setLink(index: other.index, up: false))
      #expect(
        try listen { if case .link(let link) = $0 { link.index == card.index && !link.hasCarrier } else { false } })
    }
  }

  @Test("all that has come is taken at once; that some of it was lost is told, once")
  func lostEvents() throws {
    try NetworkThread().run {
      let listener = try NetlinkSocket(.route, groups: RouteGroups.addresses.rawValue)
      func taken() -> (count: Int, isWhole: Bool) {
        var count = 0
        let isWhole = listener.takeEvents { _ in count += 1 }
        return (count, isWhole)
      }
      var socket = try NetlinkSocket(.route)
      func addAndRemove(_ rounds: Int) throws {
        let address = InterfaceAddress(
          interface: 1, address: IPv4Address(10, 0, 0, 1), mask: .host, broadcast: nil)
        for _ in 0..<rounds {
          try socket.perform(.add(address))
          try socket.perform(.remove(address))
        }
      }
      #expect(taken() == (0, true))
      try addAndRemove(10)
      #expect(taken() == (20, true))
      // A hundred times what there is room for.
      try addAndRemove(20_000)
      var turns = 0
      var lost = 0
      while case let (count, isWhole) = taken(), count > 0 {
        turns += 1
        if !isWhole { lost += 1 }
        try #require(turns < 1000)
      }
      #expect(turns > 1 && lost == 1, "in \(turns) turns")
      try addAndRemove(1)
      #expect(taken() == (2, true))
    }
  }

  @Test("a raw frame sent on one card comes in on the other, and is not heard by its sender")
  func frames() throws {
    let network = try NetworkThread()
    try network.command("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other")
    for name in ["eth0", "other"] { try network.command("ip", "link", "set", name, "up") }
    try network.run {
      let index = { (name: String) in try #require(try links().first { $0.name == Array(name.utf8) }).index }
      // A card with carrier takes frames a moment before it sends them: what it is given until then is lost.
      for _ in 0..<100 where try links().contains(where: { $0.isEthernet && $0.state != .up }) { usleep(20_000) }
      let sender = try PacketSocket(interface: try index("eth0"), .rarp)
      let receiver = try PacketSocket(interface: try index("other"), .rarp)
      let frame: [UInt8] =
        [UInt8](repeating: 0xFF, count: 6)  // to everybody
        + [2, 0, 0, 0, 0, 1]  // from
        + [0x80, 0x35]  // RARP
        + [UInt8](0..<46)
      try sender.send(frame)
      #expect(waitReadable([receiver.descriptor], milliseconds: 2000) == [true])
      #expect(try receiver.receive() == frame)
      #expect(try receiver.receive() == nil)
      #expect(try sender.receive() == nil)
    }
  }

  @Test("a packet socket for one sender of ARP packets is not woken by any other")
  func oneSender() throws {
    let network = try NetworkThread()
    try network.command("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other")
    for name in ["eth0", "other"] { try network.command("ip", "link", "set", name, "up") }
    try network.run {
      let index = { (name: String) in try #require(try links().first { $0.name == Array(name.utf8) }).index }
      for _ in 0..<100 where try links().contains(where: { $0.isEthernet && $0.state != .up }) { usleep(20_000) }
      let sender = try PacketSocket(interface: try index("eth0"), .nothing)
      let receiver = try PacketSocket(
        interface: try index("other"), .arp, sender: IPv4Address(192, 168, 1, 21))
      func packet(_ address: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0xFF, count: 6) + [2, 0, 0, 0, 0, 1, 0x08, 0x06]  // to everybody, from, ARP
          + [0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1] + address  // a reply of this card and this address
          + [UInt8](repeating: 0, count: 28)
      }
      try sender.send(packet([192, 168, 1, 22]))
      try sender.send(packet([192, 168, 1, 21]))
      #expect(waitReadable([receiver.descriptor], milliseconds: 2000) == [true])
      #expect(try receiver.receive() == packet([192, 168, 1, 21]))
      #expect(try receiver.receive() == nil)
    }
  }
}

private func links() throws -> [Link] {
  var socket = try NetlinkSocket(.route)
  return try socket.links()
}
