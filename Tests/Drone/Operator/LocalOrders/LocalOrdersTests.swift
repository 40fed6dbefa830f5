import Addresses
import Bytes
import ControlChannel
import MachineReadings
import Testing
import TydCommand

@testable import LocalOrders

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// This node, 0x010b, which may admit others unless said otherwise.
private func host(canCertify: Bool = true) -> OrderCall.Host { OrderCall.Host(id: 0x010B, canCertify: canCertify) }

private func call(at now: UInt64 = 0) throws -> OrderCall { try #require(OrderCall(user: 0, at: now)) }

@Suite struct LocalOrdersTests {
  @Test("every order, and the status too, is root's alone", arguments: [1, 1000, 65_534, UInt32.max])
  func users(_ user: UInt32) {
    #expect(OrderCall(user: user, at: 0) == nil)
  }

  @Test(
    "what each order asks of a node",
    arguments: [
      (TydCommand.Order.status(json: false), OrderCommand.show(.status(json: false))),
      (.status(json: true), .show(.status(json: true))), (.table, .show(.table)), (.standing, .show(.standing)),
      (.pending, .show(.pending)), (.processes(.memory, most: 40), .survey(.memory, most: 40)),
      (.remove(0x0115), .remove(0x0115)),
      (.remove(0x010B), .answer(.failed([UInt8]("this node cannot remove itself; use tyd --leave.")))),
      (.allow(0x0115), .allow(0x0115)), (.approve([UInt8]("abcd")), .approve([UInt8]("abcd"))),
      (.approveWindow(minutes: 5), .openWindow(minutes: 5)),
      (.release(IPv4Address(10, 0, 0, 2)), .release(IPv4Address(10, 0, 0, 2))),
      (.stop, .leave(after: 0, isFarewell: false, .done([]))),
      (.leave, .leave(after: 300, isFarewell: true, .done([UInt8]("Left the cluster.\n")))),
    ])
  func orders(_ order: TydCommand.Order, _ command: OrderCommand) throws {
    var call = try call()
    #expect(call.receive(order.line, host()).first == command)
  }

  @Test(
    "a node without the cluster's key approves nobody and says where to",
    arguments: [TydCommand.Order.approve([UInt8]("abcd")), .approveWindow(minutes: 5)])
  func keyless(_ order: TydCommand.Order) throws {
    var call = try call()
    let sentence = "this node does not hold the cluster's key; approve on one that does (tyd --status)."
    #expect(call.receive(order.line, host(canCertify: false)) == [.answer(.failed([UInt8](sentence.utf8))), .end])
  }

  @Test("a line may come in pieces, and what follows it does not count")
  func pieces() throws {
    var call = try call()
    #expect(call.receive([UInt8]("sta"), host()) == [])
    #expect(call.receive([UInt8]("tus js"), host()) == [])
    #expect(call.receive([UInt8]("on\nleave\n"), host()) == [.show(.status(json: true)), .end])
    #expect(call.receive([UInt8]("leave\n"), host()) == [])
  }

  @Test(
    "what is no order is answered so", arguments: ["", "fly", "remove", "remove 65536", "status json\0", "approve"])
  func unknown(_ line: String) throws {
    var call = try call()
    let commands = call.receive([UInt8](line.utf8) + [10], host())
    if line.hasPrefix("status") {
      // An older or newer program's further words do not count.
      #expect(commands == [.show(.status(json: false)), .end])
    } else {
      #expect(commands == [.answer(.failed([UInt8]("the running tyd does not know this order."))), .end])
    }
  }

  @Test("a line of more than 512 bytes, or a program that goes away, is the end of it")
  func ends() throws {
    var long = try call()
    #expect(long.receive([UInt8](repeating: 0x61, count: 512), host()) == [])
    #expect(long.receive([0x61], host()) == [.end])
    var whole = try call()
    #expect(whole.receive([UInt8](repeating: 0x61, count: 600) + [10], host()) == [.end])
    var gone = try call()
    #expect(gone.receive([], host()) == [.end])
  }

  @Test("a program that says nothing is given up after five seconds")
  func silent() throws {
    var call = try call(at: 1000)
    #expect(call.nextDue == 6000)
    #expect(call.step(at: 5999) == [])
    #expect(call.step(at: 6000) == [.end])
  }

  @Test("one that waits for a survey keeps its place until the answer, its own end or the time's")
  func surveys() throws {
    var call = try call()
    _ = call.receive(TydCommand.Order.processes(.cpu, most: 9).line, host())
    call.postpone(until: 9000)
    #expect(call.receive([UInt8]("more"), host()) == [])
    #expect(call.step(at: 8999) == [])
    var (gone, late) = (call, call)
    #expect(gone.receive([], host()) == [.end])
    #expect(late.step(at: 9000) == [.end])
    #expect(call.finish() == [.end])
  }

  @Test("whoever ends the node keeps the socket until the node has ended")
  func leaving() throws {
    var call = try call()
    #expect(!call.receive([UInt8]("leave\n"), host()).contains(.end))
    #expect(call.step(at: 300) == [])
  }

  @Test("answers begin with the exit status and are sentences or text")
  func answers() {
    let cases: [(OrderAnswer, String)] = [
      (.removed(0x0115, .done), "00x0115 is removed, and its key with it.\n"),
      (.removed(0x0115, .unknown), "10x0115 is not a node that this one knows."),
      (
        .removed(0x0115, .unsigned),
        "1this node does not hold the cluster's key; remove and allow on one that does (tyd --status)."
      ),
      (
        .removed(0x0115, .full),
        "1as many nodes are removed as the list holds; allow one again (tyd --allow), or make a new cluster."
      ),
      (.allowed(0x0115, .done), "00x0115 may join again.\n"), (.allowed(0x0115, .unknown), "10x0115 was not removed."),
      (
        .released(IPv4Address(10, 0, 0, 2), true),
        "010.0.0.2 is an address like any other: what goes there leaves in clear.\n"
      ),
      (
        .released(IPv4Address(10, 0, 0, 2), false),
        "110.0.0.2 is not kept for a former member; tyd --status names the addresses that are."
      ),
      (.window(minutes: 0), "0Joiners wait for approval.\n"),
      (.window(minutes: 5), "0Everybody who asks is admitted for the next 5 minutes.\n"),
      (.approved(.init(fingerprint: [0xAB, 0x01], isWaiting: true)), "0Approved ab01.\n"),
      (
        .approved(.init(fingerprint: [0xAB, 0x01], isWaiting: false)),
        "0Approved ab01 in advance: nobody with this key waits now; a node that shows it is let in within 60 minutes.\n"
      ),
      (
        .notApproved(.unknown),
        "1no joiner with this fingerprint is waiting (tyd --pending); give all 64 digits to approve one in advance."
      ), (.notApproved(.ambiguous), "1several joiners' fingerprints begin like this; give more digits."),
      (.notApproved(.full), "1too many approvals are open; wait until those joiners are in."),
      (.tooManySurveys, "1several mtop already run on this node; end one of them."), (.done([]), "0"),
    ]
    for (answer, expected) in cases { #expect(text(answer.bytes) == expected) }
  }
}
