import Addresses
import ControlChannel
import Membership
import Testing
import Tunnels

@testable import NodeCore

/// Nothing leaves in clear for an address that a member had, until there is a reason.
@Suite struct KeptAddressTests {
  private static let two = IPv4Address(10, 0, 0, 2)

  /// A node whose member 2 is gone.
  private static func sample(keepFor: UInt64 = Sample.day) -> Sample {
    var node = Sample(keepFor: keepFor)
    node.learn(Sample.record(2), Sample.record(3))
    node.done = []
    node.lose(.died(Sample.record(2)))
    return node
  }

  @Test("a member that is gone, or said to be, loses its tunnel; policy and place in the filter stay for a day")
  func gone() {
    for event in [MembershipNews.died(Sample.record(2)), .left(Sample.record(2)), .removed(Sample.record(2))] {
      var node = Sample()
      node.learn(Sample.record(2))
      node.done = []
      node.lose(event)
      #expect(node.kernel == [], "\(event)")
      #expect(node.done.contains(.removeWaiting(Self.two)))
      #expect(node.core.peers.tunnels.peers.isEmpty)
      #expect(node.kept == [2])
      // Nobody makes a tunnel, and nobody is believed.
      #expect(node.core.receiveQuestionForKeys(to: Self.two, at: node.now) == [])
      #expect(!node.core.peers.isProtected(Self.two))
      // Told twice, it is kept once.
      node.lose(.removed(Sample.record(2)))
      #expect(node.kept == [2])
      #expect(node.kernel == [])
    }
  }

  @Test("after its time the filter closes first, and then the policy goes")
  func time() {
    var node = Self.sample()
    let end = node.now + Sample.day
    node.perform(node.core.peers.step(node.core.membership, at: end - 1))
    #expect(node.kernel == [])
    #expect(node.core.peers.nextDue == end)
    #expect(node.core.nextDue <= end)
    node.perform(node.core.peers.step(node.core.membership, at: end))
    #expect(node.kernel == ["forbid 2", "release 2"])
    #expect(node.core.peers.nextDue == nil)
    #expect(node.core.peers.demanded == [IPv4Address(10, 0, 0, 3)])
  }

  @Test("with no time to keep it the address is like any other at once")
  func noTime() {
    let node = Self.sample(keepFor: 0)
    #expect(node.kernel == ["forbid 2", "release 2"])
    #expect(node.kept == [])
  }

  @Test("an operator releases what is kept, and nothing else")
  func order() {
    var node = Self.sample()
    node.order("release 10.0.0.3\n")
    #expect(node.done.contains(.answer(order: 1, .released(IPv4Address(10, 0, 0, 3), false))))
    #expect(node.kernel == [])
    node.order("release 10.0.0.2\n")
    #expect(node.done.contains(.answer(order: 2, .released(Self.two, true))))
    #expect(node.kernel == ["forbid 2", "release 2"])
    // It is gone for good: that it is removed as well changes nothing.
    node.order("remove 2\n")
    #expect(node.kernel == ["forbid 2", "release 2"])
    #expect(node.kept == [])
  }

  @Test("a live member at the address has it, whoever that is", arguments: [2, 4] as [UInt8])
  func heir(_ number: UInt8) {
    var node = Self.sample()
    var heir = Sample.record(number, address: Self.two, key: 7)
    heir.incarnation = 9
    node.core.perform([.report(.joined(heir))], at: node.now)
    node.perform(node.core.finish())
    #expect(node.kernel == ["require 2", "permit 2"])
    #expect(node.kept == [])
    // A packet for the former holder may wait for keys that nobody makes.
    #expect(node.done.contains(.removeWaiting(Self.two)))
    #expect(node.core.peers.tunnels.peer(UInt16(number))?.address == Self.two)
  }

  @Test(
    "the former address of a member that moved goes once a tunnel shows that its key is elsewhere; nobody's word is enough"
  )
  func proof() {
    var node = Sample()
    node.learn(Sample.record(2), Sample.record(3))
    var moved = Sample.record(2, address: IPv4Address(10, 0, 0, 22))
    moved.incarnation = 2
    node.learn(moved)
    node.done = []
    node.receiveOffer(of: Sample.record(3), from: IPv4Address(10, 0, 0, 3))
    #expect(node.kept == [2])
    #expect(node.kernel == [])
    node.receiveOffer(of: moved, from: IPv4Address(10, 0, 0, 22))
    #expect(node.kept == [])
    #expect(node.kernel == ["forbid 2", "release 2"])
  }

  @Test("the other addresses of a member that is gone stay cut off as long")
  func others() {
    var node = Sample(cutsOff: true)
    var record = Sample.record(2)
    record.addresses = AddressList([Self.two, IPv4Address(192, 168, 7, 8)])!
    node.learn(record)
    node.done = []
    node.lose(.died(record))
    #expect(node.kernel == [])
    #expect(node.kept == [8, 2])
    node.order("release 10.0.0.2\n")
    #expect(node.kernel == ["restore 1", "forbid 2", "release 2"])
  }

  @Test("a kept address that a live member has beside its own is cut off before nothing is demanded any longer")
  func otherOfLiveMember() {
    var node = Sample(cutsOff: true)
    node.learn(Sample.record(2))
    var moved = Sample.record(2, address: IPv4Address(10, 0, 0, 22))
    moved.addresses = AddressList([IPv4Address(10, 0, 0, 22), Self.two])!
    moved.incarnation = 2
    node.learn(moved)
    node.done = []
    node.order("release 10.0.0.2\n")
    #expect(node.kernel == ["forbid 2", "cut off 1", "release 2"])
  }

  @Test("a node with a new address of its own demands ESP of kept addresses by it, but not of itself")
  func ownAddress() {
    for (own, expected) in [
      (99, ["follow 99", "require 3", "permit 3", "require 2", "permit 2", "release [2, 3] of 1"]),
      (2, ["follow 2", "require 3", "permit 3", "forbid 2", "release [2, 3] of 1"]),
    ] as [(UInt8, [String])] {
      var node = Self.sample()
      node.done = []
      let address = IPv4Address(10, 0, 0, own)
      node.perform(node.core.receiveAddress(address, all: [.ipv4(address)], at: node.now))
      #expect(node.kernel == expected)
      #expect(node.kept == (own == 2 ? [] : [2]))
    }
  }

  @Test("what a former run demanded, and no live member has, is kept")
  func resume() {
    var node = Sample(cutsOff: true)
    node.learn(Sample.record(2))
    node.done = []
    let addresses = [1, 2, 5].map { IPv4Address(10, 0, 0, $0) }
    node.perform(
      node.core.resume(demanded: addresses, cutOff: [.ipv4(IPv4Address(192, 168, 7, 8))], at: node.now))
    #expect(node.kernel == ["require 5", "permit 5", "cut off 1"])
    #expect(node.kept == [5, 8])
    #expect(node.core.peers.demanded == [Self.two, IPv4Address(10, 0, 0, 5)])
    node.done = []
    node.perform(node.core.end())
    #expect(node.kernel == ["forbid 2", "release 2", "forbid 5", "release 5"])
  }

  @Test("no more than 4,096 addresses are kept; the oldest go first")
  func bound() {
    let membership = Sample().core.membership
    let tunnels = Tunnels(id: 1, fingerprint: [1], seed: 1)
    var peers = Peers(
      tunnels, own: IPv4Address(10, 0, 0, 1), isEncrypted: true, cutsOff: false, keepFor: Sample.day)
    for number in 0..<UInt32(Peers.mostKept) + 1 {
      let address = IPv4Address(bits: 0x0A01_0001 + number)
      let released = peers.keep(Sample.record(2, address: address), membership, at: UInt64(number))
      let first = IPv4Address(10, 1, 0, 1)
      #expect(released == (number < Peers.mostKept ? [] : [.change(.forbid(first)), .change(.release(first))]))
    }
    #expect(peers.kept.count == Peers.mostKept)
    #expect(peers.nextDue == 1 + Sample.day)
  }
}

extension Sample {
  /// The membership says that member 2 is gone.
  mutating func lose(_ event: MembershipNews) {
    _ = core.membership.remove(2, at: now)
    core.perform([.report(event)], at: now)
    perform(core.finish())
  }
}
