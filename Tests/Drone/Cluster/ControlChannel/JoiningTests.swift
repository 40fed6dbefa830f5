import Addresses
import Bytes
import ChannelFailure
import SecureChannel
import Testing

@testable import ControlChannel

private let contact = IPv4Address(192, 168, 1, 11)
private let other = IPv4Address(192, 168, 1, 12)

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

extension JoiningCommand {
  /// For tables: what is done, and the sentence if there is one.
  fileprivate var summary: String {
    switch self {
    case .search: "search"
    case .reportAnswer(let address): "answer of \(text(address.text))"
    case .connect(let address): "connect \(text(address.text))"
    case .askForApproval(let order): "ask for approval: \(text(order))"
    case .report(let sentence): "tell: \(text(sentence))"
    case .giveUp(let sentence): "give up: \(text(sentence))"
    }
  }
}

/// Lets the time pass and answers every connection by a failure, until `end` or until there is nothing more to do.
private func history(
  _ joining: inout Joining, until end: UInt64, connections: (inout Joining, UInt64) -> [JoiningCommand]
) -> [String] {
  var lines: [String] = []
  while let due = joining.nextDue, due <= end {
    let steps = joining.step(at: due)
    lines += steps.map { "\(due) \($0.summary)" }
    for case .connect in steps {
      // Each takes 100 ms.
      lines += connections(&joining, due + 100).map { "\(due + 100) \($0.summary)" }
    }
  }
  return lines
}

@Suite struct JoiningTests {
  @Test("at a member that does not answer it tries three times, a second apart, and says why it gives up")
  func noAnswer() {
    var joining = Joining(at: contact, isPatient: false, now: 0)
    let lines = history(&joining, until: 100_000) { joining, now in joining.receiveEnd(.tooSlow, at: now) }
    #expect(
      lines == [
        "0 connect 192.168.1.11", "1100 connect 192.168.1.11", "2200 connect 192.168.1.11",
        "2300 give up: could not join at 192.168.1.11: \(text(ClosedReason.tooSlow.text)).",
      ])
    #expect(joining.nextDue == nil)
  }

  @Test(
    "with no member on the network it asks three times, three seconds apart, and says whom it looked for and what to do",
    arguments: [(false, ""), (true, " that can admit others")])
  func nobody(_ mustBeAdmitted: Bool, _ whom: String) {
    var joining = Joining(at: nil, isPatient: false, mustBeAdmitted: mustBeAdmitted, now: 500)
    let lines = history(&joining, until: 100_000) { _, _ in [] }
    #expect(
      lines == [
        "500 search", "3500 search", "6500 search",
        "9500 give up: no member of this cluster\(whom) answered on this network; say tyd -m ADDRESS.",
      ])
  }

  @Test(
    "the first member that answers is asked at once, the next one when it fails, each three times; then it gives up")
  func found() {
    var joining = Joining(at: nil, isPatient: false, now: 0)
    #expect(joining.step(at: 0) == [.search])
    #expect(joining.step(at: 3000) == [.search])
    #expect(joining.receiveAnswer(from: contact, at: 3020) == [.reportAnswer(contact)])
    #expect(joining.receiveAnswer(from: other, at: 3021) == [.reportAnswer(other)])
    #expect(joining.receiveAnswer(from: other, at: 3022) == [])
    let lines = history(&joining, until: 100_000) { joining, now in
      joining.receiveFailure([UInt8]("there is no way to it"), at: now)
      return []
    }
    #expect(
      lines == [
        "3020 connect 192.168.1.11", "3120 connect 192.168.1.12", "4220 connect 192.168.1.11",
        "5320 connect 192.168.1.12", "6420 connect 192.168.1.11", "6520 connect 192.168.1.12", "6620 search",
        "9620 give up: could not join at 192.168.1.12: there is no way to it.",
      ])
  }

  @Test(
    "an answer that refuses, or lies, does not end the search: the others that answered are asked, and the network again"
  )
  func liar() {
    var joining = Joining(at: nil, isPatient: false, now: 0)
    let liar = IPv4Address(192, 168, 1, 66)
    _ = joining.step(at: 0)
    _ = joining.receiveAnswer(from: liar, at: 10)
    #expect(joining.step(at: 10) == [.connect(liar)])
    #expect(joining.receiveAnswer(from: contact, at: 12) == [.reportAnswer(contact)])
    #expect(joining.receiveEnd(.wrongAuthority, at: 20) == [])
    #expect(joining.step(at: 20) == [.connect(contact)])
    // It has its reasons; another member may have none, and the liar is not asked once more.
    #expect(joining.receiveRefusal([UInt8]("not in itself yet"), at: 30) == [])
    #expect(joining.receiveAnswer(from: liar, at: 40) == [])
    #expect(joining.nextDue == 3000)
    #expect(joining.receiveAnswer(from: other, at: 50) == [.reportAnswer(other)])
    #expect(joining.step(at: 50) == [.connect(other)])
    #expect(joining.receiveRefusal([UInt8]("this node was removed"), at: 60) == [])
    #expect(
      history(&joining, until: 100_000) { _, _ in [] } == [
        "3000 search", "6000 search", "9000 give up: could not join at 192.168.1.12: this node was removed.",
      ])
  }

  @Test("however many answer, a round asks sixteen of them at most")
  func flood() {
    var joining = Joining(at: nil, isPatient: true, now: 0)
    _ = joining.step(at: 0)
    var asked: Set<IPv4Address> = []
    for number in 0..<1000 as Range<UInt32> {
      _ = joining.receiveAnswer(from: IPv4Address(bits: 0x0A00_0000 + number), at: 1)
      for case .connect(let address) in joining.step(at: 1) { asked.insert(address) }
      _ = joining.receiveRefusal([UInt8]("no"), at: 1)
    }
    #expect(asked.count == Joining.mostAnswers)
  }

  @Test(
    "how a connection ends decides whether it is worth another try",
    arguments: [
      (ClosedReason.refused(alert: 48), false), (.refused(alert: 46), false), (.refused(alert: 42), false),
      (.wrongAuthority, false), (.refused(alert: 40), true), (.cutOff, true), (.tooSlow, true), (.noTLS, true),
      (.finished, true), (nil, true),
    ])
  func ends(_ reason: ClosedReason?, _ isWorthAnother: Bool) {
    var joining = Joining(at: contact, isPatient: false, now: 0)
    _ = joining.step(at: 0)
    let steps = joining.receiveEnd(reason, at: 10)
    if isWorthAnother {
      #expect(steps == [])
      #expect(joining.nextDue == 1010)
    } else {
      #expect(steps == [.giveUp([UInt8]("could not join at 192.168.1.11: the node there is of another cluster."))])
    }
  }

  @Test("what the member says is the reason that is given, without another try")
  func refused() {
    var joining = Joining(at: contact, isPatient: false, now: 0)
    _ = joining.step(at: 0)
    #expect(
      joining.receiveRefusal([UInt8]("this node was removed"), at: 10)
        == [.giveUp([UInt8]("could not join at 192.168.1.11: this node was removed."))])
  }

  @Test("a connection that ends after it has brought what it was for changes nothing")
  func after() {
    var joining = Joining(at: contact, isPatient: false, now: 0)
    _ = joining.step(at: 0)
    joining.receiveApproval(at: 100)
    #expect(joining.receiveEnd(.finished, at: 120) == [])
    #expect(joining.nextDue == 100)
    joining.receiveFailure([UInt8]("too late"), at: 130)
    #expect(joining.nextDue == 100)
    #expect(joining.step(at: 100) == [.connect(contact)])
  }

  @Test("nothing is done before its time")
  func early() {
    var joining = Joining(at: contact, isPatient: false, now: 1000)
    #expect(joining.step(at: 999) == [])
    #expect(joining.nextDue == 1000)
  }

  @Test("once it has given up for a reason, the end of that connection gives no other one")
  func endAfterRefusal() {
    var joining = Joining(at: contact, isPatient: false, now: 0)
    _ = joining.step(at: 0)
    let steps = joining.receiveRefusal([UInt8]("the node there demands IPsec"), at: 10)
    #expect(steps.map(\.summary) == ["give up: could not join at 192.168.1.11: the node there demands IPsec."])
    #expect(joining.receiveEnd(.finished, at: 10) == [])
    joining.receiveFailure([UInt8]("it went away"), at: 10)
    #expect(joining.receiveRefusal([UInt8]("again"), at: 10) == [])
    #expect(joining.nextDue == nil)
    #expect(joining.step(at: 10_000) == [])
  }

  // MARK: Approval

  @Test(
    "a member that wants approval is asked every two seconds, for as long as it takes, and the operator is told once")
  func approval() {
    var joining = Joining(at: contact, isPatient: false, now: 0)
    let key = [UInt8]("aaaa-bbbb")
    let lines = history(&joining, until: 60_000) { joining, now in joining.receiveDelay(forApprovalOf: key, at: now) }
    let order = "On a member that may admit: tyd --approve aaaa-bbbb"
    #expect(lines.filter { $0.contains("approval") } == ["100 ask for approval: \(order)"])
    #expect(lines.count(where: { $0.contains("connect") }) == 29)
    #expect(lines.allSatisfy { !$0.contains("give up") })
    #expect(joining.hasAsked)
    #expect(text(joining.obstacle) == "its key must be approved. \(order)")
  }

  @Test("a member that goes away while approval is awaited has three more tries")
  func goneWhileWaiting() {
    var joining = Joining(at: contact, isPatient: false, now: 0)
    _ = joining.step(at: 0)
    _ = joining.receiveDelay(forApprovalOf: [], at: 100)
    let lines = history(&joining, until: 60_000) { joining, now in joining.receiveEnd(.cutOff, at: now) }
    #expect(lines.count(where: { $0.contains(" connect ") }) == 3)
    #expect(lines.last?.contains("give up") == true)
  }

  // MARK: Patience

  @Test("a patient node rests longer and longer, thirty seconds at most, and never gives up")
  func patient() {
    var joining = Joining(at: nil, isPatient: true, now: 0)
    let lines = history(&joining, until: 200_000) { _, _ in [] }
    let searches = lines.filter { $0.hasSuffix(" search") }.compactMap { line in
      line.split(separator: " ").first.flatMap { UInt64($0) }
    }
    // Of each round of three questions, which take nine seconds, the first.
    let times = searches.enumerated().compactMap { index, time in index.isMultiple(of: 3) ? time : nil }
    let rests = zip(times, times.dropFirst()).map { $1 - $0 - 9000 }
    #expect(rests.prefix(6) == [3000, 6000, 12_000, 24_000, 30_000, 30_000])
    #expect(lines.allSatisfy { !$0.contains("give up") })
  }

  @Test("a patient node says each reason once")
  func words() {
    var joining = Joining(at: contact, isPatient: true, now: 0)
    let reasons = ["one", "two", "one", "three", "two"]
    var told: [String] = []
    for reason in reasons {
      while joining.nextDue != nil { told += joining.step(at: joining.nextDue ?? 0).map(\.summary) }
      told += joining.receiveRefusal([UInt8](reason.utf8), at: 1000).map(\.summary)
      #expect(text(joining.obstacle) == "could not join at 192.168.1.11: \(reason)")
    }
    let again = "; it is tried again and again, quietly"
    #expect(
      told.filter { !$0.hasPrefix("connect") } == [
        "tell: could not join at 192.168.1.11: one\(again)", "tell: could not join at 192.168.1.11: two\(again)",
        "tell: could not join at 192.168.1.11: three\(again)",
      ])
  }

  @Test("a patient node that nobody is named to searches anew in each round; one that is keeps to it")
  func anew() {
    var any = Joining(at: nil, isPatient: true, now: 0)
    _ = any.step(at: 0)
    _ = any.receiveAnswer(from: contact, at: 10)
    _ = any.step(at: 10)
    #expect(!any.isQuiet)
    _ = any.receiveRefusal([UInt8]("no"), at: 20)
    #expect(any.member == nil)
    #expect(
      history(&any, until: 12_000) { _, _ in [] } == [
        "3000 search", "6000 search",
        "9000 tell: could not join at 192.168.1.11: no; it is tried again and again, quietly", "12000 search",
      ])
    #expect(any.isQuiet)
    // A new round: it may have changed its mind.
    #expect(any.receiveAnswer(from: contact, at: 12_001) == [.reportAnswer(contact)])
    var named = Joining(at: other, isPatient: true, now: 0)
    _ = named.step(at: 0)
    _ = named.receiveRefusal([UInt8]("no"), at: 20)
    #expect(named.step(at: named.nextDue ?? 0) == [.connect(other)])
  }

  @Test("of many reasons that take turns each of eight is told once; what it remembers is bounded")
  func turns() {
    var joining = Joining(at: contact, isPatient: true, now: 0)
    var told = 0
    for round in 0..<100 {
      _ = joining.step(at: joining.nextDue ?? 0)
      let reason = [UInt8]("reason \(round % 8)".utf8)
      for case .report in joining.receiveRefusal(reason, at: UInt64(round) * 60_000) { told += 1 }
    }
    #expect(told == 8)
  }
}
