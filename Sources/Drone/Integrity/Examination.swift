import NetworkAddresses

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
  /// readlink(2).
  mutating func target(_ path: [UInt8]) throws(RootError) -> [UInt8]
  /// The names in a directory, without `.` and `..`, in any order.
  mutating func names(_ directory: [UInt8]) throws(RootError) -> [[UInt8]]
  /// The text of /proc/self/mountinfo.
  mutating func mountTable() throws(RootError) -> [UInt8]
  /// The text of /proc/modules; empty where the kernel has no modules.
  mutating func modules() throws(RootError) -> [UInt8]
  /// Hashes the next piece of a file. Pieces of one file come in order from offset 0. The last piece gives the SHA-256
  /// of the whole, earlier ones nil.
  mutating func digest(_ path: [UInt8], offset: UInt64, count: UInt64, isLast: Bool) throws(RootError) -> [UInt8]?
}

/// The comparison of a root with its baseline, over and over.
///
/// `init` notes what the root looks like at the start: times, link counts, inodes and the mount table are later compared
/// with that, everything else with the baseline itself, so that a change before the first pass is found too.
public struct Examination<RootType: Root> {
  public let baseline: Baseline
  public private(set) var contents: ContentSchedule
  private var start: [Observation?]
  private let startMounts: MountTable?
  private let startModules: [UInt8]
  private let known: Set<[UInt8]>

  /// `pieceSize`: bytes hashed at a time.
  public init(_ baseline: Baseline, root: inout RootType, pieceSize: UInt64) {
    self.baseline = baseline
    contents = ContentSchedule(baseline, pieceSize: pieceSize)
    known = Set(baseline.entries.map { $0.path })
    start = []
    start.reserveCapacity(baseline.entries.count)
    for entry in baseline.entries {
      start.append(Coverage.includes(entry.path) ? try? root.observe(entry.path) : nil)
    }
    startMounts = (try? root.mountTable()).map { MountTable(text: $0) }
    startModules = (try? root.modules()) ?? []
  }

  /// Number of paths that a pass looks at.
  public var entryCount: Int { baseline.entries.reduce(0) { $0 + (Coverage.includes($1.path) ? 1 : 0) } }

  /// Compares every path's metadata, every directory's names, the mount table and the list of kernel modules; at most
  /// `limit` findings, in the baseline's order.
  ///
  /// `sealed` leaves out what can only be compared with the start (for a single check without a past).
  public mutating func metadata(_ root: inout RootType, limit: Int = 20, sealed: Bool = false) -> [Finding] {
    var out: [Finding] = []
    for index in baseline.entries.indices {
      let entry = baseline.entries[index]
      guard Coverage.includes(entry.path) else { continue }
      examine(entry, start: sealed ? nil : start[index], root: &root, into: &out)
      if out.count >= limit { return out }
    }
    do throws(RootError) {
      out += MountTable(text: try root.mountTable()).findings(start: sealed ? nil : startMounts)
    } catch {
      out.append(Finding(path: [UInt8]("/proc/self/mountinfo"), difference: .unreadable(errno: error.errno)))
    }
    if !sealed { out += moduleFindings(&root) }
    return out
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
      return (piece, Finding(path: entry.path, difference: difference(error)))
    }
  }

  private func examine(_ entry: BaselineEntry, start: Observation?, root: inout RootType, into out: inout [Finding]) {
    do throws(RootError) {
      let found = try root.observe(entry.path)
      var target: [UInt8]?
      if case .symbolicLink = entry.kind, found.type == entry.kind.type { target = try root.target(entry.path) }
      let named = entry.kind == .directory && found.type == entry.kind.type ? try added(in: entry.path, &root) : []
      out += named
      guard let difference = entry.difference(found: found, target: target, start: start) else { return }
      // A directory's times change with its names: the name that was added says more.
      if !named.isEmpty, difference == .modified || difference == .changed || difference == .linkCount { return }
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
      if !known.contains(path) { out.append(Finding(path: path, difference: .added)) }
    }
    return out
  }

  private func moduleFindings(_ root: inout RootType) -> [Finding] {
    do throws(RootError) {
      let before = names(startModules)
      return names(try root.modules()).filter { !before.contains($0) }
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
