import Integrity
import Testing

private let file = BaselineEntry(path: bytes("/etc/passwd"), kind: .file(size: 10, digest: digest), mode: 0o644)
private let seen = Observation(
  mode: 0o100644, links: 1, size: 10, filesystem: 2, inode: 7, modified: 1_000, changed: 2_000)

@Suite struct DifferenceTests {
  @Test("an unchanged file has no difference")
  func unchanged() { #expect(file.difference(found: seen, start: seen.trace) == nil) }

  /// One row per kind of change: what was done to the file, and what is said of it.
  static let changes: [(String, @Sendable (inout Observation) -> Void, Difference)] = [
    ("it became a directory", { $0.mode = 0o040644 }, .type),
    ("it became a link", { $0.mode = 0o120644 }, .type),
    ("it was made executable", { $0.mode = 0o100755 }, .mode(expected: 0o644, found: 0o755)),
    ("it was made setuid", { $0.mode = 0o104644 }, .mode(expected: 0o644, found: 0o4644)),
    ("it was given away", { $0.owner = 1 }, .owner),
    ("its group changed", { $0.group = 1 }, .owner),
    ("a hard link was added", { $0.links = 2 }, .linkCount),
  ]

  @Test("every attribute's change is named", arguments: changes)
  func attribute(change: (String, @Sendable (inout Observation) -> Void, Difference)) {
    var found = seen
    change.1(&found)
    #expect(file.difference(found: found, start: seen.trace) == change.2, "\(change.0)")
  }

  @Test("a longer file is a changed size")
  func size() {
    var found = seen
    found.size = 11
    #expect(file.difference(found: found, start: seen.trace) == .size(expected: 10, found: 11))
  }

  @Test("a write is seen by its time, and by ctime when the time was set back")
  func times() {
    var found = seen
    found.modified = 1_001
    found.changed = 2_001
    #expect(file.difference(found: found, start: seen.trace) == .modified)
    found.modified = seen.modified
    #expect(file.difference(found: found, start: seen.trace) == .changed)
  }

  @Test("another inode or another filesystem under the same path is seen")
  func replaced() {
    var found = seen
    found.inode = 8
    #expect(file.difference(found: found, start: seen.trace) == .changed)
    found = seen
    found.filesystem = 3
    #expect(file.difference(found: found, start: seen.trace) == .mounted)
  }

  @Test("without a start, only what was sealed can be compared")
  func noStart() {
    var found = seen
    found.modified = 5
    #expect(file.difference(found: found, start: nil) == nil)
    found.mode = 0o100600
    #expect(file.difference(found: found, start: nil) == .mode(expected: 0o644, found: 0o600))
  }

  @Test("a link is compared by its target, a device by its number")
  func kinds() {
    let link = BaselineEntry(path: bytes("/bin/ls"), kind: .symbolicLink(target: bytes("busybox")), mode: 0o777)
    let linkSeen = Observation(mode: 0o120777)
    #expect(link.difference(found: linkSeen, start: linkSeen.trace) == nil)
    #expect(link.difference(found: linkSeen, leadsAstray: true, start: linkSeen.trace) == .target)
    let device = BaselineEntry(path: bytes("/dev/console"), kind: .characterDevice(major: 5, minor: 1), mode: 0o600)
    #expect(device.difference(found: Observation(mode: 0o020600, major: 5, minor: 1), start: nil) == nil)
    #expect(
      device.difference(found: Observation(mode: 0o020600, major: 1, minor: 1), start: nil)
        == .deviceNumber)
  }

  @Test("a finding reads as a line")
  func text() {
    let finding = Finding(path: bytes("/bin/su"), difference: .mode(expected: 0o755, found: 0o4755))
    #expect(String(decoding: finding.text, as: UTF8.self) == "/bin/su: mode changed from 755 to 4755")
  }

  @Test(
    "the kernel's filesystems, working state and /mnt are not compared; everything else is",
    arguments: [
      ("/", true), ("/etc/passwd", true), ("/process", true), ("/root", true), ("/init", true), ("/proc", false),
      ("/proc/1", false), ("/dev/console", false), ("/run", false), ("/tmp/x", false), ("/mnt", false),
      ("/mnt/boot/x", false), ("/mntx", true), ("/development", true),
    ])
  func coverage(path: String, covered: Bool) { #expect(Coverage.includes(bytes(path)) == covered) }
}

@Suite struct ContentScheduleTests {
  private func baseline(_ sizes: [UInt64]) -> Baseline {
    Baseline(
      entries: sizes.enumerated().map { index, size in
        BaselineEntry(path: bytes("/file\(index)"), kind: .file(size: size, digest: digest), mode: 0o644)
      })
  }

  @Test("every byte of every file comes once a round", arguments: [1, 3, 16, 1_000] as [UInt64])
  func once(pieceSize: UInt64) {
    let sizes: [UInt64] = [0, 1, 16, 17, 100]
    var schedule = ContentSchedule(baseline(sizes), pieceSize: pieceSize)
    var hashed = [UInt64](repeating: 0, count: sizes.count)
    while schedule.rounds == 0, let piece = schedule.piece() {
      #expect(piece.offset == hashed[piece.entry])
      hashed[piece.entry] += piece.count
      #expect(piece.isLast == (hashed[piece.entry] == sizes[piece.entry]))
      #expect(piece.count <= pieceSize)
    }
    #expect(hashed == sizes)
    #expect(schedule.total == sizes.reduce(0, +))
  }

  @Test("a round has as many pieces as it says", arguments: [1, 3, 16, 1_000] as [UInt64])
  func pieces(pieceSize: UInt64) {
    var schedule = ContentSchedule(baseline([0, 1, 16, 17, 100]), pieceSize: pieceSize)
    var count: UInt64 = 0
    while schedule.rounds == 0, schedule.piece() != nil { count += 1 }
    #expect(count == schedule.pieceCount)
  }

  @Test("a file that could not be read comes again from its beginning, and the round waits for it")
  func again() throws {
    var schedule = ContentSchedule(baseline([5, 20]), pieceSize: 8)
    for _ in 0..<3 { _ = schedule.piece() }
    let fourth = schedule.piece()
    let last = try #require(fourth)
    #expect(last.isLast && schedule.rounds == 1)
    schedule.repeatFile(of: last)
    #expect(schedule.rounds == 0)
    let fifth = schedule.piece()
    let repeated = try #require(fifth)
    #expect(repeated.entry == 1 && repeated.offset == 0)
    schedule.passOver(repeated)
    #expect(schedule.piece()?.entry == 0)
  }

  @Test("a baseline without files has nothing to hash")
  func none() {
    var schedule = ContentSchedule(baseline([]), pieceSize: 16)
    #expect(schedule.piece() == nil)
  }
}
