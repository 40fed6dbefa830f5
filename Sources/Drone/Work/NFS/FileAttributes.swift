import Bytes

/// ftype3 (RFC 1813 §2.3.5).
public enum FileKind: UInt32, CaseIterable, Sendable {
  case file = 1
  case folder = 2
  case blockDevice = 3
  case characterDevice = 4
  case link = 5
  case socket = 6
  case fifo = 7
}

/// nfstime3: seconds since 1970 and nanoseconds.
public struct FileTime: Equatable, Sendable {
  public let seconds: UInt32
  public let nanoseconds: UInt32

  public init(seconds: UInt32, nanoseconds: UInt32) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }
}

/// fattr3 (RFC 1813 §2.3.5).
public struct FileAttributes: Equatable, Sendable {
  public var kind: FileKind
  /// The twelve bits of chmod(2).
  public var mode: UInt32
  public var links: UInt32
  public var owner: UInt32
  public var group: UInt32
  public var size: UInt64
  /// Bytes on the medium.
  public var used: UInt64
  public var major: UInt32
  public var minor: UInt32
  public var fileSystem: UInt64
  public var fileID: UInt64
  public var accessed: FileTime
  public var modified: FileTime
  public var changed: FileTime

  public init(
    kind: FileKind, mode: UInt32, links: UInt32, owner: UInt32, group: UInt32, size: UInt64, used: UInt64,
    major: UInt32, minor: UInt32, fileSystem: UInt64, fileID: UInt64, accessed: FileTime, modified: FileTime,
    changed: FileTime
  ) {
    self.kind = kind
    self.mode = mode
    self.links = links
    self.owner = owner
    self.group = group
    self.size = size
    self.used = used
    self.major = major
    self.minor = minor
    self.fileSystem = fileSystem
    self.fileID = fileID
    self.accessed = accessed
    self.modified = modified
    self.changed = changed
  }

  /// What a change is compared with.
  public var before: AttributesBefore { AttributesBefore(size: size, modified: modified, changed: changed) }
}

/// wcc_attr: what a client compares with what it knew before a change (RFC 1813 §2.3.7).
public struct AttributesBefore: Equatable, Sendable {
  public let size: UInt64
  public let modified: FileTime
  public let changed: FileTime

  public init(size: UInt64, modified: FileTime, changed: FileTime) {
    self.size = size
    self.modified = modified
    self.changed = changed
  }
}

/// wcc_data: an object before and after a change, as far as it is known (RFC 1813 §2.3.8).
public struct Change: Equatable, Sendable {
  public var before: AttributesBefore?
  public var after: FileAttributes?

  public init(before: AttributesBefore? = nil, after: FileAttributes? = nil) {
    self.before = before
    self.after = after
  }
}

/// How a time is set (time_how, RFC 1813 §2.3.9).
public enum TimeSetting: Equatable, Sendable {
  case keep
  case now
  case to(FileTime)
}

/// sattr3: what is set; nil leaves as it is.
public struct AttributeSetting: Equatable, Sendable {
  public var mode: UInt32?
  public var owner: UInt32?
  public var group: UInt32?
  public var size: UInt64?
  public var accessed: TimeSetting
  public var modified: TimeSetting

  public init(
    mode: UInt32? = nil, owner: UInt32? = nil, group: UInt32? = nil, size: UInt64? = nil,
    accessed: TimeSetting = .keep, modified: TimeSetting = .keep
  ) {
    self.mode = mode
    self.owner = owner
    self.group = group
    self.size = size
    self.accessed = accessed
    self.modified = modified
  }
}

extension ByteReader where Failure == ReadingError {
  mutating func time() throws(ReadingError) -> FileTime {
    FileTime(seconds: try uint32(), nanoseconds: try uint32())
  }

  mutating func attributeSetting() throws(ReadingError) -> AttributeSetting {
    var out = AttributeSetting()
    if try flag() { out.mode = try uint32() }
    if try flag() { out.owner = try uint32() }
    if try flag() { out.group = try uint32() }
    if try flag() { out.size = try uint64() }
    out.accessed = try timeSetting()
    out.modified = try timeSetting()
    return out
  }

  private mutating func timeSetting() throws(ReadingError) -> TimeSetting {
    let start = offset
    switch try uint32() {
    case 0: return .keep
    case 1: return .now
    case 2:
      let time = try time()
      guard time.nanoseconds < 1_000_000_000 else { throw .value(offset: start) }
      return .to(time)
    default: throw .value(offset: start)
    }
  }
}

extension Array where Element == UInt8 {
  mutating func append(_ time: FileTime) {
    append(networkOrder: time.seconds)
    append(networkOrder: time.nanoseconds)
  }

  mutating func append(_ attributes: FileAttributes) {
    append(networkOrder: attributes.kind.rawValue)
    append(networkOrder: attributes.mode)
    append(networkOrder: attributes.links)
    append(networkOrder: attributes.owner)
    append(networkOrder: attributes.group)
    append(networkOrder: attributes.size)
    append(networkOrder: attributes.used)
    append(networkOrder: attributes.major)
    append(networkOrder: attributes.minor)
    append(networkOrder: attributes.fileSystem)
    append(networkOrder: attributes.fileID)
    append(attributes.accessed)
    append(attributes.modified)
    append(attributes.changed)
  }

  /// post_op_attr.
  mutating func append(optional attributes: FileAttributes?) {
    append(flag: attributes != nil)
    if let attributes { append(attributes) }
  }

  /// post_op_fh3.
  mutating func append(optional handle: ObjectHandle?) {
    append(flag: handle != nil)
    if let handle { append(opaque: handle.bytes) }
  }

  mutating func append(_ change: Change) {
    append(flag: change.before != nil)
    if let before = change.before {
      append(networkOrder: before.size)
      append(before.modified)
      append(before.changed)
    }
    append(optional: change.after)
  }
}
