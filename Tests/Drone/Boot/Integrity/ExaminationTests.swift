import Integrity
import TestSupport
import Testing

/// A root in memory. Its "digest" is any function of the content: what counts is that it differs when the content does.
struct MemoryRoot: Root {
  struct Node {
    var observation: Observation
    var content: [UInt8] = []
    var target: [UInt8] = []
    var errno: Int32?
  }

  var nodes: [[UInt8]: Node] = [:]
  var mounts: [UInt8] = bytes(
    """
    1 1 0:2 / / rw - rootfs rootfs rw
    12 1 0:12 / /proc rw - proc proc rw
    13 1 0:13 / /sys rw - sysfs sysfs rw
    14 1 0:5 / /dev rw - devtmpfs devtmpfs rw
    15 14 0:14 / /dev/pts rw - devpts devpts rw
    16 1 0:15 / /run rw - tmpfs tmpfs rw
    17 1 0:16 / /tmp rw - tmpfs tmpfs rw

    """)
  var loadedModules: [UInt8] = []
  /// When not 0, nothing can be read: the error number.
  var failure: Int32 = 0
  private var pending: [UInt8] = []

  static func hash(_ content: [UInt8]) -> [UInt8] {
    var state: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in content { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return (0..<32).map { UInt8(truncatingIfNeeded: state >> UInt64($0 % 8 * 8)) &+ UInt8($0) }
  }

  private func node(_ path: [UInt8]) throws(RootError) -> Node {
    if failure != 0 { throw RootError(errno: failure) }
    guard let node = nodes[path] else { throw RootError(errno: RootError.noSuchFile) }
    if let errno = node.errno { throw RootError(errno: errno) }
    return node
  }

  mutating func observe(_ path: [UInt8]) throws(RootError) -> Observation { try node(path).observation }
  mutating func target(_ path: [UInt8], is expected: [UInt8]) throws(RootError) -> Bool {
    try node(path).target == expected
  }
  mutating func names(_ directory: [UInt8]) throws(RootError) -> [[UInt8]] {
    let prefix = directory.count == 1 ? directory : directory + bytes("/")
    return nodes.keys.filter { $0.count > prefix.count && $0.starts(with: prefix) }
      .map { [UInt8]($0.dropFirst(prefix.count)) }.filter { !$0.contains(UInt8(ascii: "/")) }
  }
  mutating func nameCount(_ directory: [UInt8]) throws(RootError) -> Int { try names(directory).count }
  mutating func mountTable() throws(RootError) -> [UInt8] {
    if failure != 0 { throw RootError(errno: failure) }
    return mounts
  }
  mutating func modules() throws(RootError) -> [UInt8] {
    if failure != 0 { throw RootError(errno: failure) }
    return loadedModules
  }
  mutating func digest(_ path: [UInt8], offset: UInt64, count: UInt64, isLast: Bool) throws(RootError) -> [UInt8]? {
    let content = try node(path).content
    if offset == 0 { pending = [] }
    pending += content.dropFirst(Int(offset)).prefix(Int(count))
    return isLast ? Self.hash(pending) : nil
  }
}

/// A random tree and the baseline that its builder would have sealed.
struct RandomTree {
  var root = MemoryRoot()
  var baseline: Baseline

  init(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var entries: [BaselineEntry] = []
    var directories = [bytes("/")]
    root.nodes[bytes("/")] = .init(observation: Observation(mode: 0o040755, links: 2, inode: 1, changed: 5))
    entries.append(BaselineEntry(path: bytes("/"), kind: .directory, mode: 0o755))
    for number in 0..<(3 + Int(random.next() % 20)) {
      let parent = directories[Int(random.next() % UInt64(directories.count))]
      let path = (parent.count == 1 ? parent : parent + bytes("/")) + bytes("n\(number)")
      var observation = Observation(
        mode: 0, inode: UInt64(number) + 2, modified: Int64(random.next() % 1000), changed: 9)
      var node = MemoryRoot.Node(observation: observation)
      switch random.next() % 4 {
      case 0:
        observation.mode = 0o040755
        entries.append(BaselineEntry(path: path, kind: .directory, mode: 0o755))
        directories.append(path)
      case 1:
        observation.mode = 0o120777
        node.target = bytes("target\(random.next() % 100)")
        entries.append(BaselineEntry(path: path, kind: .symbolicLink(target: node.target), mode: 0o777))
      case 2:
        observation.mode = 0o020600
        observation.major = UInt32(random.next() % 200)
        entries.append(
          BaselineEntry(path: path, kind: .characterDevice(major: observation.major, minor: 0), mode: 0o600))
      default:
        node.content = (0..<Int(random.next() % 50)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        observation.mode = 0o100644
        observation.size = UInt64(node.content.count)
        entries.append(
          BaselineEntry(
            path: path, kind: .file(size: observation.size, digest: MemoryRoot.hash(node.content)), mode: 0o644))
      }
      node.observation = observation
      root.nodes[path] = node
    }
    baseline = Baseline(entries: entries)
  }
}

/// All findings of one whole pass: metadata, then every byte of content.
func wholePass(_ examination: inout Examination<MemoryRoot>, _ root: inout MemoryRoot) -> [Finding] {
  var out = examination.metadata(&root)
  let rounds = examination.contents.rounds
  while examination.contents.rounds == rounds {
    let (piece, finding) = examination.content(&root)
    if let finding { out.append(finding) }
    if piece == nil { break }
  }
  return out
}

@Suite struct ExaminationTests {
  @Test("an unchanged tree never raises an alarm", arguments: 0..<200 as Range<UInt64>)
  func unchanged(seed: UInt64) {
    var tree = RandomTree(seed: seed)
    var examination = Examination(tree.baseline, root: &tree.root, pieceSize: 7)
    for _ in 0..<3 { #expect(wholePass(&examination, &tree.root) == []) }
  }

  @Test("any single change to any attribute of any path is found", arguments: 0..<60 as Range<UInt64>)
  func attributes(seed: UInt64) {
    let tree = RandomTree(seed: seed)
    let changes: [@Sendable (inout Observation) -> Void] = [
      { $0.mode ^= 0o1 }, { $0.mode ^= 0o4000 }, { $0.mode ^= 0o010000 }, { $0.owner += 1 }, { $0.group += 1 },
      { $0.links += 1 }, { $0.inode += 1 }, { $0.modified -= 1 }, { $0.changed += 1 }, { $0.filesystem += 1 },
    ]
    for path in tree.root.nodes.keys {
      for change in changes {
        var root = tree.root
        var examination = Examination(tree.baseline, root: &root, pieceSize: 16)
        guard var node = root.nodes[path] else { continue }
        change(&node.observation)
        root.nodes[path] = node
        #expect(wholePass(&examination, &root).contains { $0.path == path })
      }
    }
  }

  @Test("any single byte of content is found, with every attribute as it was", arguments: 0..<60 as Range<UInt64>)
  func contentBytes(seed: UInt64) {
    let tree = RandomTree(seed: seed)
    for (path, node) in tree.root.nodes {
      for index in node.content.indices {
        var root = tree.root
        var examination = Examination(tree.baseline, root: &root, pieceSize: 16)
        root.nodes[path]?.content[index] ^= 1
        #expect(wholePass(&examination, &root) == [Finding(path: path, difference: .content)])
      }
    }
  }

  @Test("a name that leaves no other trace is found within 16 passes")
  func silentName() {
    let tree = RandomTree(seed: 4)
    var root = tree.root
    var examination = Examination(tree.baseline, root: &root, pieceSize: 16)
    #expect(examination.metadata(&root) == [])
    root.nodes[bytes("/new")] = .init(observation: Observation(mode: 0o100644))
    let finding = Finding(path: bytes("/new"), difference: .added)
    #expect((1...16).filter { _ in examination.metadata(&root) == [finding] }.count == 1)
  }

  @Test("another target is found at once with the link that has it, and within 16 passes without any other trace")
  func targets() throws {
    let tree = RandomTree(seed: 4)
    let links = tree.baseline.entries.filter { if case .symbolicLink = $0.kind { true } else { false } }
    try #require(!links.isEmpty)
    for link in links {
      let finding = Finding(path: link.path, difference: .target)
      var root = tree.root
      var examination = Examination(tree.baseline, root: &root, pieceSize: 16)
      #expect(examination.metadata(&root) == [])
      root.nodes[link.path]?.target.append(0x78)
      let passes = (1...16).filter { _ in examination.metadata(&root) == [finding] }
      #expect(passes.count == 1)
      root.nodes[link.path]?.observation.inode += 1
      #expect(examination.metadata(&root) == [finding])
    }
  }

  @Test("a path that is gone, and one that is new, are named", arguments: 0..<60 as Range<UInt64>)
  func paths(seed: UInt64) {
    let tree = RandomTree(seed: seed)
    for entry in tree.baseline.entries where entry.path.count > 1 {
      var root = tree.root
      var examination = Examination(tree.baseline, root: &root, pieceSize: 16)
      root.nodes[entry.path] = nil
      #expect(examination.metadata(&root).contains(Finding(path: entry.path, difference: .missing)))
    }
    var root = tree.root
    var examination = Examination(tree.baseline, root: &root, pieceSize: 16)
    for entry in tree.baseline.entries where entry.kind == .directory {
      let path = (entry.path.count == 1 ? entry.path : entry.path + bytes("/")) + bytes("new")
      let before = root.nodes[entry.path]?.observation
      root.nodes[path] = .init(observation: Observation(mode: 0o100644))
      // As a kernel does.
      root.nodes[entry.path]?.observation.changed += 1
      #expect(examination.metadata(&root) == [Finding(path: path, difference: .added)])
      root.nodes[path] = nil
      if let before { root.nodes[entry.path]?.observation = before }
    }
  }

  @Test("a change before the start is found against the baseline")
  func early() throws {
    var tree = RandomTree(seed: 4)
    let index = try #require(tree.baseline.entries.firstIndex { if case .file = $0.kind { true } else { false } })
    let path = tree.baseline.entries[index].path
    tree.root.nodes[path]?.observation.mode = 0o100666
    var examination = Examination(tree.baseline, root: &tree.root, pieceSize: 16)
    #expect(
      examination.metadata(&tree.root) == [
        Finding(path: path, difference: .mode(expected: 0o644, found: 0o666))
      ])
  }

  @Test("a path that cannot be read is said to be so, not skipped")
  func unreadable() {
    var tree = RandomTree(seed: 4)
    var examination = Examination(tree.baseline, root: &tree.root, pieceSize: 16)
    tree.root.nodes[tree.baseline.entries[1].path]?.errno = 12
    #expect(
      examination.metadata(&tree.root).contains(
        Finding(path: tree.baseline.entries[1].path, difference: .unreadable(errno: 12))))
  }

  @Test("a kernel module loaded after the start is named, unless the image brings it along")
  func module() {
    var tree = RandomTree(seed: 4)
    tree.root.loadedModules = bytes("old 1 0 - Live 0x0\n")
    var examination = Examination(tree.baseline, root: &tree.root, pieceSize: 16, allowing: [bytes("e1000e")])
    tree.root.loadedModules += bytes("e1000e 1 0 - Live 0x0\n")
    #expect(examination.metadata(&tree.root) == [])
    tree.root.loadedModules += bytes("evil 1 0 - Live 0x0\n")
    #expect(examination.metadata(&tree.root) == [Finding(path: bytes("evil"), difference: .module)])
  }

  @Test("a root that has changed everywhere gives no more findings than were asked for")
  func bounded() {
    var tree = RandomTree(seed: 3)
    var examination = Examination(tree.baseline, root: &tree.root, pieceSize: 16)
    tree.root.nodes = [:]
    #expect(examination.metadata(&tree.root, limit: 2).count == 2)
  }

  @Test("one path put in the place of another is named both ways")
  func exchanged() throws {
    var tree = RandomTree(seed: 7)
    let entry = try #require(tree.baseline.entries.last { if case .directory = $0.kind { false } else { true } })
    var examination = Examination(tree.baseline, root: &tree.root, pieceSize: 16)
    let other = entry.path + bytes("x")
    tree.root.nodes[other] = tree.root.nodes[entry.path]
    tree.root.nodes[entry.path] = nil
    // The folder's time is what a kernel would change.
    let folder = [UInt8](entry.path[..<max(1, entry.path.lastIndex(of: UInt8(ascii: "/")) ?? 0)])
    tree.root.nodes[folder]?.observation.changed += 1
    let found = examination.metadata(&tree.root)
    #expect(
      Set(found.map(\.text)) == [
        Finding(path: other, difference: .added).text, Finding(path: entry.path, difference: .missing).text,
      ])
  }

  @Test("a file that could not be read for a moment is hashed from its beginning afterwards")
  func momentary() throws {
    var tree = RandomTree(seed: 4)
    let index = try #require(
      tree.baseline.entries.firstIndex { if case .file(let size, _) = $0.kind { size > 20 } else { false } })
    let path = tree.baseline.entries[index].path
    var examination = Examination(tree.baseline, root: &tree.root, pieceSize: 7)
    var wasRead = 0
    tree.root.nodes[path]?.errno = 12
    for _ in 0..<200 {
      let (piece, finding) = examination.content(&tree.root)
      if piece?.entry == index {
        if wasRead < 2 {
          #expect(finding == Finding(path: path, difference: .unreadable(errno: 12)))
        } else {
          #expect(finding == nil)
        }
        wasRead += 1
        if wasRead == 2 { tree.root.nodes[path]?.errno = nil }
      }
    }
    #expect(wasRead > 3 && examination.contents.rounds > 1)
    tree.root.nodes[path]?.content[0] ^= 1
    // The round that is going on may be past it.
    _ = wholePass(&examination, &tree.root)
    #expect(wholePass(&examination, &tree.root) == [Finding(path: path, difference: .content)])
  }

  @Test("a whole check names each difference once", arguments: 0..<30 as Range<UInt64>)
  func everything(seed: UInt64) {
    var tree = RandomTree(seed: seed)
    var examination = Examination(tree.baseline, root: &tree.root, pieceSize: 7)
    #expect(examination.everything(&tree.root) == [])
    var expected: Set<[UInt8]> = []
    for entry in tree.baseline.entries {
      guard case .file(let size, _) = entry.kind, size > 0 else { continue }
      tree.root.nodes[entry.path]?.content[0] ^= 1
      expected.insert(Finding(path: entry.path, difference: .content).text)
    }
    var again = Examination(tree.baseline, root: &tree.root, pieceSize: 7)
    let found = again.everything(&tree.root)
    #expect(Set(found.map(\.text)) == expected && found.count == expected.count)
  }

  @Test("a mount over a path is told before all that it hides")
  func mountFirst() {
    var tree = RandomTree(seed: 3)
    var examination = Examination(tree.baseline, root: &tree.root, pieceSize: 16)
    tree.root.mounts += bytes("30 1 0:30 / /bin rw - tmpfs none rw\n")
    tree.root.nodes = [:]
    #expect(examination.metadata(&tree.root).first == Finding(path: bytes("/bin"), difference: .mounted))
  }

  @Test(
    "a start without memory is made good as soon as there is some, without an alarm", arguments: 0..<20 as Range<UInt64>
  )
  func poorStart(seed: UInt64) throws {
    var tree = RandomTree(seed: seed)
    tree.root.loadedModules = bytes("old 1 0 - Live 0x0\n")
    tree.root.failure = 12
    var examination = Examination(tree.baseline, root: &tree.root, pieceSize: 16)
    let found = examination.metadata(&tree.root)
    #expect(!found.isEmpty && found.allSatisfy(\.difference.isPassing))
    tree.root.failure = 0
    for _ in 0..<2 { #expect(wholePass(&examination, &tree.root) == []) }
    tree.root.nodes[bytes("/")]?.observation.changed += 1
    tree.root.loadedModules += bytes("evil 1 0 - Live 0x0\n")
    #expect(
      wholePass(&examination, &tree.root) == [
        Finding(path: bytes("evil"), difference: .module), Finding(path: bytes("/"), difference: .changed),
      ])
  }
}
