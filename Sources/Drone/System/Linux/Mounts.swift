import CLinux

/// mount(2)'s flags.
public struct MountFlags: OptionSet, Sendable {
  public let rawValue: UInt
  public init(rawValue: UInt) { self.rawValue = rawValue }

  public static let readOnly = MountFlags(rawValue: UInt(MS_RDONLY))
  public static let noSetuid = MountFlags(rawValue: UInt(MS_NOSUID))
  public static let noDevices = MountFlags(rawValue: UInt(MS_NODEV))
  public static let noExecution = MountFlags(rawValue: UInt(MS_NOEXEC))
  public static let noAccessTimes = MountFlags(rawValue: UInt(MS_NOATIME))
  public static let remount = MountFlags(rawValue: UInt(MS_REMOUNT))
}

/// Mounts a file system of the given type on a folder.
public func mountFileSystem(
  _ source: [UInt8], on folder: Path, type: [UInt8], flags: MountFlags = [], options: [UInt8] = []
) throws(SystemError) {
  let result = withTerminated(source) { source in
    folder.withCString { folder in
      withTerminated(type) { type in
        withTerminated(options) { CLinux.mount(source, folder, type, CUnsignedLong(flags.rawValue), $0) }
      }
    }
  }
  guard result == 0 else { throw SystemError("mount", folder.bytes) }
}

/// Unmounts what is mounted on a folder. With `lazily` it vanishes now and is let go when its last user ends.
public func unmount(_ folder: Path, lazily: Bool = false) throws(SystemError) {
  guard folder.withCString({ umount2($0, lazily ? Int32(linux_unmount_lazily) : 0) }) == 0 else {
    throw SystemError("umount", folder.bytes)
  }
}
