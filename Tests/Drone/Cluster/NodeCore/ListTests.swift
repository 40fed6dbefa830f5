import Addresses
import ControlChannel
import LocalOrders
import Membership
import Testing
import Tunnels

@testable import NodeCore

/// Connections and orders by their numbers, and what strangers are told.
@Suite struct ListTests {
  private static let address = IPv4Address(10, 0, 0, 2)
  private static let offer = TunnelOffer(from: 2, to: 1, spi: 1000, counter: 0, ciphers: [.aes128GCM])

  private static func calls(_ channels: UInt32...) -> CallList {
    var calls = CallList()
    for channel in channels { calls.insert(Conversation(incomingAt: UInt64(channel)), with: address, as: channel) }
    return calls
  }

  // MARK: Connections

  @Test("connections that come in and this node's own have even numbers that never meet, and a tunnel's are odd")
  func channels() {
    var calls = CallList()
    let incoming = (0..<3).map { _ in calls.incomingChannel() }
    let own = (0..<2).map { _ in calls.ownChannel() }
    #expect(incoming == [2, 4, 6] && own == [0x8000_0000, 0x8000_0002])
  }

  @Test("connections are due with the first of them, and never without any")
  func dueCalls() {
    var calls = CallList()
    #expect(calls.nextDue == .max && calls.due(at: .max - 1) == [])
    calls = ListTests.calls(40, 2, 4)
    #expect(calls.nextDue == 2 + Conversation.strangersPatience)
    #expect(calls.due(at: calls.nextDue - 1) == [])
    #expect(calls.due(at: 4 + Conversation.strangersPatience) == [2, 4])
    calls.remove(2)
    #expect(calls.nextDue == 4 + Conversation.strangersPatience)
    let late = calls.converse(over: 4) { $0.step(at: .max - 1) }
    let gone = calls.converse(over: 2) { $0.step(at: .max - 1) }
    #expect(late == [.drop] && gone == [])
    #expect(calls.nextDue == 40 + Conversation.strangersPatience)
    #expect(calls[2] == nil && calls[4]?.address == ListTests.address)
  }

  @Test("an offer waits until its member has its place, and is forgotten with its connection")
  func offers() {
    var calls = ListTests.calls(2, 4, 6)
    for channel in [2, 4, 6] as [UInt32] {
      let key = [UInt8](repeating: UInt8(channel), count: 32)
      _ = calls.converse(over: channel) { $0.receivePeer(Conversation.Peer(fingerprint: key, isMember: true)) }
      calls.offers.append((channel, ListTests.offer))
    }
    let none = calls.takeOffers { _, _ in false }
    #expect(none.isEmpty && calls.offers.count == 3)
    calls.remove(4)
    let ready = calls.takeOffers { call, key in call.channel == 2 && key.first == 2 }
    #expect(ready.map(\.call.channel) == [2] && ready.map(\.key.first) == [2])
    #expect(calls.offers.map(\.channel) == [6])
  }

  @Test("the connections with a node are those with its key, and those with its machine")
  func removed() {
    var calls = ListTests.calls(2, 4)
    let record = Sample.record(2)
    let peer = Conversation.Peer(fingerprint: record.fingerprint.bytes, isMember: true)
    _ = calls.converse(over: 4) { $0.receivePeer(peer) }
    #expect(calls.channels(with: record) == [4])
    #expect(calls.channels(with: Sample.record(3)) == [])
  }

  @Test(
    "a map goes in as many parts as it needs, of which the last says so",
    arguments: [(0, 1), (1, 1), (ControlFrame.mapPartLimit, 1), (ControlFrame.mapPartLimit + 1, 2)])
  func parts(_ length: Int, _ count: Int) {
    let map = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
    let parts = ControlMessage.parts(of: map)
    #expect(parts.count == count)
    var whole: [UInt8] = []
    for (index, part) in parts.enumerated() {
      guard case .map(let bytes, let isLast) = part else { continue }
      whole += bytes
      #expect(isLast == (index == count - 1))
    }
    #expect(whole == map)
  }

  // MARK: Orders

  @Test("no more orders than are taken at once, each due in its time, and a number is given once")
  func orders() throws {
    var orders = OrderList()
    #expect(orders.nextDue == .max)
    var numbers: [UInt32] = []
    for turn in 0..<OrderCall.most {
      #expect(!orders.isFull)
      numbers.append(orders.insert(try #require(OrderCall(user: 0, at: UInt64(turn)))))
    }
    #expect(orders.isFull && Set(numbers).count == OrderCall.most)
    let first = orders.nextDue
    #expect(orders.due(at: first) == [numbers[0]])
    let end = orders.tell(numbers[0]) { $0.step(at: first) }
    #expect(end == [.end] && orders.nextDue == first + 1)
    orders.remove(numbers[0])
    #expect(!orders.isFull && !orders.contains(numbers[0]) && orders.contains(numbers[1]))
    let nothing = orders.tell(numbers[0]) { $0.step(at: first) }
    let next = orders.insert(try #require(OrderCall(user: 0, at: 0)))
    #expect(nothing == [] && next == numbers[OrderCall.most - 1] + 1)
  }

  // MARK: Strangers

  @Test(
    "an objection is counted, said if there are words for it, and ends the connection",
    arguments: [Objection.unexpected, .noHello, .removed])
  func objections(_ objection: Objection) throws {
    var reception = Reception(canCertify: true)
    let call = try #require(ListTests.calls(2)[2])
    let commands = reception.refuse(objection, call, at: 0)
    #expect(commands.last == .close(channel: 2))
    #expect(commands.contains(.say(channel: 2, .refused(reason: objection.sentence))) == !objection.sentence.isEmpty)
    #expect(commands.contains(.report(.refused(call.address, objection))) == !objection.note.isEmpty)
    #expect(reception.refusals.removed + reception.refusals.malformed == 1)
  }

  @Test("who asks to be admitted waits, and is reported once")
  func waits() throws {
    var reception = Reception(canCertify: true)
    var calls = ListTests.calls(2)
    let key = [UInt8](repeating: 7, count: 32)
    _ = calls.converse(over: 2) { $0.receivePeer(Conversation.Peer(fingerprint: key, isMember: false)) }
    let call = try #require(calls[2])
    let answer: [NodeCommand] = [.say(channel: 2, .pending(fingerprint: key)), .close(channel: 2)]
    let first = reception.admit(call, at: 0)
    let second = reception.admit(call, at: 1)
    #expect(first == [.report(.waits(call.address, key: key))] + answer && second == answer)
    reception.admission.openWindow(minutes: 1, at: 2)
    let third = reception.admit(call, at: 3)
    #expect(third == [.certify(channel: 2)])
  }
}
