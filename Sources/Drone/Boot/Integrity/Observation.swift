/// The part of lstat(2)'s answer that matters.
public struct Observation: Equatable, Sendable {
  /// Type and permission bits (`st_mode`).
  public var mode: UInt32
  public var owner: UInt32
  public var group: UInt32
  public var links: UInt32
  public var size: UInt64
  /// Major and minor number of a device file (`st_rdev`).
  public var major: UInt32
  public var minor: UInt32
  /// Number of the filesystem it is on (`st_dev`) and of the inode.
  public var filesystem: UInt64
  public var inode: UInt64
  /// Modification and change time in nanoseconds since 1970.
  public var modified: Int64
  public var changed: Int64

  public init(
    mode: UInt32, owner: UInt32 = 0, group: UInt32 = 0, links: UInt32 = 1, size: UInt64 = 0, major: UInt32 = 0,
    minor: UInt32 = 0, filesystem: UInt64 = 0, inode: UInt64 = 0, modified: Int64 = 0, changed: Int64 = 0
  ) {
    self.mode = mode
    self.owner = owner
    self.group = group
    self.links = links
    self.size = size
    self.major = major
    self.minor = minor
    self.filesystem = filesystem
    self.inode = inode
    self.modified = modified
    self.changed = changed
  }

  /// What of it only a later look can be compared with; the rest is in the baseline. An entry's is kept as long as certaintyd
  /// runs.
  public struct Trace: Equatable, Sendable {
    var links: UInt32
    /// Of the two numbers the lower halves: they are no longer on a drone.
    var filesystem: UInt32
    var inode: UInt32
    var modified: Int64
    var changed: Int64
  }

  public var trace: Trace {
    Trace(
      links: links, filesystem: UInt32(truncatingIfNeeded: filesystem), inode: UInt32(truncatingIfNeeded: inode),
      modified: modified, changed: changed)
  }

  /// The type bits of `st_mode` (S_IFMT; inode(7)).
  public var type: UInt32 { mode & 0o170000 }
}

extension BaselineEntry.Kind {
  /// The type bits of `st_mode` that belong to the kind (inode(7)).
  var type: UInt32 {
    switch self {
    case .file: 0o100000
    case .directory: 0o040000
    case .symbolicLink: 0o120000
    case .characterDevice: 0o020000
    case .blockDevice: 0o060000
    }
  }
}

extension BaselineEntry {
  /// The first way in which a path differs from what was sealed and from what it was at the start; nil when it does not.
  ///
  /// `start` is what was seen when certaintyd started: only against that can times, link count and the inode itself be
  /// compared. A write through the filesystem changes ctime, which nothing can set back. `leadsAstray`: a link has
  /// another target.
  public func difference(found: Observation, leadsAstray: Bool = false, start: Observation.Trace?) -> Difference? {
    guard found.type == kind.type else { return .type }
    if found.mode & 0o7777 != mode { return .mode(expected: mode, found: found.mode & 0o7777) }
    if found.owner != owner || found.group != group { return .owner }
    switch kind {
    case .file(let size, _):
      if found.size != size { return .size(expected: size, found: found.size) }
    case .symbolicLink:
      if leadsAstray { return .target }
    case .characterDevice(let major, let minor), .blockDevice(let major, let minor):
      if found.major != major || found.minor != minor { return .deviceNumber }
    case .directory: break
    }
    guard let start else { return nil }
    let now = found.trace
    if now.filesystem != start.filesystem { return .mounted }
    if now.links != start.links { return .linkCount }
    if now.modified != start.modified { return .modified }
    if now.changed != start.changed || now.inode != start.inode { return .changed }
    return nil
  }
}
