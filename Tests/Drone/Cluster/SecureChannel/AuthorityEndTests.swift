import Testing

@testable import SecureChannel

@Suite("The end of a cluster's authority")
struct AuthorityEndTests {
  @Test("from its last second on it is told, with the clock's day and what to do; before that nothing is")
  func ending() throws {
    let authority = try Cluster().authority
    for time in [0, began, present, ends - 1] { #expect(authority.ending(at: time) == nil) }
    for (time, day) in [(ends, "2035-12-30"), (ends + 366 * 86_400, "2036-12-30")] {
      #expect(
        authority.ending(at: time)
          == ascii(
            "the cluster's authority ended on 2035-12-30 and this machine's clock says \(day); set the clock if it is wrong, else say droneforge cluster rotate and make new images."
          ))
    }
  }

  @Test("what it tells is what verification finds", arguments: [began, present, ends - 1, ends, ends + 1])
  func verification(_ time: Int64) throws {
    let cluster = try Cluster()
    let certificate = try cluster.authority.issue(for: try SigningKey().publicKey, key: cluster.key)
    let objection = certificate.objection(under: cluster.authority, at: time)
    #expect(objection == (cluster.authority.ending(at: time) == nil ? nil : .expired))
  }

  @Test(
    "days are those of the calendar",
    arguments: [
      (-1, "1970-01-01"), (0, "1970-01-01"), (315_532_800, "1980-01-01"), (951_782_399, "2000-02-28"),
      (951_782_400, "2000-02-29"), (951_868_800, "2000-03-01"), (began - 1, "2025-12-31"), (began, "2026-01-01"),
      (1_835_395_200, "2028-02-29"), (4_107_456_000, "2100-02-28"), (4_107_542_400, "2100-03-01"),
      (253_402_300_799, "9999-12-31"), (.max, "9999-12-31"),
    ] as [(Int64, String)])
  func days(_ time: Int64, _ expected: String) {
    #expect(day(of: time) == ascii(expected))
  }
}
