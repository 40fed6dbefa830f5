import CLinux

/// The user that owns nothing.
public let nobody: UInt32 = 65_534

/// Keeps the open descriptors and gives up the rest: the process becomes another user, without a way back, and sees of the file
/// system only the empty folder. When it throws, the process may be anything in between and must end.
public func dropPrivileges(seeingOnly empty: Path, as user: UInt32 = nobody) throws(SystemError) {
  guard empty.withCString({ linux_drop_privileges($0, user) }) == 0 else {
    throw SystemError("drop privileges", empty.bytes)
  }
}
