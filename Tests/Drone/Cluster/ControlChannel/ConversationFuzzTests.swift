import Addresses
import Bytes
import ControlChannel
import Membership
import TestSupport
import Testing
import Tunnels

/// Whoever speaks with a node says anything, in any order, and some of it damaged.
@Suite struct ConversationFuzzTests {
  private static let authority = [UInt8](repeating: 0xC1, count: 32)
  private static let cluster = ClusterIdentifier(bits: 0xC1A0_0102_0304_0506)
  private static let key = [UInt8](repeating: 0xAB, count: 32)

  /// A description of itself by a node with `key`.
  private static let record: [UInt8] = {
    guard let fingerprint = Fingerprint(bytes: key), let mac = MACAddress(bits: 0x5254_0012_3402),
      let addresses = AddressList([IPv4Address(10, 0, 0, 2)])
    else { return [] }
    let record = NodeRecord(fingerprint: fingerprint, mac: mac, addresses: addresses)
    return Membership(record, cluster: cluster, at: 0, seed: 1).ownMap(at: 0)
  }()

  private static let messages: [ControlMessage] = [
    .join(record: record), .pending(fingerprint: key), .refused(reason: [0x4E]),
    .admitted(certificate: [0x30, 1], authority: [0x30]),
    .hello(Hello(cluster: authority, time: 1_700_000_000, record: record)), .mapRequest,
    .map(part: record, isLast: false), .map(part: record, isLast: true),
    .map(part: [UInt8](repeating: 7, count: ControlFrame.mapPartLimit), isLast: false),
    .offer(TunnelOffer(from: 2, to: 1, spi: 0x1000, counter: 1, ciphers: [.chaCha20Poly1305])),
    .accept(TunnelAccept(spi: 0x2000, cipher: .chaCha20Poly1305)), .ready, .refuse(.simultaneous),
    .refuse(.wrongNode), .leave,
  ]
  private static let frames = messages.map { $0.encoded() ?? [] }

  private static func message(_ generator: inout SeededGenerator) -> ControlMessage {
    let place = Int.random(in: 0..<messages.count, using: &generator)
    guard UInt8.random(in: 0..<3, using: &generator) == 0 else { return messages[place] }
    var reader = FrameReader()
    reader.append(frames[place].damaged(&generator))
    return (try? reader.next()) ?? messages[place]
  }

  @Test("whatever is said, a node refuses once, says nothing to strangers but an answer, and is done when it says so")
  func conversations() {
    let fault = Fuzzing.lives(of: 8).firstFault { generator in
      let purposes: [Conversation.Purpose] = [
        .incoming, .incoming, .incoming, .admission, .entry, .reunion, .tunnel(fingerprint: Self.key),
      ]
      let purpose = purposes.randomElement(using: &generator) ?? .incoming
      var conversation =
        purpose == .incoming ? Conversation(incomingAt: 0) : Conversation(purpose, at: 0, patience: 3000)
      let peer = Conversation.Peer(fingerprint: Self.key, isMember: Bool.random(using: &generator))
      let isIn = Bool.random(using: &generator)
      let host = Conversation.Host(
        cluster: Self.authority, identifier: Self.cluster, isInClear: UInt8.random(in: 0..<8, using: &generator) == 0,
        isIn: isIn)
      var steps = conversation.receivePeer(peer)
      var maps = 0
      for _ in 0..<8 {
        let wasOver = conversation.isOver
        let more = conversation.receive(Self.message(&generator), host) { _ in nil }
        if wasOver, !more.isEmpty { return "\(more) after the end" }
        steps += more
      }
      var refusals = 0
      for step in steps {
        switch step {
        case .refuse: refusals += 1
        case .sayMap: maps += 1
        case .merge, .enter, .offer, .believe, .tunnelOpened, .tunnel, .entered:
          if !peer.isMember { return "\(step) for a stranger" }
        default: break
        }
      }
      if refusals > 1 { return "\(refusals) refusals" }
      if refusals > 0, !conversation.isOver { return "refused and not over" }
      if purpose == .incoming, maps > (isIn && peer.isMember ? 1 : 0) { return "\(maps) maps given away" }
      return conversation.nextDue <= Conversation.membersPatience ? nil : "it may last \(conversation.nextDue) ms"
    }
    #expect(fault == nil)
  }

  @Test("whatever a member negotiates, no key is installed twice, and few associations stand at a time")
  func negotiations() {
    let peer = TunnelPeer(id: 2, address: IPv4Address(10, 0, 0, 2), fingerprint: Self.key)
    let fault = Fuzzing.lives(of: 8).firstFault { generator in
      let tunnels = Tunnels(id: 1, fingerprint: [UInt8](repeating: 1, count: 32), seed: generator.next())
      _ = tunnels.add(peer, at: 0)
      var now: UInt64 = 0
      // A member may name one SPI again and again: what must not come back is what a key is made from.
      var installed: Set<KeyContext> = []
      var channels: [UInt32] = [2, 4]
      for _ in 0..<8 {
        now += UInt64.random(in: 0...2000, using: &generator)
        let channel = channels.randomElement(using: &generator) ?? 2
        var commands =
          switch (UInt8.random(in: 0..<8, using: &generator), Self.message(&generator)) {
          case (0, _): tunnels.receiveAcquire(peer.address, at: now)
          case (1, _): tunnels.step(at: now)
          case (2, _): tunnels.receiveEnd(of: channel, at: now)
          case (_, .offer(let offer)):
            tunnels.receive(offer, from: peer.fingerprint, address: peer.address, over: channel, at: now)
          case (_, let message): tunnels.receive(message, over: channel, at: now)
          }
        while let command = commands.popLast() {
          switch command {
          case .connect(let channel, _):
            channels.append(channel)
            commands += tunnels.receiveConnection(channel)
          case .install(let channel, let associations):
            for one in associations {
              if !installed.insert(one.context).inserted { return "installed twice: \(one)" }
            }
            commands += tunnels.receiveInstallation(
              over: channel, isDone: UInt8.random(in: 0..<8, using: &generator) > 0, at: now)
          default: break
          }
        }
        if tunnels.associations.count > 12 { return "\(tunnels.associations.count) associations" }
      }
      return nil
    }
    #expect(fault == nil)
  }
}
