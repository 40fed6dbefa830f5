import Testing

@testable import Integrity

@Suite struct VigilTests {
  private let changed = Finding(path: bytes("/etc/passwd"), difference: .content)
  /// ENOMEM.
  private let unread = Finding(path: bytes("/bin/busybox"), difference: .unreadable(errno: 12))

  @Test("a difference is a changed root at once, and nothing is a sound one")
  func plain() {
    var vigil = Vigil()
    #expect(vigil.judge([]) == .sound)
    #expect(vigil.judge([changed]) == .changed(changed))
    #expect(vigil.judge([unread, changed]) == .changed(changed))
  }

  @Test("want of memory is said once and looked at again; when it does not pass, nobody can vouch for the root")
  func patience() {
    var vigil = Vigil()
    for pass in 1..<Vigil.patience { #expect(vigil.judge([unread]) == .unsure(unread, isNew: pass == 1)) }
    #expect(vigil.judge([unread]) == .changed(unread))
    #expect(vigil.repeated == UInt64(Vigil.patience))
  }

  @Test("one full look makes good what could not be looked at before")
  func recovery() {
    var vigil = Vigil()
    for _ in 0..<10 {
      for _ in 1..<Vigil.patience { #expect(vigil.judge([unread]) != .changed(unread)) }
      #expect(vigil.judge([]) == .sound)
    }
  }

  @Test(
    "only errors that pass by themselves are waited for",
    arguments: [
      (4, true), (11, true), (12, true), (23, true), (24, true), (105, true), (5, false), (13, false), (20, false),
      (40, false), (0, false),
    ] as [(Int32, Bool)])
  func passing(_ errno: Int32, _ passes: Bool) {
    #expect(Difference.unreadable(errno: errno).isPassing == passes)
  }

  @Test("the finding that names what happened is told, not the folder whose time shows that something did")
  func telling() {
    let folder = Finding(path: bytes("/bin"), difference: .modified)
    let gone = Finding(path: bytes("/bin/vi"), difference: .missing)
    var vigil = Vigil()
    #expect(vigil.judge([folder, gone]) == .changed(gone))
    #expect(vigil.judge([folder]) == .changed(folder))
  }
}
