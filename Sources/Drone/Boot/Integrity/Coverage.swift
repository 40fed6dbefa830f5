import Bytes
import DroneLayout

/// The paths that certaintyd covers.
///
/// Covered: every path of the root filesystem. Not covered: what is mounted on /proc, /sys, /dev, /run and /tmp – the
/// kernel's own and the drone's working state –, everything below /mnt, which is the operator's, and the kernel's modules, which
/// go when no more are loaded.
public enum Coverage {
  /// Mount points of a drone with their filesystem's type, each mounted exactly once.
  public static let mounts: [(path: StaticString, type: StaticString)] = [
    ("/proc", "proc"), ("/sys", "sysfs"), ("/dev", "devtmpfs"), ("/dev/pts", "devpts"), ("/run", "tmpfs"),
    ("/tmp", "tmpfs"),
  ]

  /// Whether a path of the root is compared at all. A mount point hides the root's own directory, so it is not.
  public static func includes(_ path: some Collection<UInt8>) -> Bool {
    for (mount, _) in mounts where isAtOrBelow(path, mount) { return false }
    return !isAtOrBelow(path, "/mnt") && !isAtOrBelow(path, DronePath.modules)
  }

  /// Whether a mount at `path` does not matter: below one of the drone's own mount points, or at /mnt and below.
  static func mayBeMountedOn(_ path: some Collection<UInt8>) -> Bool {
    if isAtOrBelow(path, "/mnt") { return true }
    for (mount, _) in mounts where isAtOrBelow(path, mount) && path.count > mount.utf8CodeUnitCount { return true }
    return false
  }

  private static func isAtOrBelow(_ path: some Collection<UInt8>, _ folder: StaticString) -> Bool {
    let bytes = [UInt8](folder)
    guard path.starts(with: bytes) else { return false }
    return path.count == bytes.count || path.dropFirst(bytes.count).first == UInt8(ascii: "/")
  }
}
