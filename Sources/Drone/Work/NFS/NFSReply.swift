import Bytes

/// What an NFS call is answered (RFC 1813 §3.3). Attributes are nil where they could not be had.
public enum NFSReply: Equatable, Sendable {
  case null
  case attributes(FileAttributes)
  /// SETATTR, REMOVE, RMDIR.
  case changed(Change)
  case found(ObjectHandle, FileAttributes?, folder: FileAttributes?)
  case access(FileAttributes?, AccessRights)
  case link(FileAttributes?, target: [UInt8])
  case read(FileAttributes?, data: [UInt8], isAtEnd: Bool)
  case written(Change, count: UInt32, Stability, verifier: UInt64)
  /// CREATE, MKDIR, SYMLINK, MKNOD.
  case made(ObjectHandle?, FileAttributes?, folder: Change)
  case renamed(from: Change, to: Change)
  case linked(FileAttributes?, folder: Change)
  /// READDIR, READDIRPLUS.
  case listed(FileAttributes?, verifier: UInt64, Listing, isAtEnd: Bool)
  case fileSystem(FileAttributes?, FileSystemUse)
  case limits(FileAttributes?, TransferLimits)
  case pathLimits(FileAttributes?, longestName: UInt32, mostLinks: UInt32)
  case committed(Change, verifier: UInt64)
  case failed(NFSStatus, FailureDetail)

  /// The reply as a marked record.
  public func record(_ xid: UInt32) -> [UInt8] {
    var writer = ReplyWriter(xid, capacity: 512 + bulk)
    write(&writer.bytes)
    return writer.record
  }

  /// About how many bytes it has besides attributes.
  private var bulk: Int {
    switch self {
    case .read(_, let data, _): data.count
    case .listed(_, _, let listing, _): listing.bytes.count
    case .link(_, let target): target.count
    default: 0
    }
  }

  private func write(_ out: inout [UInt8]) {
    if case .null = self { return }
    if case .failed(let status, let detail) = self {
      out.append(networkOrder: status.rawValue)
      return detail.write(&out)
    }
    out.append(networkOrder: 0 as UInt32)
    switch self {
    case .null, .failed: break
    case .attributes(let attributes): out.append(attributes)
    case .changed(let change): out.append(change)
    case .found(let handle, let attributes, let folder):
      out.append(opaque: handle.bytes)
      out.append(optional: attributes)
      out.append(optional: folder)
    case .access(let attributes, let rights):
      out.append(optional: attributes)
      out.append(networkOrder: rights.rawValue)
    case .link(let attributes, let target):
      out.append(optional: attributes)
      out.append(opaque: target)
    case .read(let attributes, let data, let isAtEnd):
      out.append(optional: attributes)
      out.append(networkOrder: UInt32(clamping: data.count))
      out.append(flag: isAtEnd)
      out.append(opaque: data)
    case .written(let change, let count, let stability, let verifier):
      out.append(change)
      out.append(networkOrder: count)
      out.append(networkOrder: stability.rawValue)
      out.append(networkOrder: verifier)
    case .made(let handle, let attributes, let folder):
      out.append(optional: handle)
      out.append(optional: attributes)
      out.append(folder)
    case .renamed(let from, let to):
      out.append(from)
      out.append(to)
    case .linked(let attributes, let folder):
      out.append(optional: attributes)
      out.append(folder)
    case .listed(let attributes, let verifier, let listing, let isAtEnd):
      out.append(optional: attributes)
      out.append(networkOrder: verifier)
      out += listing.bytes
      // No further entry.
      out.append(flag: false)
      out.append(flag: isAtEnd)
    case .fileSystem(let attributes, let use):
      out.append(optional: attributes)
      use.write(&out)
    case .limits(let attributes, let limits):
      out.append(optional: attributes)
      limits.write(&out)
    case .pathLimits(let attributes, let longestName, let mostLinks):
      out.append(optional: attributes)
      out.append(networkOrder: mostLinks)
      out.append(networkOrder: longestName)
      // Longer names are refused, owners cannot give files away, case matters and stays.
      for flag in [true, true, false, true] { out.append(flag: flag) }
    case .committed(let change, let verifier):
      out.append(change)
      out.append(networkOrder: verifier)
    }
  }
}

/// What a failed call tells of the objects; each call has one form (RFC 1813 §3.3).
public enum FailureDetail: Equatable, Sendable {
  /// GETATTR.
  case nothing
  /// LOOKUP, ACCESS, READLINK, READ, READDIR, READDIRPLUS, FSSTAT, FSINFO, PATHCONF.
  case attributes(FileAttributes?)
  /// SETATTR, WRITE, CREATE, MKDIR, SYMLINK, MKNOD, REMOVE, RMDIR, COMMIT.
  case change(Change)
  /// RENAME.
  case changes(Change, Change)
  /// LINK.
  case link(FileAttributes?, Change)

  func write(_ out: inout [UInt8]) {
    switch self {
    case .nothing: break
    case .attributes(let attributes): out.append(optional: attributes)
    case .change(let change): out.append(change)
    case .changes(let one, let other):
      out.append(one)
      out.append(other)
    case .link(let attributes, let change):
      out.append(optional: attributes)
      out.append(change)
    }
  }
}

/// FSSTAT's numbers (RFC 1813 §3.3.18).
public struct FileSystemUse: Equatable, Sendable {
  public let bytes: UInt64
  public let freeBytes: UInt64
  /// What is free for this user.
  public let availableBytes: UInt64
  public let files: UInt64
  public let freeFiles: UInt64
  public let availableFiles: UInt64

  public init(
    bytes: UInt64, freeBytes: UInt64, availableBytes: UInt64, files: UInt64, freeFiles: UInt64, availableFiles: UInt64
  ) {
    self.bytes = bytes
    self.freeBytes = freeBytes
    self.availableBytes = availableBytes
    self.files = files
    self.freeFiles = freeFiles
    self.availableFiles = availableFiles
  }

  func write(_ out: inout [UInt8]) {
    for number in [bytes, freeBytes, availableBytes, files, freeFiles, availableFiles] {
      out.append(networkOrder: number)
    }
    // invarsec: they may change at any time.
    out.append(networkOrder: 0 as UInt32)
  }
}

/// FSINFO's numbers (RFC 1813 §3.3.19).
public struct TransferLimits: Equatable, Sendable {
  /// The most bytes of a READ or WRITE.
  public let most: UInt32
  /// What is best.
  public let preferred: UInt32
  /// What is best for a folder's names.
  public let preferredListing: UInt32

  public init(most: UInt32, preferred: UInt32, preferredListing: UInt32) {
    self.most = most
    self.preferred = preferred
    self.preferredListing = preferredListing
  }

  func write(_ out: inout [UInt8]) {
    // rtmax, rtpref, rtmult, wtmax, wtpref, wtmult, dtpref
    for number in [most, preferred, 4096, most, preferred, 4096, preferredListing] { out.append(networkOrder: number) }
    // The largest file: what off_t can say.
    out.append(networkOrder: UInt64(Int64.max))
    // Times are exact to a nanosecond.
    out.append(FileTime(seconds: 0, nanoseconds: 1))
    // FSF3_LINK, FSF3_SYMLINK, FSF3_HOMOGENEOUS, FSF3_CANSETTIME
    out.append(networkOrder: 0x1B as UInt32)
  }
}
