import CLinux

/// Leaves the mount namespace: what the process mounts from now on, others do not see, nor what they mount.
public func leaveMountNamespace() throws(SystemError) {
  guard linux_leave_mounts() == 0 else { throw SystemError("unshare") }
}

/// Leaves the namespaces of mounts, System V IPC and host name, and that of the network unless it is kept; the next child is the first
/// process of a process namespace.
public func leaveNamespaces(keepingNetwork keepsNetwork: Bool) throws(SystemError) {
  guard linux_leave_namespaces(keepsNetwork ? 1 : 0) == 0 else { throw SystemError("unshare") }
}

/// The number by which the kernel knows the control group of a folder (cgroup v2). Throws for a folder that is none.
public func controlGroupNumber(_ folder: Path) throws(SystemError) -> UInt64 {
  var number: UInt64 = 0
  guard folder.withCString({ linux_group_number($0, &number) }) == 0 else {
    throw SystemError("name_to_handle_at", folder.bytes)
  }
  return number
}

/// Makes a mounted folder the root of the calling process's mount namespace. Nothing of the former root stays within reach.
public func changeRoot(to folder: Path) throws(SystemError) {
  guard folder.withCString({ linux_change_root($0) }) == 0 else { throw SystemError("pivot_root", folder.bytes) }
}

/// Shows a folder or a file at another place as well, with what is mounted below it (MS_BIND).
public func bind(_ source: Path, on target: Path) throws(SystemError) {
  let flags = CUnsignedLong(MS_BIND | MS_REC)
  guard source.withCString({ source in target.withCString { CLinux.mount(source, $0, nil, flags, nil) } }) == 0 else {
    throw SystemError("bind", target.bytes)
  }
}

/// Lets nothing be changed through a bind that stands there (MS_REMOUNT with MS_BIND); devices still take and give bytes.
public func makeReadOnly(_ target: Path) throws(SystemError) {
  let flags = CUnsignedLong(MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC)
  guard target.withCString({ CLinux.mount(nil, $0, nil, flags, nil) }) == 0 else {
    throw SystemError("remount", target.bytes)
  }
}

/// Switches the loopback interface of the process's network on.
public func startLoopback() throws(SystemError) {
  guard linux_loopback_up() == 0 else { throw SystemError("SIOCSIFFLAGS") }
}

/// Unmounts what is mounted on a folder even where its server is gone: what waits for it fails.
public func unmountForcibly(_ folder: Path) {
  _ = folder.withCString { umount2($0, Int32(linux_unmount_forcibly)) }
  _ = folder.withCString { umount2($0, Int32(linux_unmount_forcibly) | Int32(linux_unmount_lazily)) }
}

/// Makes a folder with exactly these permissions, whatever the mask; one that is there gets them.
public func makeDirectory(_ path: Path, exactly permissions: UInt32) throws(SystemError) {
  try makeDirectory(path, permissions: permissions)
  guard path.withCString({ chmod($0, mode_t(permissions)) }) == 0 else { throw SystemError("chmod", path.bytes) }
}

/// The folder that the process is in.
public func workingDirectory() throws(SystemError) -> [UInt8] {
  var failure: SystemError?
  let path = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
    let length = linux_working_directory(buffer.baseAddress, buffer.count)
    if length < 0 { failure = SystemError("getcwd") }
    count = max(length, 0)
  }
  if let failure { throw failure }
  return path
}

/// The mode bits that new files of this process do not get.
public func creationMask() -> UInt16 { UInt16(truncatingIfNeeded: linux_creation_mask()) }

/// Who the calling process is.
public var userID: UInt32 { getuid() }
