import Addresses
import ControlChannel
import Testing

@testable import Tunnels

private let low = TunnelPeer(id: 1, address: IPv4Address(10, 0, 0, 1), fingerprint: [UInt8](repeating: 1, count: 32))
private let high = TunnelPeer(id: 2, address: IPv4Address(10, 0, 0, 2), fingerprint: [UInt8](repeating: 2, count: 32))

@Suite struct KeyContextTests {
  @Test("a key's context is these bytes")
  func golden() {
    let context = KeyContext(
      direction: .backward, offeredSPI: 0xC001_D00D, acceptedSPI: 0x0000_0100, counter: 7,
      offering: low.fingerprint, accepting: high.fingerprint)
    let head: [UInt8] = [
      0x01,  // version
      0x02,  // from the one who accepted to the one who offered
      0xC0, 0x01, 0xD0, 0x0D,  // SPI of packets to the one who offered
      0x00, 0x00, 0x01, 0x00,  // SPI of packets to the one who accepted
      0x00, 0x00, 0x00, 0x07,  // the eighth negotiation
    ]
    #expect(context.bytes == head + low.fingerprint + high.fingerprint)
  }
}

@Suite struct TunnelsTests {
  private func machine(_ own: TunnelPeer, _ other: TunnelPeer) -> Tunnels {
    let tunnels = Tunnels(id: own.id, fingerprint: own.fingerprint, seed: UInt64(own.id))
    _ = tunnels.add(other, at: 0)
    return tunnels
  }

  /// `high` offers, and everything goes well.
  private func acceptOffer(_ tunnels: Tunnels) {
    let offer = TunnelOffer(from: 2, to: 1, spi: 256, counter: 0, ciphers: [.aes128GCM])
    _ = tunnels.receive(offer, from: high.fingerprint, address: high.address, over: 2, at: 0)
    _ = tunnels.receiveInstallation(over: 2, isDone: true, at: 1)
    _ = tunnels.receive(.ready, over: 2, at: 2)
    _ = tunnels.receiveInstallation(over: 2, isDone: true, at: 3)
  }

  private func sentOffer(_ effects: [TunnelCommand]) -> TunnelOffer? {
    for case .send(_, .offer(let found)) in effects { return found }
    return nil
  }

  @Test("an ACQUIRE gives one connection, however often it comes")
  func acquire() {
    let tunnels = machine(low, high)
    #expect(tunnels.receiveAcquire(high.address, at: 10) == [.connect(channel: 1, high)])
    #expect(tunnels.receiveAcquire(high.address, at: 20) == [])
    #expect(tunnels.nextDue == 3010)
  }

  @Test("an ACQUIRE for somebody who is no member does nothing")
  func stranger() {
    let tunnels = machine(low, high)
    #expect(tunnels.receiveAcquire(IPv4Address(10, 0, 0, 9), at: 10) == [])
  }

  @Test("failures are followed by longer and longer waits, and the held packet is let go each time")
  func backOff() {
    let tunnels = machine(low, high)
    var now: UInt64 = 1000
    var last: UInt64 = 0
    for attempt in 0..<8 {
      let channel = UInt32(1 + 2 * attempt)
      #expect(tunnels.receiveAcquire(high.address, at: now) == [.connect(channel: channel, high)])
      #expect(
        tunnels.receiveEnd(of: channel, at: now) == [.close(channel: channel), .removeLarval(high.address)])
      // The next packet asks again, and waits for its turn.
      #expect(tunnels.receiveAcquire(high.address, at: now) == [])
      let wait = (tunnels.nextDue ?? 0) - now
      #expect(wait >= min(250 << UInt64(attempt), 15_000) && wait <= 22_500)
      #expect(wait > last || wait >= 15_000)
      last = wait
      now += wait
    }
    #expect(tunnels.failed == 8)
  }

  @Test("the higher id leaves the lower one a moment to begin when they have just met, and no longer")
  func courtesy() {
    let tunnels = machine(high, low)
    #expect(tunnels.receiveAcquire(low.address, at: 10) == [])
    #expect(tunnels.nextDue == 300)
    #expect(tunnels.step(at: 300) == [.connect(channel: 1, low)])
  }

  @Test("of two simultaneous offers the lower id's goes on")
  func simultaneous() throws {
    let first = machine(low, high)
    let second = machine(high, low)
    #expect(first.receiveAcquire(high.address, at: 0) == [.connect(channel: 1, high)])
    #expect(second.receiveAcquire(low.address, at: 0) == [])
    #expect(second.step(at: 300) == [.connect(channel: 1, low)])
    let lows = try #require(sentOffer(first.receiveConnection(1)))
    let highs = try #require(sentOffer(second.receiveConnection(1)))
    #expect(
      first.receive(highs, from: high.fingerprint, address: high.address, over: 2, at: 2)
        == [.send(channel: 2, .refuse(.simultaneous)), .close(channel: 2)])
    let commands = second.receive(lows, from: low.fingerprint, address: low.address, over: 2, at: 2)
    #expect(commands.first == .close(channel: 1))
    guard case .install(2, let keyed) = commands.last else {
      Issue.record("nothing was installed")
      return
    }
    #expect(keyed.count == 1)
    #expect(keyed.first?.context.direction == .forward)
  }

  static let wrongOffers: [(TunnelPeer, TunnelOffer, TunnelRefusal)] = [
    (
      TunnelPeer(id: 3, address: IPv4Address(10, 0, 0, 3), fingerprint: [UInt8](repeating: 3, count: 32)),
      TunnelOffer(from: 3, to: 1, spi: 256, counter: 0, ciphers: [.aes128GCM]), .notMember
    ),
    (high, TunnelOffer(from: 7, to: 1, spi: 256, counter: 0, ciphers: [.aes128GCM]), .notMember),
    (
      TunnelPeer(id: 2, address: IPv4Address(10, 0, 0, 9), fingerprint: high.fingerprint),
      TunnelOffer(from: 2, to: 1, spi: 256, counter: 0, ciphers: [.aes128GCM]), .notMember
    ),
    (high, TunnelOffer(from: 2, to: 5, spi: 256, counter: 0, ciphers: [.aes128GCM]), .wrongNode),
    (high, TunnelOffer(from: 2, to: 1, spi: 256, counter: 0, ciphers: []), .noCommonCipher),
  ]

  @Test("an offer that cannot be accepted is refused for its reason", arguments: wrongOffers.indices)
  func refusals(_ index: Int) {
    let (sender, offer, reason) = TunnelsTests.wrongOffers[index]
    let tunnels = machine(low, high)
    #expect(
      tunnels.receive(offer, from: sender.fingerprint, address: sender.address, over: 2, at: 0)
        == [.send(channel: 2, .refuse(reason)), .close(channel: 2)])
  }

  @Test("a peer that was started anew, left or was removed loses everything at once")
  func gone() throws {
    let tunnels = machine(low, high)
    acceptOffer(tunnels)
    #expect(tunnels.established == 1)
    let there = tunnels.associations
    #expect(there.count == 2)
    let commands = tunnels.add(
      TunnelPeer(id: 2, address: high.address, fingerprint: [UInt8](repeating: 9, count: 32)), at: 4)
    for association in there { #expect(commands.contains(.remove(association))) }
    #expect(commands.last == .removeLarval(high.address))
    #expect(tunnels.associations == [])
  }

  @Test("a peer that only got another id keeps its associations")
  func renamed() {
    let tunnels = machine(low, high)
    acceptOffer(tunnels)
    #expect(tunnels.add(TunnelPeer(id: 9, address: high.address, fingerprint: high.fingerprint), at: 4) == [])
    #expect(tunnels.established == 1)
    #expect(tunnels.peers.map(\.id) == [9])
  }

  @Test("after a crash the newest pair is used on, older ones go, and what nobody knows is removed")
  func resume() {
    func use(_ spi: UInt32, _ direction: TunnelAssociation.Direction, _ address: IPv4Address, _ installed: UInt64)
      -> AssociationUse
    {
      AssociationUse(
        TunnelAssociation(spi: spi, direction: direction, peer: address), packets: 5, installed: installed)
    }
    let tunnels = machine(low, high)
    let stray = use(999, .inbound, IPv4Address(10, 0, 0, 77), 3)
    let old = use(500, .outbound, high.address, 1)
    let commands = tunnels.resume(
      [
        use(300, .inbound, high.address, 1), use(301, .inbound, high.address, 2), old,
        use(501, .outbound, high.address, 2), stray,
      ], at: 100)
    #expect(commands.contains(.remove(old.association)))
    #expect(commands.contains(.remove(stray.association)))
    #expect(commands.contains(.connect(channel: 1, high)))
    #expect(tunnels.established == 1)
    _ = tunnels.receiveEnd(of: 1, at: 101)
    #expect(
      tunnels.step(at: 5100).contains(
        .remove(TunnelAssociation(spi: 300, direction: .inbound, peer: high.address))))
  }

  @Test(
    "of two members with one id for a moment the first keeps its tunnel, and the other has a place when either moves on"
  )
  func sameID() {
    let twin = TunnelPeer(id: 2, address: IPv4Address(10, 0, 0, 3), fingerprint: [UInt8](repeating: 3, count: 32))
    for first in [true, false] {
      let tunnels = machine(low, high)
      #expect(tunnels.add(twin, at: 10) == [])
      #expect(tunnels.peers == [high])
      #expect(!tunnels.hasPlace(for: twin.id, at: twin.address))
      let mover = first ? high : twin
      let moved = TunnelPeer(id: 3, address: mover.address, fingerprint: mover.fingerprint)
      _ = tunnels.add(moved, at: 20)
      #expect(tunnels.peer(3) == moved && tunnels.peer(2) == (first ? nil : high))
      #expect(tunnels.hasPlace(for: twin.id, at: twin.address) == first)
      if first { _ = tunnels.add(twin, at: 30) }
      #expect(tunnels.peer(2) == (first ? twin : high))
    }
  }

  @Test("two members with one address: there is no place for the second until the first is gone")
  func sameAddress() {
    let other = TunnelPeer(id: 3, address: high.address, fingerprint: [UInt8](repeating: 3, count: 32))
    let tunnels = machine(low, high)
    #expect(!tunnels.hasPlace(for: other.id, at: other.address))
    _ = tunnels.remove(high.id)
    #expect(tunnels.hasPlace(for: other.id, at: other.address))
  }

  // MARK: Addresses

  @Test("a peer is found by its address until that is another's or nobody's")
  func addresses() {
    var index = AddressIndex()
    for number in [5, 1, 0xFFFF, 3] as [UInt16] { index.insert(number, at: IPv4Address(bits: UInt32(number) << 16)) }
    #expect(index.id(at: IPv4Address(bits: 1 << 16)) == 1 && index.id(at: IPv4Address(bits: 0xFFFF << 16)) == 0xFFFF)
    #expect(index.id(at: IPv4Address(bits: 2 << 16)) == nil && index.id(at: .unspecified) == nil)
    index.insert(7, at: IPv4Address(bits: 3 << 16))
    #expect(index.id(at: IPv4Address(bits: 3 << 16)) == 7)
    index.remove(IPv4Address(bits: 3 << 16))
    index.remove(IPv4Address(bits: 4 << 16))
    #expect(index.id(at: IPv4Address(bits: 3 << 16)) == nil && index.id(at: IPv4Address(bits: 5 << 16)) == 5)
  }
}
