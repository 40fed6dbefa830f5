import Bytes

/// Why a path could not be read: the system's error number (errno(3)).
public struct RootError: Error, Equatable {
  public var errno: Int32
  public init(errno: Int32) { self.errno = errno }
  /// No such file or directory (ENOENT).
  public static let noSuchFile: Int32 = 2
}

/// A root filesystem as certaintyd sees it: the real one through system calls, one in memory in tests.
public protocol Root {
  /// lstat(2).
  mutating func observe(_ path: [UInt8]) throws(RootError) -> Observation
  /// Whether a symbolic link's target is this one (readlink(2)).
  mutating func target(_ path: [UInt8], is expected: [UInt8]) throws(RootError) -> Bool
  /// How many names a directory holds, `.` and `..` left out.
  mutating func nameCount(_ directory: [UInt8]) throws(RootError) -> Int
  /// The names in a directory, without `.` and `..`, in any order.
  mutating func names(_ directory: [UInt8]) throws(RootError) -> [[UInt8]]
  /// The text of /proc/self/mountinfo.
  mutating func mountTable() throws(RootError) -> [UInt8]
  /// The text of /proc/modules; empty where the kernel has no modules.
  mutating func modules() throws(RootError) -> [UInt8]
  /// Hashes the next piece of a file. Pieces of one file come in order from offset 0. The last piece gives the digest
  /// of the whole, earlier ones nil.
  mutating func digest(_ path: [UInt8], offset: UInt64, count: UInt64, isLast: Bool) throws(RootError) -> [UInt8]?
}

/// The repeated comparison of a root with its baseline.
///
/// `init` notes what the root looks like at the start: times, link counts, inodes and the mount table are later compared
/// with that, everything else with the baseline itself, so that a change before the first pass is found, too. What cannot be
/// read then is noted as soon as it can be read.
public struct Examination<RootType: Root> {
  public let baseline: Baseline
  public private(set) var contents: ContentSchedule
  private var start: [Observation.Trace?]
  /// How many names each directory holds according to the baseline; 0 for other kinds.
  private let nameCounts: [Int32]
  private var startMounts: MountTable?
  private var startModules: [UInt8]?
  /// Names of modules that may be loaded.
  private let allowedModules: [[UInt8]]
  /// The texts that were last found in order: the same bytes need no second comparison.
  private var soundMounts: [UInt8] = []
  /// How often all metadata has been looked at.
  private var passes = 0
  /// A link's target and a directory's names are read once in so many passes, and whenever its inode or its times are others
  /// than at the start: what replaces a link is another inode, and no name comes or goes without a directory's times.
  private static var turns: Int { 16 }
  /// Number of paths that a pass checks.
  public let entryCount: Int

  /// - Parameters:
  ///   - pieceSize: bytes hashed at a time.
  ///   - modules: the names of those that the image brings along, as /proc/modules has them.
  public init(_ baseline: Baseline, root: inout RootType, pieceSize: UInt64, allowing modules: [[UInt8]] = []) {
    self.baseline = baseline
    allowedModules = modules
    contents = ContentSchedule(baseline, pieceSize: pieceSize)
    nameCounts = childCounts(baseline)
    start = []
    start.reserveCapacity(baseline.entries.count)
    var count = 0
    for entry in baseline.entries {
      guard Coverage.includes(entry.path) else {
        start.append(nil)
        continue
      }
      count += 1
      start.append((try? root.observe(entry.path))?.trace)
    }
    entryCount = count
    startMounts = (try? root.mountTable()).map { MountTable(text: $0) }
    startModules = try? root.modules()
  }

  /// Compares every path's metadata, every directory's names, the mount table and the list of kernel modules; at most
  /// about `limit` findings, mounts first, then paths in the baseline's order.
  ///
  /// `sealed` leaves out what can only be compared with the start (for a single check without a past).
  public mutating func metadata(_ root: inout RootType, limit: Int = 20, sealed: Bool = false) -> [Finding] {
    var out: [Finding] = []
    passes &+= 1
    // First, because what lies below a wrong mount is all different.
    do throws(RootError) {
      let text = try root.mountTable()
      if sealed || text != soundMounts {
        let findings = MountTable(text: text).findings(start: sealed ? nil : startMounts)
        out += findings
        if findings.isEmpty {
          soundMounts = text
          if startMounts == nil { startMounts = MountTable(text: text) }
        }
      }
    } catch {
      out.append(Finding(path: [UInt8]("/proc/self/mountinfo"), difference: .unreadable(errno: error.errno)))
    }
    if !sealed { out += moduleFindings(&root) }
    for index in baseline.entries.indices {
      guard sealed ? Coverage.includes(baseline.entries[index].path) : isCovered(index) else { continue }
      examine(index, root: &root, sealed: sealed, into: &out)
      if out.count >= limit { return out }
    }
    return out
  }

  /// Compares everything with what was sealed, metadata and a whole round of content: all findings.
  public mutating func everything(_ root: inout RootType) -> [Finding] {
    var out = metadata(&root, limit: .max, sealed: true)
    for _ in 0..<contents.pieceCount {
      let (piece, finding) = content(&root)
      guard let piece else { break }
      guard let finding else { continue }
      // A file that cannot be read, or has another size, is named already.
      if !out.contains(where: { $0.path == finding.path }) { out.append(finding) }
      contents.passOver(piece)
    }
    return out
  }

  /// What was seen at the start answers faster than the path.
  private func isCovered(_ index: Int) -> Bool {
    start[index] != nil || Coverage.includes(baseline.entries[index].path)
  }

  /// Hashes the next piece of content; a finding when a file is not what was sealed or cannot be read. Nil `piece` in
  /// the answer means that there is nothing to hash.
  public mutating func content(_ root: inout RootType) -> (piece: ContentSchedule.Piece?, finding: Finding?) {
    guard let piece = contents.piece() else { return (nil, nil) }
    let entry = baseline.entries[piece.entry]
    guard case .file(_, let expected) = entry.kind else { return (piece, nil) }
    do throws(RootError) {
      let digest = try root.digest(entry.path, offset: piece.offset, count: piece.count, isLast: piece.isLast)
      guard let digest, !digest.elementsEqual(expected) else { return (piece, nil) }
      return (piece, Finding(path: entry.path, difference: .content))
    } catch {
      contents.repeatFile(of: piece)
      return (piece, Finding(path: entry.path, difference: difference(error)))
    }
  }

  private mutating func examine(_ index: Int, root: inout RootType, sealed: Bool, into out: inout [Finding]) {
    let entry = baseline.entries[index]
    do throws(RootError) {
      let found = try root.observe(entry.path)
      let isLookedInto = sealed || passes == 1 || start[index] != found.trace || (index &+ passes) % Self.turns == 0
      if start[index] == nil { start[index] = found.trace }
      var leadsAstray = false
      if isLookedInto, case .symbolicLink(let target) = entry.kind, found.type == entry.kind.type {
        leadsAstray = !(try root.target(entry.path, is: target))
      }
      var named: [Finding] = []
      if isLookedInto, case .directory = entry.kind, found.type == entry.kind.type {
        // As many as there should be, and none of those missing, leaves no room for another.
        let count = try root.nameCount(entry.path)
        if sealed || count != Int(nameCounts[index]) {
          named = try added(in: entry.path, &root)
        }
      }
      let difference = entry.difference(found: found, leadsAstray: leadsAstray, start: sealed ? nil : start[index])
      if case .directory = entry.kind, named.isEmpty, let difference, difference.weight == 0 {
        named = try added(in: entry.path, &root)
      }
      out += named
      guard let difference else { return }
      // A directory's times change with its names: the name that was added says more.
      if !named.isEmpty, difference.weight == 0 { return }
      out.append(Finding(path: entry.path, difference: difference))
    } catch {
      out.append(Finding(path: entry.path, difference: difference(error)))
    }
  }

  /// Names in a directory that are not in the baseline. Those that are gone are found under their own path.
  private func added(in directory: [UInt8], _ root: inout RootType) throws(RootError) -> [Finding] {
    var out: [Finding] = []
    for name in try root.names(directory) {
      let path = joined(directory, name)
      if !baseline.entries.contains(where: { $0.path == path }) { out.append(Finding(path: path, difference: .added)) }
    }
    return out
  }

  private mutating func moduleFindings(_ root: inout RootType) -> [Finding] {
    do throws(RootError) {
      let now = try root.modules()
      guard let start = startModules else {
        startModules = now
        return []
      }
      if now == start { return [] }
      let before = names(start)
      return names(now).filter { !before.contains($0) && !allowedModules.contains($0) }
        .map { Finding(path: $0, difference: .module) }
    } catch {
      return [Finding(path: [UInt8]("/proc/modules"), difference: .unreadable(errno: error.errno))]
    }
  }

  /// First field of every line.
  private func names(_ text: [UInt8]) -> [[UInt8]] {
    text.split(separator: UInt8(ascii: "\n")).map { [UInt8]($0.prefix { $0 != UInt8(ascii: " ") }) }
  }

  private func difference(_ error: RootError) -> Difference {
    error.errno == RootError.noSuchFile ? .missing : .unreadable(errno: error.errno)
  }
}

/// `directory` and `name` as one path.
private func joined(_ directory: [UInt8], _ name: [UInt8]) -> [UInt8] {
  directory.count == 1 ? directory + name : directory + [UInt8(ascii: "/")] + name
}

/// For each entry how many others lie in it directly.
private func childCounts(_ baseline: Baseline) -> [Int32] {
  let entries = baseline.entries
  var counts = [Int32](repeating: 0, count: entries.count)
  // Neighbours mostly lie in the same folder.
  var last: Int?
  for entry in entries where entry.path.count > 1 {
    guard let slash = entry.path.lastIndex(of: UInt8(ascii: "/")) else { continue }
    let folder = entry.path[..<max(1, slash)]
    if last.map({ entries[$0].path.elementsEqual(folder) }) != true {
      last = entries.firstIndex { $0.path.elementsEqual(folder) }
    }
    if let last { counts[last] &+= 1 }
  }
  return counts
}
