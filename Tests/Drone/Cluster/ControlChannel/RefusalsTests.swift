import Addresses
import ChannelFailure
import ControlChannel
import SecureChannel
import Testing

@Suite struct RefusalsTests {
  /// The counters that are not zero.
  private func counted(_ count: (inout Refusals) -> Void) -> [String: UInt32] {
    var refusals = Refusals()
    count(&refusals)
    var found: [String: UInt32] = [:]
    for counter in refusals.all where counter.count != 0 { found["\(counter.name)"] = counter.count }
    return found
  }

  static let ends: [(ClosedReason, counter: String?)] = [
    (.noTLS, "notTLS13"),
    (.oldVersion, "notTLS13"),
    (.otherProtocol, "notTLS13"),
    (.noCertificate, "notTLS13"),
    (.wrongAuthority, "wrongCluster"),
    (.notMember, "wrongCluster"),
    (.badCertificate, "wrongCluster"),
    (.expired, "expired"),
    (.notYetValid, "expired"),
    (.tooSlow, "slow"),
    (.flooded, "slow"),
    (.tooLarge, "malformed"),
    (.damaged, "malformed"),
    (.finished, nil),
    (.closedHere, nil),
    (.cutOff, nil),
    (.refused(alert: 48), "wrongCluster"),
    (.refused(alert: 80), nil),
    (.failedHere, nil),
  ]

  @Test("a connection that ended for this reason is counted here", arguments: ends.indices)
  func closed(_ index: Int) {
    let (reason, counter) = RefusalsTests.ends[index]
    #expect(counted { $0.count(reason) } == (counter.map { [$0: 1] } ?? [:]))
  }

  static let objections: [(Objection, counter: String?)] = [
    (.unreadable, "malformed"),
    (.unexpected, "malformed"),
    (.noHello, "malformed"),
    (.otherKey, "malformed"),
    (.tooMuch, "malformed"),
    (.otherCluster, "wrongCluster"),
    (.removed, "removed"),
    (.sameHardware(.broadcast, .unspecified), "sameHardware"),
    (.otherProtection(isInClear: false), "otherProtection"),
    (.otherProtection(isInClear: true), "otherProtection"),
    (.notIn, nil),
  ]

  @Test("an objection to what somebody said is counted here", arguments: objections.indices)
  func objected(_ index: Int) {
    let (objection, counter) = RefusalsTests.objections[index]
    #expect(counted { $0.count(objection) } == (counter.map { [$0: 1] } ?? [:]))
  }

  @Test("each counter is shown by a name of its own")
  func names() {
    let names = Refusals().all.map { "\($0.name)" }
    #expect(
      names == [
        "notTLS13", "wrongCluster", "expired", "removed", "sameHardware", "otherProtection", "malformed", "slow",
        "tooMany", "strangers",
      ])
  }
}
