import Addresses
import ControlChannel
import DroneLayout
import LocalOrders
import Membership
import Testing
import Tunnels

@testable import NodeCore

@Suite struct NodeCoreTests {
  // MARK: The kernel

  @Test("a member gets its policy, then its place in the filter, and only then may have a tunnel")
  func order() {
    var node = Sample()
    var asked: [NodeCommand] = []
    for command in node.core.resume(map: Sample.map([Sample.record(2)]), at: node.now) ?? [] {
      guard case .admit(let ticket, let changes) = command else { continue }
      #expect(changes == [.require(IPv4Address(10, 0, 0, 2)), .permit(IPv4Address(10, 0, 0, 2))])
      asked += node.core.receiveQuestionForKeys(to: IPv4Address(10, 0, 0, 2), at: node.now)
      #expect(asked == [])
      node.perform(node.core.receiveAdmission(ticket, isDone: true, at: node.now))
    }
    asked = node.core.receiveQuestionForKeys(to: IPv4Address(10, 0, 0, 2), at: node.now)
    #expect(asked == [.connect(channel: 1, IPv4Address(10, 0, 0, 2))])
  }

  @Test("a member of which the kernel refuses something gets no tunnel")
  func refusedAdmission() {
    var node = Sample()
    node.refuses = { $0 == .require(IPv4Address(10, 0, 0, 2)) }
    node.learn(Sample.record(2), Sample.record(3))
    #expect(node.core.peers.tunnels.peers.map(\.id) == [3])
    #expect(node.core.receiveQuestionForKeys(to: IPv4Address(10, 0, 0, 2), at: node.now) == [])
  }

  @Test("an admission that is answered after its member has gone makes no tunnel")
  func lateAdmission() {
    let node = Sample()
    let commands = node.core.resume(map: Sample.map([Sample.record(2)]), at: node.now) ?? []
    _ = node.core.membership.remove(2, at: node.now)
    node.core.perform([.report(.removed(Sample.record(2)))], at: node.now)
    _ = node.core.finish()
    for case .admit(let ticket, _) in commands {
      #expect(node.core.receiveAdmission(ticket, isDone: true, at: node.now) == [])
    }
    #expect(node.core.peers.tunnels.peers.isEmpty)
  }

  @Test("a member with a new address has its new place before it loses the old one")
  func memberMoves() {
    var node = Sample()
    node.learn(Sample.record(2))
    node.done = []
    var moved = Sample.record(2, address: IPv4Address(10, 0, 0, 22))
    moved.incarnation = 2
    node.learn(moved)
    #expect(node.kernel == ["require 22", "permit 22"])
    #expect(node.kept == [2])
    #expect(node.core.peers.tunnels.peers.map(\.address) == [IPv4Address(10, 0, 0, 22)])
  }

  @Test("an address that another member has taken over stays demanded")
  func heir() {
    var node = Sample()
    node.learn(Sample.record(2), Sample.record(3))
    node.done = []
    // A new card in the computer that was node 2: another MAC at its address.
    node.learn(Sample.record(4, address: IPv4Address(10, 0, 0, 2)))
    node.order("remove 2\n")
    #expect(!node.kernel.contains("release 2"))
    #expect(!node.kernel.contains("forbid 2"))
  }

  @Test("a node with a new address of its own demands ESP by it before it lets go of the old one")
  func ownAddress() {
    var node = Sample()
    node.learn(Sample.record(2))
    node.done = []
    let address = IPv4Address(10, 0, 0, 99)
    node.perform(node.core.receiveAddress(address, all: [.ipv4(address)], at: node.now))
    #expect(node.kernel == ["follow 99", "require 2", "permit 2", "release [2] of 1"])
    #expect(node.core.peers.own == address)
    #expect(node.core.receiveAddress(address, all: [.ipv4(address)], at: node.now) == [])
  }

  @Test(
    "a full Linux cuts a member's other addresses off, and lets go of them with the member", arguments: [false, true])
  func others(_ cutsOff: Bool) {
    var node = Sample(cutsOff: cutsOff, keepFor: 0)
    var record = Sample.record(2)
    record.addresses = AddressList([IPv4Address(10, 0, 0, 2), IPv4Address(192, 168, 7, 2)])!
    node.learn(record)
    node.order("remove 2\n")
    let expected =
      cutsOff
      ? ["require 2", "permit 2", "cut off 1", "restore 1", "forbid 2", "release 2"]
      : ["require 2", "permit 2", "forbid 2", "release 2"]
    #expect(node.kernel == expected)
  }

  @Test("at its end a node takes everything of its peers out of the kernel")
  func end() {
    var node = Sample()
    node.learn(Sample.record(2), Sample.record(3))
    node.done = []
    node.perform(node.core.end())
    #expect(node.kernel.sorted() == ["forbid 2", "forbid 3", "release 2", "release 3"])
  }

  // MARK: Datagrams

  @Test("what comes from an address of which no ESP is demanded is nobody's word", arguments: [true, false])
  func strangers(_ isFromPort: Bool) {
    var node = Sample()
    #expect(node.core.receive([1, 2, 3], from: IPv4Address(10, 0, 0, 2), isFromPort: isFromPort, at: node.now) == [])
    #expect(node.core.refusals.strangers == 1)
    #expect(node.core.membership.counters.malformed == 0)
    node.learn(Sample.record(2))
    _ = node.core.receive([1, 2, 3], from: IPv4Address(10, 0, 0, 2), isFromPort: isFromPort, at: node.now)
    #expect(node.core.membership.counters.malformed == (isFromPort ? 1 : 0))
    // In clear, from a member's address, to where no policy stands before it.
    for destination in [IPv4Address(255, 255, 255, 255), IPv4Address(10, 0, 0, 255), IPv4Address(172, 16, 0, 1)] {
      let strangers = node.core.refusals.strangers
      #expect(
        node.core.receive(
          [1, 2, 3], from: IPv4Address(10, 0, 0, 2), isFromPort: isFromPort, to: destination, at: node.now) == [])
      #expect(node.core.refusals.strangers == strangers + 1)
    }
  }

  // MARK: Who is admitted

  enum Operator: CaseIterable { case silent, approves, opensWindow, hasNoKey, hasRemovedIt }

  @Test("a stranger is certified only by a node that may and whose operator wants it", arguments: Operator.allCases)
  func admission(_ who: Operator) throws {
    var node = Sample(canCertify: who != .hasNoKey)
    let stranger = Sample.record(9)
    func say(_ text: String) {
      let number = node.core.receiveOrderer(user: 0, at: node.now)
      node.perform(node.core.receive([UInt8](text.utf8), fromOrder: number ?? 0, at: node.now))
    }
    switch who {
    case .silent, .hasNoKey: break
    case .approves:
      let digits = stranger.fingerprint.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
      say("approve \(digits)\n")
    case .opensWindow: say("window 5\n")
    case .hasRemovedIt:
      node.learn(stranger)
      say("remove 9\n")
    }
    node.done = []
    let (accepted, _) = node.core.receiveConnection(from: IPv4Address(10, 0, 0, 9), at: node.now)
    let channel = try #require(accepted)
    let peer = Conversation.Peer(fingerprint: stranger.fingerprint.bytes, isMember: false)
    node.perform(node.core.receivePeer(peer, over: channel, at: node.now))
    let own = Membership(stranger, cluster: node.core.membership.cluster, at: 0, seed: 3).ownMap(at: 0)
    node.perform(node.core.receive(.join(record: own), over: channel, at: node.now))
    let isCertified = node.done.contains(.certify(channel: channel))
    #expect(isCertified == (who == .approves || who == .opensWindow), "\(node.done)")
    if who == .silent {
      #expect(node.done.contains(.say(channel: channel, .pending(fingerprint: stranger.fingerprint.bytes))))
    }
    if isCertified {
      #expect(
        node.core.receiveCertificate(([1], [2]), isNew: true, over: channel, at: node.now)
          == [
            .report(.admitted(IPv4Address(10, 0, 0, 9), key: stranger.fingerprint.bytes)),
            .say(channel: channel, .admitted(certificate: [1], authority: [2])), .close(channel: channel),
          ])
    } else if who != .silent {
      #expect(node.done.contains { if case .say(_, .refused) = $0 { true } else { false } })
    }
  }

  @Test("an offer by a member of which this node has not heard yet waits for that member's policy")
  func earlyOffer() throws {
    var node = Sample()
    node.receiveOffer(of: Sample.record(2), from: IPv4Address(10, 0, 0, 2))
    let places = node.done.indices.filter {
      switch node.done[$0] {
      case .admit, .install: true
      default: false
      }
    }
    #expect(places.count == 2)
    if case .admit = node.done[places[0]], case .install = node.done[places[1]] {
    } else {
      Issue.record("\(node.done)")
    }
    #expect(node.done.contains { if case .say(_, .accept) = $0 { true } else { false } })
  }

  @Test("the connections of a node that is removed end at once, and no others")
  func removedCalls() throws {
    var node = Sample()
    node.learn(Sample.record(2), Sample.record(3))
    node.receiveOffer(of: Sample.record(2), from: IPv4Address(10, 0, 0, 2))
    node.receiveOffer(of: Sample.record(3), from: IPv4Address(10, 0, 0, 3))
    node.done = []
    node.order("remove 2\n")
    let dropped = node.done.compactMap { if case .drop(let channel) = $0 { channel } else { nil } }
    #expect(dropped == [2])
    node.done = []
    node.perform(node.core.receive(.mapRequest, over: 2, at: node.now))
    #expect(node.done.isEmpty)
    node.perform(node.core.receive(.mapRequest, over: 4, at: node.now))
    #expect(node.done.contains { if case .say(4, .map) = $0 { true } else { false } })
  }

  @Test("of two maps that one member sends at a time only the newer is put together; another member's is not touched")
  func maps() {
    var node = Sample()
    node.learn(Sample.record(2), Sample.record(3))
    for (number, times) in [(2, 2), (3, 1)] as [(UInt8, Int)] {
      for _ in 0..<times {
        node.receiveOffer(of: Sample.record(number), from: IPv4Address(10, 0, 0, number))
      }
    }
    #expect(node.core.calls.channels == [2, 4, 6])
    node.done = []
    for channel in [2, 6, 4] as [UInt32] {
      node.perform(node.core.receive(.map(part: [1], isLast: false), over: channel, at: node.now))
    }
    let dropped = node.done.compactMap { if case .drop(let channel) = $0 { channel } else { nil } }
    #expect(dropped == [2])
    #expect(node.core.refusals.tooMany == 1)
  }

  @Test("a member that opens more connections than it may loses its oldest")
  func memberConnections() {
    var node = Sample()
    node.learn(Sample.record(2))
    node.done = []
    for _ in 0...Admission.perMember { node.receiveOffer(of: Sample.record(2), from: IPv4Address(10, 0, 0, 2)) }
    #expect(node.done.contains(.drop(channel: 2)))
    #expect(node.core.calls.channels == [4, 6, 8, 10])
  }

  @Test("strangers cause thirty lines of log in a minute, and one that says how many were left out")
  func log() {
    var node = Sample()
    func told() -> Int { node.done.count { if case .report = $0 { true } else { false } } }
    for number in 0..<200 as Range<UInt32> {
      let joiner = Sample.record(9, key: UInt64(number))
      guard
        let channel = node.core.receiveConnection(from: IPv4Address(bits: 0x0A01_0000 + number), at: node.now).channel
      else { continue }
      let peer = Conversation.Peer(fingerprint: joiner.fingerprint.bytes, isMember: false)
      node.perform(node.core.receivePeer(peer, over: channel, at: node.now))
      let own = Membership(joiner, cluster: node.core.membership.cluster, at: 0, seed: 3).ownMap(at: 0)
      node.perform(node.core.receive(.join(record: own), over: channel, at: node.now))
      node.perform(node.core.receiveEnd(of: channel, .finished, at: node.now))
    }
    #expect(told() == Int(NoteAllowance.perMinute))
    node.done = []
    node.now += 60_000
    node.perform(node.core.step(at: node.now))
    // Those that may wait are told of; the others are refused without a line.
    #expect(node.done.contains(.report(.omitted(UInt32(Admission.mostPending) - NoteAllowance.perMinute))))
  }

  @Test("an answer to a search counts from the address that it names alone, and of this cluster")
  func answers() {
    var node = Sample()
    node.perform(node.core.join(at: node.now))
    let there = IPv4Address(10, 0, 0, 2)
    let answer = Discovery.answer(address: there, port: ClusterPorts.control, cluster: Sample.cluster).encoded
    let foreign = Discovery.answer(
      address: there, port: ClusterPorts.control, cluster: [UInt8](repeating: 1, count: 32)
    ).encoded
    #expect(node.core.receiveAnswer(answer, from: IPv4Address(10, 0, 0, 66), at: node.now) == [])
    #expect(node.core.receiveAnswer(foreign, from: there, at: node.now) == [])
    #expect(node.core.receiveAnswer(answer, from: there, at: node.now) == [.report(.answered(there))])
  }

  // MARK: Ends

  @Test("a node that was removed ends, and why")
  func removedItself() {
    var node = Sample()
    var other = Membership(
      Sample.record(2), cluster: node.core.membership.cluster, authority: Sample.authority, at: 0, seed: 2)
    _ = try? other.receive(map: node.core.membership.ownMap(at: 0), at: 0)
    _ = other.remove(1, at: 0)
    node.perform(node.core.resume(map: other.map(at: 0), at: node.now) ?? [])
    #expect(node.done.contains(.endWithout(.removedItself)))
    #expect(!node.core.membership.isActive)
  }

  @Test("an order to leave says farewell, answers and ends the program a moment later")
  func leave() {
    var node = Sample()
    node.learn(Sample.record(2))
    node.done = []
    let number = node.core.receiveOrderer(user: 0, at: node.now)
    node.perform(node.core.receive([UInt8]("leave\n".utf8), fromOrder: number ?? 0, at: node.now))
    #expect(node.done.contains { if case .send(_, to: IPv4Address(10, 0, 0, 2)) = $0 { true } else { false } })
    #expect(node.done.contains { if case .end(after: 300) = $0 { true } else { false } })
    #expect(node.core.receiveOrderer(user: 1000, at: node.now) == nil)
  }

  @Test("a connection that does not get on is dropped at its time, and its tunnel tried again later")
  func deadline() {
    var node = Sample()
    node.learn(Sample.record(2))
    let address = IPv4Address(10, 0, 0, 2)
    #expect(node.core.receiveQuestionForKeys(to: address, at: node.now) == [.connect(channel: 1, address)])
    let due = node.core.nextDue
    #expect(due <= node.now + 3000)
    node.now += 3000
    let commands = node.core.step(at: node.now)
    #expect(commands.contains(.drop(channel: 1)))
    #expect(commands.contains(.removeWaiting(address)))
    #expect(node.core.calls.nextDue == .max)
  }

  @Test("a joiner that is refused says why and ends; a patient one tries again", arguments: [false, true])
  func refusal(_ isPatient: Bool) {
    var node = Sample()
    node.core.identity.contact = IPv4Address(10, 0, 0, 2)
    node.core.identity.isPatient = isPatient
    let commands = node.core.join(at: node.now)
    guard case .connect(let channel, let address)? = commands.first else {
      Issue.record("\(commands)")
      return
    }
    #expect(address == IPv4Address(10, 0, 0, 2))
    let peer = Conversation.Peer(fingerprint: Sample.record(2).fingerprint.bytes, isMember: true)
    node.perform(node.core.receivePeer(peer, over: channel, at: node.now))
    node.perform(node.core.receive(.refused(reason: [UInt8]("it is full".utf8)), over: channel, at: node.now))
    let hasFailed = node.done.contains { if case .fail = $0 { true } else { false } }
    #expect(hasFailed == !isPatient)
    #expect(!node.core.isIn)
  }
}
