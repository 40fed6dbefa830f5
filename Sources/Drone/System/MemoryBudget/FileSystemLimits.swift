import Bytes

/// How much of a drone's memory the file systems that live in it may take. Each may be full without hurting programs: what is
/// written beyond gets "No space left on device". The kernel's own limit would be half of the memory for each of them.
///
/// All limits together are what lies beyond `reserve`, at most five eighths of the memory. At 16 MB that is next to nothing, and
/// each gets the least that a drone needs.
public struct FileSystemLimits: Equatable, Sendable {
  /// A limit in KiB; an inode takes about 0.6 KiB beside it.
  public struct Limit: Equatable, Sendable {
    public let size: UInt64
    public let inodes: UInt64

    /// One inode for each page.
    init(_ size: UInt64) {
      self.size = size
      inodes = max(size / 4, 256)
    }

    init(_ size: UInt64, inodes: UInt64) {
      self.size = size
      self.inodes = inodes
    }

    /// tmpfs's options (tmpfs(5)): `size=4096k,nr_inodes=1024`.
    public var options: [UInt8] {
      var out = [UInt8]("size=")
      appendDecimal(size, to: &out)
      out += [UInt8]("k,nr_inodes=")
      appendDecimal(inodes, to: &out)
      return out
    }
  }

  /// /tmp: what the operator puts there.
  public let tmp: Limit
  /// /run: logs, the cluster's map, and the files that `tyd=pxe` serves.
  public let run: Limit
  /// /dev/shm.
  public let shm: Limit
  /// /dev: device nodes take no pages, but inodes.
  public let dev: Limit
  /// What the root may grow by, in KiB.
  public let rootGrowth: UInt64

  /// For the kernel's tables, the root, tyd, certaintyd, the network's programs, shells, and what an operator runs, in KiB.
  public static let reserve: UInt64 = 14 << 10

  /// - Parameter total: the memory that the kernel manages (MemTotal), in KiB.
  public init(total: UInt64) {
    let spare = min(total > Self.reserve ? total - Self.reserve : 0, total / 8 * 5)
    tmp = Limit(max(spare / 16 * 6, 256))
    run = Limit(max(spare / 16 * 7, 256))
    shm = Limit(max(spare / 16, 64))
    dev = Limit(64, inodes: 2048)
    rootGrowth = max(spare / 8, 128)
  }

  /// The root's limit.
  /// - Parameters:
  ///   - used: what is in it, in KiB.
  ///   - inodes: how many files that is.
  public func root(used: UInt64, inodes: UInt64) -> Limit {
    Limit(used &+ rootGrowth, inodes: inodes &+ max(rootGrowth / 4, 64))
  }

  /// All together, the root's present contents left out, in KiB.
  public var sum: UInt64 { tmp.size + run.size + shm.size + dev.size + rootGrowth }
}
