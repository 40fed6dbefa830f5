import CLinux
import NFS

extension NFSStatus {
  /// What a client is told of the kernel's error number (errno(3)).
  init(errno number: Int32) {
    self =
      switch number {
      case EPERM: .notOwner
      case ENOENT: .missing
      case ENXIO: .noDevice
      // A program that runs, and a place where something is mounted: no call of NFS has a word for them.
      case EACCES, ETXTBSY, EBUSY: .access
      case EEXIST: .exists
      case EXDEV: .otherFileSystem
      case ENODEV: .unknownDevice
      case ENOTDIR: .notFolder
      case EISDIR: .isFolder
      case EINVAL, ELOOP: .invalid
      case EFBIG: .tooLarge
      case ENOSPC: .noSpace
      case EROFS: .readOnly
      case EMLINK: .tooManyLinks
      case ENAMETOOLONG: .nameTooLong
      case ENOTEMPTY: .notEmpty
      case EDQUOT: .quota
      case ESTALE: .stale
      case EOPNOTSUPP, ENOSYS: .notSupported
      // Descriptors or memory are short: the client asks again.
      case EMFILE, ENFILE, ENOMEM, EAGAIN: .later
      default: .input
      }
  }

  /// Of the system call that has just failed.
  static var ofKernel: NFSStatus { NFSStatus(errno: linux_errno()) }
}

/// Throws what the kernel says when a call has failed.
func check(_ result: Int32) throws(NFSStatus) {
  guard result >= 0 else { throw .ofKernel }
}

/// A descriptor that a call gave.
func opened(_ descriptor: Int32) throws(NFSStatus) -> Int32 {
  guard descriptor >= 0 else { throw .ofKernel }
  return descriptor
}

/// Calls `body` with the name as a C string.
func withName<Result>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
  let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: name.count + 1)
  defer { buffer.deallocate() }
  for (index, byte) in name.enumerated() { buffer[index] = CChar(bitPattern: byte) }
  buffer[name.count] = 0
  return body(UnsafePointer(buffer.baseAddress.unsafelyUnwrapped))
}

/// What the kernel says of a name in a folder; of the descriptor's own object without a name.
func readAttributes(_ descriptor: Int32, _ name: [UInt8] = []) throws(NFSStatus) -> linux_attributes {
  var found = linux_attributes()
  try check(withName(name) { linux_read_attributes(descriptor, $0, &found) })
  return found
}

extension linux_attributes {
  /// Nil for what no system has.
  var kind: FileKind? {
    switch mode & 0o170000 {
    case 0o100000: .file
    case 0o040000: .folder
    case 0o060000: .blockDevice
    case 0o020000: .characterDevice
    case 0o120000: .link
    case 0o140000: .socket
    case 0o010000: .fifo
    default: nil
    }
  }

  func attributes(fileSystem: UInt64, fileID: UInt64) -> FileAttributes {
    FileAttributes(
      kind: kind ?? .file, mode: mode & 0o7777, links: links, owner: owner, group: group, size: size, used: used,
      major: major, minor: minor, fileSystem: fileSystem, fileID: fileID,
      accessed: FileTime(seconds: UInt32(clamping: accessed), nanoseconds: accessed_part),
      modified: FileTime(seconds: UInt32(clamping: modified), nanoseconds: modified_part),
      changed: FileTime(seconds: UInt32(clamping: changed), nanoseconds: changed_part))
  }
}
