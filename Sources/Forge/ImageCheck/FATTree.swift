extension FATFileSystem {
  /// Every file and folder of the volume, and what is wrong with its directories and chains of clusters: chains that leave
  /// the volume, run in a circle, share a cluster or do not fit their file's size, and clusters that no file has.
  ///
  /// FAT knows neither modes nor owners: both are zero.
  func members(at place: String, _ findings: inout [Finding]) -> [Member] {
    var walk = FATWalk(self)
    walk.run()
    findings += walk.wrong.map { Finding(.fileSystem, place, $0) }
    return walk.members
  }
}

/// A file's bytes, which lie in several clusters.
private struct ClusterChain: ByteSource {
  let bytes: any ByteSource
  /// Clusters that follow each other on the medium.
  var runs: [Range<Int>]
  let count: Int

  func part(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>? {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
    var (skip, left) = (offset, count)
    var out: [UInt8] = []
    for run in runs {
      if skip >= run.count {
        skip -= run.count
        continue
      }
      let length = min(left, run.count - skip)
      guard let piece = bytes.part(run.lowerBound + skip, length) else { return nil }
      if length == count { return piece }
      out += piece
      left -= length
      skip = 0
      if left == 0 { break }
    }
    return left == 0 ? out[...] : nil
  }
}

private struct FATWalk {
  let volume: FATFileSystem
  var members: [Member] = []
  var wrong: [String] = []
  private var taken: [Bool]
  /// Directories to be read: path, first cluster (0 for the root), and their parent's.
  private var open: [(path: String, cluster: Int, parent: Int)] = [("", 0, 0)]

  init(_ volume: FATFileSystem) {
    self.volume = volume
    taken = [Bool](repeating: false, count: volume.end)
  }

  /// Of a path (§7.1): reading has to end some time.
  private static let longestPath = 260
  private static let mostMembers = 100_000
  /// Bytes of a directory (§6).
  private static let largestDirectory = 65_536 * 32

  mutating func run() {
    while let next = open.popLast() {
      read(next.path, next.cluster, next.parent)
      guard members.count <= Self.mostMembers else {
        wrong.append("it has more than \(Self.mostMembers) files")
        return
      }
    }
    var (lost, bad) = (0, 0)
    for number in 2..<volume.end where !taken[number] {
      switch volume.next(number) {
      case .free: break
      case .bad: bad += 1
      default: lost += 1
      }
    }
    if lost > 0 { wrong.append("\(lost) clusters are taken and belong to no file") }
    if bad > 0 { wrong.append("\(bad) clusters are marked as bad, and an image has none") }
  }

  private mutating func read(_ path: String, _ cluster: Int, _ parent: Int) {
    var reasons: [String] = []
    let isRoot = cluster == 0
    let place = isRoot ? "the root directory" : path
    let bytes: [UInt8]
    if isRoot {
      bytes = volume.bytes.part(volume.root, volume.rootSize).map { [UInt8]($0) } ?? []
    } else {
      let chain = chain(from: cluster, of: path)
      let whole = ClusterChain(bytes: volume.bytes, runs: runs(chain), count: chain.count * volume.cluster)
      guard whole.count <= Self.largestDirectory else {
        wrong.append("\(path) is a directory of \(whole.count) bytes, more than any may have")
        return
      }
      bytes = whole.part(0, whole.count).map { [UInt8]($0) } ?? []
    }
    var entries = FATEntry.all(in: bytes, isRoot: isRoot, &reasons)
    wrong += reasons.map { "in \(place), \($0)" }
    if !isRoot {
      // §6.5: a directory's first two entries are itself and its parent, which is 0 for the root.
      let links = entries.prefix(2).map { "\($0.name) \($0.isDirectory) \($0.cluster)" }
      if links != [". true \(cluster)", ".. true \(parent)"] {
        wrong.append("\(path) does not begin with itself and its parent")
      }
    }
    entries.removeAll { $0.name == "." || $0.name == ".." || $0.name == "?" }
    var names: Set<String> = []
    var shorts: Set<[UInt8]> = []
    for entry in entries {
      let path = "\(path)/\(entry.name)"
      if !names.insert(entry.name.lowercased()).inserted || !shorts.insert(entry.short).inserted {
        wrong.append("\(path) is there twice")
      }
      guard path.utf16.count <= Self.longestPath else {
        wrong.append("a path is longer than \(Self.longestPath) characters: \(path.prefix(60))…")
        continue
      }
      add(entry, path, in: cluster)
    }
  }

  private mutating func add(_ entry: FATEntry, _ path: String, in directory: Int) {
    var member = Member(path: path, kind: .directory, mode: 0, user: 0, group: 0, content: .none)
    defer { members.append(member) }
    guard !entry.isDirectory else {
      if entry.size != 0 { wrong.append("\(path) is a directory with a size") }
      guard (2..<volume.end).contains(entry.cluster), !taken[entry.cluster] else {
        wrong.append("\(path) is a directory in cluster \(entry.cluster), which it cannot have")
        return
      }
      open.append((path, entry.cluster, directory))
      return
    }
    member.kind = .file
    let chain = entry.cluster == 0 ? [] : chain(from: entry.cluster, of: path)
    let needed = (entry.size + volume.cluster - 1) / volume.cluster
    if chain.count != needed {
      wrong.append("\(path) has \(chain.count) clusters, and its \(entry.size) bytes take \(needed)")
    }
    let source = ClusterChain(
      bytes: volume.bytes, runs: runs(chain), count: min(entry.size, chain.count * volume.cluster))
    member.content = Content(of: source)
  }

  /// The clusters from `first` on, as far as the chain is sound; each is then taken.
  private mutating func chain(from first: Int, of path: String) -> [Int] {
    var chain: [Int] = []
    var next = FATFileSystem.Next.cluster(first)
    if !(2..<volume.end).contains(first) { next = .outside(first) }
    while true {
      switch next {
      case .cluster(let number):
        guard !taken[number] else {
          wrong.append("\(path) runs into cluster \(number), which is taken already")
          return chain
        }
        taken[number] = true
        chain.append(number)
        next = volume.next(number)
      case .end: return chain
      case .free:
        wrong.append("\(path) runs into a free cluster")
        return chain
      case .bad:
        wrong.append("\(path) runs into a cluster that is marked as bad")
        return chain
      case .outside(let number):
        wrong.append("\(path) leads to cluster \(number), which does not exist")
        return chain
      }
    }
  }

  private func runs(_ chain: [Int]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for number in chain {
      let start = volume.offset(number)
      if let last = runs.last, last.upperBound == start {
        runs[runs.count - 1] = last.lowerBound..<start + volume.cluster
      } else {
        runs.append(start..<start + volume.cluster)
      }
    }
    return runs
  }
}
