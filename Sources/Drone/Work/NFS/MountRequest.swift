import Bytes

/// A call of the mount protocol (RFC 1813 §5.2).
public enum MountRequest: Equatable, Sendable {
  case null
  /// The path; nil when it has no form of ours.
  case mount(MountPath?)
  case dump
  case unmount
  case unmountAll
  case exports

  /// MNTPATHLEN.
  static let longestPath: UInt32 = 1024

  init(_ procedure: UInt32, _ arguments: ArraySlice<UInt8>) throws(ReadingError) {
    var reader = XDRReader(arguments)
    switch procedure {
    case 0: self = .null
    case 1: self = .mount(MountPath(try reader.opaque(upTo: MountRequest.longestPath)))
    case 2: self = .dump
    case 3:
      _ = try reader.opaque(upTo: MountRequest.longestPath)
      self = .unmount
    case 4: self = .unmountAll
    case 5: self = .exports
    default: throw .value(offset: arguments.startIndex)
    }
    try reader.end()
  }
}

/// What a mount call is answered.
public enum MountReply: Equatable, Sendable {
  /// NULL, UMNT, UMNTALL.
  case nothing
  case mounted(ObjectHandle)
  case failed(MountStatus)
  /// DUMP and EXPORT: nobody is told who has what.
  case emptyList

  /// The reply as a marked record.
  public func record(_ xid: UInt32) -> [UInt8] {
    var writer = ReplyWriter(xid)
    switch self {
    case .nothing: break
    case .mounted(let handle):
      writer.bytes.append(networkOrder: 0 as UInt32)
      writer.bytes.append(opaque: handle.bytes)
      // One flavour of credentials: AUTH_SYS.
      writer.bytes.append(networkOrder: 1 as UInt32)
      writer.bytes.append(networkOrder: 1 as UInt32)
    case .failed(let status): writer.bytes.append(networkOrder: status.rawValue)
    case .emptyList: writer.bytes.append(flag: false)
    }
    return writer.record
  }
}
