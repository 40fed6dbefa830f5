import Addresses
import ControlChannel
import Testing

@Suite struct MeetingTests {
  static let cases: [(Conversation.Purpose, isMember: Bool, [ConversationCommand])] = [
    (.incoming, true, []),
    (.incoming, false, []),
    (.admission, true, [.sayJoin]),
    (.entry, true, [.sayHello, .say(.mapRequest)]),
    (.reunion, true, [.sayHello, .say(.mapRequest)]),
    (.tunnel(fingerprint: peerKey), true, [.sayHello, .tunnelOpened]),
    (.tunnel(fingerprint: otherKey), true, [.refuse(.unexpected)]),
    (.tunnel(fingerprint: peerKey), false, [.refuse(.unexpected)]),
  ]

  @Test("whoever made a connection speaks first, and to nobody but whom it was made for", arguments: cases.indices)
  func met(_ index: Int) {
    let (purpose, isMember, steps) = MeetingTests.cases[index]
    var conversation =
      purpose == .incoming ? Conversation(incomingAt: 0) : Conversation(purpose, at: 0, patience: 3000)
    #expect(conversation.receivePeer(Conversation.Peer(fingerprint: peerKey, isMember: isMember)) == steps)
    #expect(conversation.receivePeer(member) == [])
  }

  @Test("nothing counts before the other side has proved who it is")
  func unknown() throws {
    var conversation = Conversation(incomingAt: 0)
    #expect(conversation.receive(try hello()) == [])
    #expect(conversation.receive(.join(record: try description())) == [])
    #expect(conversation.greeting == nil)
  }

  @Test("a stranger has 10 s to prove a membership and to say what it wants, a member 20 s from the start")
  func deadlines() throws {
    var conversation = Conversation(incomingAt: 1000)
    #expect(conversation.nextDue == 11_000)
    _ = conversation.receivePeer(stranger)
    #expect(conversation.nextDue == 11_000)
    conversation = Conversation(incomingAt: 1000)
    _ = conversation.receivePeer(member)
    // Its certificate stands, and it may have been removed all the same.
    #expect(conversation.nextDue == 11_000)
    _ = try conversation.receive(hello())
    #expect(conversation.nextDue == 21_000)
    #expect(Conversation(.entry, at: 1000, patience: 3000).nextDue == 4000)
  }

  @Test("a certificate alone allows no long message: only a hello that is accepted does, and whom this node asked may")
  func frameLimit() throws {
    var conversation = Conversation(incomingAt: 0)
    #expect(conversation.frameLimit == ControlFrame.strangerLimit)
    _ = conversation.receivePeer(member)
    #expect(conversation.frameLimit == ControlFrame.strangerLimit)
    var removed = conversation
    #expect(removed.receive(try hello(), host()) { _ in .removed } == [.refuse(.removed)])
    #expect(removed.frameLimit == ControlFrame.strangerLimit)
    _ = conversation.receive(try hello())
    #expect(conversation.frameLimit == ControlFrame.memberLimit)
    #expect(fresh(.incoming, with: stranger).frameLimit == ControlFrame.strangerLimit)
    #expect(fresh(.entry).frameLimit == ControlFrame.memberLimit)
    #expect(fresh(.admission).frameLimit == ControlFrame.memberLimit)
  }

  @Test("what lasts too long is given up without a word, once")
  func late() {
    var conversation = Conversation(.entry, at: 1000, patience: 3000)
    #expect(conversation.step(at: 3999) == [])
    #expect(conversation.step(at: 4000) == [.drop])
    #expect(conversation.step(at: 5000) == [] && conversation.receivePeer(member) == [])
  }
}

/// Somebody whose key nobody has certified.
@Suite struct StrangerTests {
  @Test("a stranger may say one thing, the request to join, and with its own record alone")
  func join() throws {
    var conversation = fresh(.incoming, with: stranger)
    let steps = conversation.receive(.join(record: try description()))
    guard case .admit(let record)? = steps.first, steps.count == 1 else {
      Issue.record("\(steps)")
      return
    }
    #expect(record.fingerprint.bytes == peerKey)
    #expect(conversation.isOver)
    #expect(conversation.receive(.join(record: try description())) == [])
  }

  static func others() throws -> [(ControlMessage, Objection)] {
    [
      (try hello(), .unexpected),
      (.mapRequest, .unexpected),
      (.map(part: [1], isLast: true), .unexpected),
      (.offer(offer), .unexpected),
      (.accept(TunnelAccept(spi: 256, cipher: .aes128GCM)), .unexpected),
      (.ready, .unexpected),
      (.refuse(.kernel), .unexpected),
      (.leave, .unexpected),
      (.pending(fingerprint: peerKey), .unexpected),
      (.refused(reason: []), .unexpected),
      (.admitted(certificate: [], authority: []), .unexpected),
      (.join(record: []), .otherKey),
      (.join(record: [1, 2, 3]), .otherKey),
      (.join(record: try description(of: otherKey)), .otherKey),
      (.join(record: try description(cluster: .init(bits: 1))), .otherKey),
      // Two records where one is asked for.
      (.join(record: try description() + description().dropFirst(10)), .otherKey),
      (.join(record: try description(isInClear: true)), .otherProtection(isInClear: false)),
    ]
  }

  @Test("everything else that a stranger says ends the connection and is counted")
  func refused() throws {
    for (message, objection) in try StrangerTests.others() {
      var conversation = fresh(.incoming, with: stranger)
      #expect(conversation.receive(message) == [.refuse(objection)], "\(message)")
      #expect(conversation.isOver)
      #expect(conversation.receive(.join(record: try description())) == [])
    }
    var conversation = fresh(.incoming, with: stranger)
    #expect(conversation.receiveNonsense() == [.refuse(.unreadable)])
    #expect(conversation.receiveNonsense() == [])
  }

  @Test("a removed node does not even wait")
  func removed() throws {
    var conversation = fresh(.incoming, with: stranger)
    let steps = conversation.receive(.join(record: try description()), host()) {
      $0.fingerprint.bytes == peerKey ? .removed : nil
    }
    #expect(steps == [.refuse(.removed)])
  }

  @Test(
    "whoever has another machine's hardware address is told so: as a stranger, as a member, and by itself when it joins"
  )
  func sameHardware() throws {
    let clone = Objection.sameHardware(.broadcast, IPv4Address(10, 1, 0, 5))
    var joiner = fresh(.incoming, with: stranger)
    #expect(joiner.receive(.join(record: try description()), host()) { _ in clone } == [.refuse(clone)])
    var came = fresh(.incoming)
    #expect(came.receive(try hello(), host()) { _ in clone } == [.refuse(clone)])
    var entering = fresh(.entry)
    #expect(entering.receive(try hello(), host(isIn: false)) { _ in clone } == [.giveUp(clone.sentence)])
    // A member that was greeted goes on: the others settle what they hear of it.
    var greeted = fresh(.incoming)
    _ = greeted.receive(try hello())
    #expect(greeted.receive(.mapRequest, host()) { _ in clone } == [.sayMap])
  }

  @Test(
    "a stranger gets no further where this node made the connection",
    arguments: [.entry, .reunion, .admission] as [Conversation.Purpose])
  func outgoing(_ purpose: Conversation.Purpose) throws {
    var conversation = fresh(purpose, with: stranger)
    #expect(conversation.receive(try hello()) == [.refuse(.unexpected)])
  }
}

/// A member that came.
@Suite struct MemberTests {
  private func greeted() throws -> Conversation {
    var conversation = fresh(.incoming)
    #expect(conversation.receive(try hello()) == [.establish, .believe(seconds: 1_700_000_000), .sayHello])
    return conversation
  }

  @Test("a member says hello before anything else")
  func first() throws {
    for message in [
      .mapRequest, .map(part: [], isLast: true), .offer(offer), .ready, .leave, .join(record: []),
    ] as [ControlMessage] {
      var conversation = fresh(.incoming)
      #expect(conversation.receive(message) == [.refuse(.noHello)], "\(message)")
    }
  }

  static func greetings() throws -> [(ControlMessage, Objection)] {
    [
      (try hello(cluster: otherKey), .otherCluster),
      (try hello(of: otherKey), .otherKey),
      (.hello(Hello(cluster: authority, time: 0, record: [])), .otherKey),
      (try hello(isInClear: true), .otherProtection(isInClear: false)),
    ]
  }

  @Test("a member that says hello wrongly is refused for what is wrong")
  func wrong() throws {
    for (message, objection) in try MemberTests.greetings() {
      var conversation = fresh(.incoming)
      #expect(conversation.receive(message) == [.refuse(objection)], "\(message)")
      #expect(conversation.greeting == nil)
    }
    var conversation = fresh(.incoming)
    #expect(conversation.receive(try hello(), host()) { _ in .removed } == [.refuse(.removed)])
    conversation = try greeted()
    #expect(conversation.receive(try hello()) == [.refuse(.unexpected)])
    // A removal comes into force while a connection is open, too.
    for message in [ControlMessage.map(part: [7], isLast: true), .mapRequest, .offer(offer), try hello()] {
      conversation = try greeted()
      #expect(
        conversation.receive(message, host()) { $0.fingerprint.bytes == peerKey ? .removed : nil } == [
          .refuse(.removed)
        ])
    }
  }

  static func answers() throws -> [(ControlMessage, [ConversationCommand])] {
    [
      (.mapRequest, [.sayMap]),
      (.map(part: [7, 8], isLast: true), [.merge(map: [7, 8]), .say(.ready)]),
      (.map(part: [7, 8], isLast: false), []),
      (.offer(offer), [.offer(offer, record: try description())]),
      (
        .accept(TunnelAccept(spi: 256, cipher: .aes128GCM)),
        [.tunnel(.accept(TunnelAccept(spi: 256, cipher: .aes128GCM)))]
      ),
      (.ready, [.tunnel(.ready)]),
      (.refuse(.kernel), [.tunnel(.refuse(.kernel))]),
      (.join(record: []), [.confirm]),
      (.leave, [.close]),
      (.pending(fingerprint: peerKey), [.refuse(.unexpected)]),
      (.refused(reason: []), [.refuse(.unexpected)]),
      (.admitted(certificate: [], authority: []), [.refuse(.unexpected)]),
    ]
  }

  @Test("what a member says after its hello leads to this")
  func answers() throws {
    for (message, steps) in try MemberTests.answers() {
      var conversation = try greeted()
      #expect(conversation.receive(message) == steps, "\(message)")
    }
  }

  @Test("the map is given once, and not by a node that is still joining")
  func mapOnce() throws {
    var conversation = try greeted()
    #expect(conversation.receive(.mapRequest) == [.sayMap])
    #expect(conversation.receive(.mapRequest) == [.refuse(.unexpected)])
    conversation = try greeted()
    #expect(conversation.receive(.mapRequest, host(isIn: false)) == [.refuse(.notIn)])
  }

  @Test("a map comes in parts, and one that is longer than any ends the connection")
  func parts() throws {
    var conversation = try greeted()
    #expect(conversation.receive(.map(part: [1, 2], isLast: false)) == [])
    #expect(conversation.receive(.map(part: [3], isLast: true)) == [.merge(map: [1, 2, 3]), .say(.ready)])
    let part = [UInt8](repeating: 0, count: ControlFrame.mapPartLimit)
    var steps: [ConversationCommand] = []
    for _ in 0..<100 where steps.isEmpty { steps = conversation.receive(.map(part: part, isLast: false)) }
    #expect(steps == [.refuse(.tooMuch)])
    #expect(conversation.isOver)
  }
}

/// Encrypted or not: both sides must say the same.
@Suite struct ProtectionTests {
  static let modes: [(own: Bool, other: Bool)] = [(false, false), (false, true), (true, false), (true, true)]

  @Test(
    "nodes of which one runs with -c off refuse each other, whoever came and at whatever step", arguments: modes.indices
  )
  func refused(_ index: Int) throws {
    let (own, other) = ProtectionTests.modes[index]
    let here = host(isInClear: own)
    let objection = ConversationCommand.refuse(.otherProtection(isInClear: own))
    var joiner = fresh(.incoming, with: stranger)
    let asked = joiner.receive(.join(record: try description(isInClear: other)), here)
    var came = fresh(.incoming)
    let greeted = came.receive(try hello(isInClear: other), here)
    var met = fresh(.reunion)
    let again = met.receive(try hello(isInClear: other), here)
    var wanted = fresh(.tunnel(fingerprint: peerKey))
    let answered = wanted.receive(try hello(isInClear: other), here)
    if own == other {
      #expect(![asked, greeted, again, answered].contains { $0.contains(objection) })
      #expect(came.greeting != nil)
    } else {
      #expect([asked, greeted, again, answered] == [[objection], [objection], [objection], [objection]])
      #expect(came.greeting == nil && came.isOver)
    }
  }

  @Test(
    "a joiner stops, and says why, when the member's hello shows that it is of the other kind",
    arguments: [false, true])
  func joiner(_ isInClear: Bool) throws {
    var conversation = fresh(.entry)
    let steps = conversation.receive(try hello(isInClear: !isInClear), host(isInClear: isInClear, isIn: false))
    #expect(steps == [.giveUp(Objection.otherProtection(isInClear: !isInClear).sentence)])
    #expect(conversation.isOver)
  }

  @Test("the sentence that the refused one reads is about it, the one in the log about the other")
  func sentences() {
    let demands = Objection.otherProtection(isInClear: false)
    #expect(
      String(decoding: demands.sentence, as: UTF8.self)
        == "the node there demands IPsec and this one runs with -c off; start this one without it")
    #expect(String(decoding: demands.note, as: UTF8.self) == "runs with -c off and was refused")
    let clear = Objection.otherProtection(isInClear: true)
    #expect(
      String(decoding: clear.sentence, as: UTF8.self)
        == "the node there runs with -c off, in clear, and this one demands IPsec; start both alike")
  }
}

/// The connections that this node makes.
@Suite struct OwnConnectionTests {
  @Test("a request to be admitted is answered once, by one of three")
  func admission() throws {
    let other = [UInt8]("it answers with something else".utf8)
    let cases: [(ControlMessage, [ConversationCommand])] = [
      (.pending(fingerprint: peerKey), [.wait(fingerprint: peerKey), .close]),
      (.admitted(certificate: [1], authority: [2]), [.admitted(certificate: [1], authority: [2]), .close]),
      (.refused(reason: [0x6E, 0x6F]), [.giveUp([0x6E, 0x6F]), .close]),
      (.ready, [.giveUp(other), .close]),
      (.mapRequest, [.giveUp(other), .close]),
    ]
    for (message, steps) in cases {
      var conversation = fresh(.admission)
      #expect(conversation.receive(message) == steps)
      #expect(conversation.receive(message) == [])
    }
  }

  @Test("a joiner that is let in hears hello, the map, and ready")
  func entry() throws {
    var conversation = fresh(.entry)
    #expect(conversation.receive(try hello(), host(isIn: false)) == [.believe(seconds: 1_700_000_000)])
    #expect(conversation.receive(.map(part: [1], isLast: false), host(isIn: false)) == [])
    #expect(
      conversation.receive(.map(part: [2], isLast: true), host(isIn: false)) == [.enter(map: [1, 2]), .sayOwnMap])
    #expect(conversation.receive(.ready, host(isIn: false)) == [.close, .entered])
    #expect(conversation.isOver)
  }

  @Test("a joiner takes a refusal at any time, and no map from who has not said who it is")
  func entryRefused() throws {
    var conversation = fresh(.entry)
    #expect(conversation.receive(.refused(reason: [0x6E, 0x6F])) == [.giveUp([0x6E, 0x6F]), .close])
    for message in [.map(part: [1], isLast: true), .ready] as [ControlMessage] {
      conversation = fresh(.entry)
      #expect(conversation.receive(message) == [.refuse(.noHello)])
    }
    conversation = fresh(.entry)
    _ = conversation.receive(try hello())
    #expect(conversation.receive(.offer(offer)) == [.giveUp([UInt8]("it answers with something else".utf8)), .close])
  }

  @Test("two halves that meet again give each other their maps, after hello, and objections go with the second")
  func reunion() throws {
    var conversation = fresh(.reunion)
    _ = conversation.receive(try hello())
    #expect(conversation.receive(.map(part: [1], isLast: true)) == [.merge(map: [1]), .sayMap])
    #expect(conversation.receive(.ready) == [.close])
    conversation = fresh(.reunion)
    #expect(conversation.receive(.map(part: [1], isLast: true)) == [.close])
  }

  @Test("what comes over a tunnel's connection is the tunnel's")
  func tunnel() throws {
    var conversation = fresh(.tunnel(fingerprint: peerKey))
    #expect(conversation.receive(try hello()) == [.believe(seconds: 1_700_000_000)])
    #expect(conversation.receive(.ready) == [.tunnel(.ready)])
    #expect(conversation.receive(.refuse(.simultaneous)) == [.tunnel(.refuse(.simultaneous))])
  }
}
