import Addresses
import Foundation
import Integrity
import SystemRoot
import Testing

@testable import Linux

/// A real folder that stands for a drone's root, and the baseline that its builder would have sealed.
private final class Tree {
  let folder: String
  private(set) var baseline: Baseline
  private let mounts: String

  /// - Parameter place: the folder in which it is made.
  init(in place: String = FileManager.default.temporaryDirectory.path) throws {
    let base = place + "/root-tests-\(UUID().uuidString)"
    folder = base + "/root"
    mounts = base + "/mounts"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    baseline = Baseline(entries: [])
    try directory("")
    try directory("/bin")
    try directory("/empty")
    try file("/bin/busybox", [UInt8]((0..<20_000).map { UInt8(truncatingIfNeeded: $0 * 31) }))
    try link("/bin/ls", "busybox")
    try link("/bin/sh", "busybox")
    try file("/bin/none", [])
    try write(mounts, Array("1 1 0:2 / / rw - rootfs rootfs rw\n".utf8))
  }

  deinit { try? FileManager.default.removeItem(atPath: (folder as NSString).deletingLastPathComponent) }

  var root: SystemRoot {
    SystemRoot(
      prefix: Array(folder.utf8), mounts: Path(Array(mounts.utf8)), modules: Path(Array((mounts + "-none").utf8)))
  }

  func path(_ name: String) -> String { folder + name }

  func write(_ path: String, _ bytes: [UInt8]) throws { try replaceFile(Path(Array(path.utf8)), bytes) }

  private func add(_ name: String, _ kind: BaselineEntry.Kind, _ mode: UInt32) {
    baseline.entries.append(
      BaselineEntry(
        path: Array((name.isEmpty ? "/" : name).utf8), kind: kind, mode: mode, owner: getuid(), group: getgid()))
  }

  private func directory(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    chmod(path(name), 0o755)
    add(name, .directory, 0o755)
  }

  private func file(_ name: String, _ bytes: [UInt8]) throws {
    try write(path(name), bytes)
    chmod(path(name), 0o644)
    chown(path(name), getuid(), getgid())
    var digest = ContentDigest()
    digest.add(bytes.span)
    add(name, .file(size: UInt64(bytes.count), digest: digest.finish()), 0o644)
  }

  private func link(_ name: String, _ target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
    add(name, .symbolicLink(target: Array(target.utf8)), 0o777)
  }
}

@Suite("The real root, on the host")
struct SystemRootTests {
  /// A mount table of one line lacks the drone's own mounts: what a start saw is compared, the rest is not looked at here.
  private func findings(_ examination: inout Examination<SystemRoot>, _ root: inout SystemRoot) -> [String] {
    var found = examination.metadata(&root)
    for _ in 0..<examination.contents.pieceCount {
      if let finding = examination.content(&root).finding { found.append(finding) }
    }
    return found.map { String(decoding: $0.text, as: UTF8.self) }
  }

  @Test(
    "a tree that nobody touches is sound, pass after pass, whatever the size of the pieces",
    arguments: [100, 4096, 1 << 20])
  func sound(_ pieceSize: UInt64) throws {
    let tree = try Tree()
    var root = tree.root
    var examination = Examination(tree.baseline, root: &root, pieceSize: pieceSize)
    for _ in 0..<3 { #expect(findings(&examination, &root) == []) }
    #expect(examination.contents.rounds == 3)
    root.close()
  }

  /// docs/SECURITY.md says so.
  @Test("a write through a shared mapping of a tmpfs leaves no ctime: only the content tells, while it is there")
  func mapped() throws {
    let tree = try Tree(in: "/dev/shm")
    var root = tree.root
    var examination = Examination(tree.baseline, root: &root, pieceSize: 4096)
    #expect(findings(&examination, &root) == [])
    let file = open(tree.path("/bin/busybox"), O_RDWR)
    defer { close(file) }
    let mapping = try #require(mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0))
    defer { munmap(mapping, 4096) }
    let byte = mapping.assumingMemoryBound(to: UInt8.self)
    let before = byte.pointee
    byte.pointee = ~before
    #expect(findings(&examination, &root) == ["/bin/busybox: content changed"])
    byte.pointee = before
    #expect(findings(&examination, &root) == [])
    root.close()
  }

  struct Change: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var says: [String]
    var make: @Sendable (String) throws -> Void
  }

  static let changes: [Change] = [
    Change(testDescription: "mode", says: ["/bin/none: mode changed from 644 to 600"]) {
      chmod($0 + "/bin/none", 0o600)
    },
    Change(testDescription: "a file added", says: ["/empty/new: was added"]) {
      _ = FileManager.default.createFile(atPath: $0 + "/empty/new", contents: nil)
    },
    Change(testDescription: "a file removed", says: ["/bin: was modified", "/bin/ls: is gone"]) {
      try FileManager.default.removeItem(atPath: $0 + "/bin/ls")
    },
    Change(
      testDescription: "a byte in place, times set back",
      says: ["/bin/busybox: was changed (ctime)", "/bin/busybox: content changed"]
    ) { folder in
      let path = folder + "/bin/busybox"
      var before = stat()
      stat(path, &before)
      let file = open(path, O_WRONLY)
      pwrite(file, [0xFF], 1, 19_999)
      futimens(file, [before.st_atim, before.st_mtim])
      close(file)
    },
    Change(
      testDescription: "a link's target", says: ["/bin: was modified", "/bin/sh: link target changed"]
    ) {
      try FileManager.default.removeItem(atPath: $0 + "/bin/sh")
      try FileManager.default.createSymbolicLink(atPath: $0 + "/bin/sh", withDestinationPath: "toybox0")
    },
    Change(
      testDescription: "a link made a file", says: ["/bin: was modified", "/bin/sh: is another kind of file"]
    ) {
      try FileManager.default.removeItem(atPath: $0 + "/bin/sh")
      _ = FileManager.default.createFile(atPath: $0 + "/bin/sh", contents: nil)
    },
    Change(
      testDescription: "the same file anew", says: ["/bin: was modified", "/bin/none: was modified"]
    ) {
      try FileManager.default.removeItem(atPath: $0 + "/bin/none")
      _ = FileManager.default.createFile(atPath: $0 + "/bin/none", contents: nil)
      chmod($0 + "/bin/none", 0o644)
    },
    Change(
      testDescription: "a pipe in a file's place", says: ["/bin: was modified", "/bin/none: is another kind of file"]
    ) {
      try FileManager.default.removeItem(atPath: $0 + "/bin/none")
      mkfifo($0 + "/bin/none", 0o644)
    },
    Change(
      testDescription: "a second name of a file", says: ["/bin/none: link count changed", "/empty/none: was added"]
    ) {
      try FileManager.default.linkItem(atPath: $0 + "/bin/none", toPath: $0 + "/empty/none")
    },
  ]

  @Test("a change in a real folder is found and named", arguments: changes)
  func found(_ change: Change) throws {
    let tree = try Tree()
    var root = tree.root
    var examination = Examination(tree.baseline, root: &root, pieceSize: 4096)
    #expect(findings(&examination, &root) == [])
    // The kernel's times move on by ticks.
    Thread.sleep(forTimeInterval: 0.02)
    try change.make(tree.folder)
    let found = findings(&examination, &root)
    for line in change.says { #expect(found.contains(line), "found instead: \(found)") }
    root.close()
  }

  @Test("a folder with more names than fit one call is counted whole")
  func manyNames() throws {
    let tree = try Tree()
    for number in 0..<1000 {
      _ = FileManager.default.createFile(atPath: tree.path("/empty/a-name-of-some-length-\(number)"), contents: nil)
    }
    var root = tree.root
    #expect(try root.nameCount(Array("/empty".utf8)) == 1000)
    #expect(try root.names(Array("/empty".utf8)).count == 1000)
    root.close()
  }

  @Test("what is not there, and a path that no kernel takes, are errors with their number")
  func errors() throws {
    let tree = try Tree()
    var root = tree.root
    #expect(throws: RootError(errno: ENOENT)) { try root.observe(Array("/nothing".utf8)) }
    #expect(throws: RootError(errno: ENOTDIR)) { try root.nameCount(Array("/bin/ls".utf8)) }
    #expect(throws: RootError(errno: ENAMETOOLONG)) { try root.observe([UInt8](repeating: 0x61, count: 5000)) }
    #expect(throws: RootError(errno: ELOOP)) {
      try root.digest(Array("/bin/ls".utf8), offset: 0, count: 10, isLast: true)
    }
    #expect(try root.modules() == [])
    root.close()
  }
}
