import Addresses
import Membership
import Testing

@testable import NodeCore

private func address(_ text: String) -> IPv4Address { IPv4Address(text: [UInt8](text.utf8)) ?? .unspecified }

/// A full Linux with two cards: 10.0.0.1 in the cluster's network, and 192.168.1.5 beside its router.
private let around = Surroundings(
  networks: [
    .init(card: 2, IPv4Address(10, 0, 0, 1), Netmask(prefixLength: 24) ?? .host),
    .init(card: 3, IPv4Address(192, 168, 1, 5), Netmask(prefixLength: 24) ?? .host),
  ], routers: [IPv4Address(192, 168, 1, 1), IPv4Address(10, 0, 0, 254)])

/// Private addresses are the same in many places: what a member elsewhere has beside its own address may be this machine's router.
@Suite struct SurroundingsTests {
  static let cases: [(primary: String, other: String, isCutOff: Bool)] = [
    // From elsewhere: the router, and a host of the network beside it.
    ("172.16.0.2", "192.168.1.1", false),
    ("172.16.0.2", "192.168.1.77", false),
    ("10.0.0.2", "192.168.1.77", false),
    ("172.16.0.2", "10.0.0.77", false),
    // In no network of this machine.
    ("172.16.0.2", "192.168.7.8", true),
    ("10.0.0.2", "172.31.0.9", true),
    // On the same cable, so it knows what it says; but not of a router.
    ("10.0.0.2", "10.0.0.77", true),
    ("10.0.0.2", "10.0.0.254", false),
  ]

  @Test(
    "neither a router of this machine nor a host of a network of its own is cut off on the word of a member elsewhere")
  func decision() {
    for (primary, other, isCutOff) in SurroundingsTests.cases {
      #expect(
        around.leads(to: .ipv4(address(other)), ofMemberAt: address(primary)) == isCutOff, "\(other) of \(primary)")
    }
    #expect(around.leads(to: .ipv6(IPv6Address(high: 1 << 61, low: 1)), ofMemberAt: address("172.16.0.2")))
    #expect(Surroundings().leads(to: .ipv4(address("10.0.0.77")), ofMemberAt: address("172.16.0.2")))
  }

  private static func member() -> NodeRecord {
    var record = Sample.record(2, address: IPv4Address(172, 16, 0, 2))
    record.addresses =
      AddressList([
        IPv4Address(172, 16, 0, 2), IPv4Address(192, 168, 1, 1), IPv4Address(192, 168, 1, 77),
        IPv4Address(192, 168, 7, 8),
      ]) ?? record.addresses
    return record
  }

  @Test("of a member's addresses those are cut off that are not this machine's own surroundings")
  func join() {
    var node = Sample(cutsOff: true)
    node.perform(node.core.receive(around))
    node.learn(Self.member())
    #expect(node.kernel == ["require 2", "permit 2", "cut off 1"])
    node.done = []
    node.lose(.died(Self.member()))
    #expect(node.kept == [8, 2])
  }

  @Test("when this machine's networks change, what they say counts at once")
  func change() {
    var node = Sample(cutsOff: true)
    node.learn(Self.member())
    #expect(node.kernel == ["require 2", "permit 2", "cut off 3"])
    node.done = []
    node.perform(node.core.receive(around))
    #expect(node.kernel == ["restore 2"])
    node.perform(node.core.receive(around))
    node.perform(node.core.receive(Surroundings()))
    #expect(node.kernel == ["restore 2", "cut off 2"])
  }

  @Test("a router that a member is said to have had is cut off no longer, nor after a crash")
  func kept() {
    var node = Sample(cutsOff: true)
    node.learn(Self.member())
    node.lose(.died(Self.member()))
    node.done = []
    node.perform(node.core.receive(around))
    #expect(node.kernel == ["restore 1"])
    var next = Sample(cutsOff: true)
    next.perform(next.core.receive(around))
    next.perform(
      next.core.resume(
        demanded: [], cutOff: [.ipv4(IPv4Address(192, 168, 1, 1)), .ipv4(IPv4Address(192, 168, 7, 8))], at: next.now))
    #expect(next.kernel == ["cut off 1"])
  }

  @Test("an address that is kept for a member is open when that one comes back and does not lead to it any longer")
  func back() {
    var node = Sample(cutsOff: true)
    node.learn(Self.member())
    node.lose(.died(Self.member()))
    node.perform(node.core.receive(Surroundings(networks: around.networks)))
    node.done = []
    var again = Self.member()
    again.incarnation = 5
    node.core.perform([.report(.joined(again))], at: node.now)
    node.perform(node.core.finish())
    #expect(node.kernel == ["restore 2", "require 2", "permit 2", "cut off 1"])
  }
}

/// A hardware address is what a node is known by; virtual machines that were copied have the same one.
@Suite struct SameHardwareTests {
  /// Says hello as a machine with the hardware address of member 2, which is at 10.0.0.2.
  private func greet(
    _ node: inout Sample, from address: IPv4Address, key: UInt64 = 7
  ) -> (isRefused: Bool, sentence: String) {
    node.done = []
    let record = Sample.record(2, address: address, key: key)
    node.receiveOffer(of: record, from: address)
    for case .say(_, .refused(let reason)) in node.done { return (true, String(decoding: reason, as: UTF8.self)) }
    return (false, "")
  }

  @Test("a second machine with the hardware address of a live member is told why it cannot join, and the first stays")
  func second() {
    var node = Sample()
    node.learn(Sample.record(2))
    let (isRefused, sentence) = greet(&node, from: IPv4Address(10, 7, 0, 2))
    #expect(isRefused)
    #expect(
      sentence
        == "another machine with this one's hardware address, 52:54:00:00:00:02, is in the cluster at 10.0.0.2; a node is known by it, so give one of them another"
    )
    #expect(node.core.refusals.sameHardware == 1)
    #expect(node.core.membership.member(2)?.addresses.primary == IPv4Address(10, 0, 0, 2))
    #expect(node.core.membership.member(2)?.fingerprint == Sample.record(2).fingerprint)
  }

  @Test("so is a copy of the very machine that it asks")
  func ofThisOne() {
    var node = Sample(2)
    let answer = greet(&node, from: IPv4Address(10, 7, 0, 2))
    #expect(answer.isRefused)
  }

  @Test("a machine that was started anew at its address, or with its key at another, is the same one")
  func sameMachine() {
    for (address, key) in [(IPv4Address(10, 0, 0, 2), 7), (IPv4Address(10, 7, 0, 2), 0)] as [(IPv4Address, UInt64)] {
      var node = Sample()
      node.learn(Sample.record(2))
      let answer = greet(&node, from: address, key: key)
      #expect(!answer.isRefused)
    }
  }

  @Test("once the first does not answer any longer the second may come")
  func gone() {
    var node = Sample()
    node.learn(Sample.record(2))
    let end = node.now + 20_000
    while node.now < end {
      node.now += 100
      node.perform(node.core.step(at: node.now))
    }
    #expect(node.core.membership.state(of: Sample.record(2).mac) == .dead)
    let answer = greet(&node, from: IPv4Address(10, 7, 0, 2))
    #expect(!answer.isRefused)
  }
}
