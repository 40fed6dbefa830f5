import Bytes

/// The folders below which a job writes to its user's files on the home node.
public struct WorkTrees: Equatable, Sendable {
  public let paths: [[UInt8]]

  /// What a job may only read: the home node's system.
  public static let system: [StaticString] = [
    "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "etc",
  ]
  /// What each node has for itself.
  private static let own: [StaticString] = ["proc", "sys", "dev", "boot"]

  /// The home folder, and the folder that the job starts in where that lies elsewhere. One that belongs to the system, or is the top
  /// of everything, gives none; nor does what is no path.
  public init(home: [UInt8], directory: [UInt8]) {
    let home = normalized(home)
    let directory = normalized(directory)
    var paths: [[UInt8]] = []
    if let directory, WorkTrees.canBeWritten(directory) { paths.append(directory) }
    if let home, WorkTrees.canBeWritten(home), !paths.contains(where: { isBelow(home, $0) }) {
      paths.removeAll { isBelow($0, home) }
      paths.append(home)
    }
    // The outer one first: what is mounted later lies above.
    paths.sort { $0.count < $1.count }
    self.paths = paths
  }

  private static func canBeWritten(_ path: [UInt8]) -> Bool {
    let top = path.dropFirst().prefix { $0 != UInt8(ascii: "/") }
    return !top.isEmpty && !(system + own).contains { top.spells($0) }
  }
}

/// Whether one path is the other or lies below it. Both normalized.
public func isBelow(_ path: [UInt8], _ folder: [UInt8]) -> Bool {
  path == folder || folder == [UInt8(ascii: "/")]
    || (path.starts(with: folder) && path.count > folder.count && path[folder.count] == UInt8(ascii: "/"))
}

/// A path without empty parts and `.`; nil if it does not begin at the top, has a zero byte or `..` in it, or is too long.
public func normalized(_ path: [UInt8]) -> [UInt8]? {
  guard path.first == UInt8(ascii: "/"), path.count < longestPath, !path.contains(0) else { return nil }
  var out: [UInt8] = []
  for part in path.split(separator: UInt8(ascii: "/")) where !part.spells(".") {
    if part.spells("..") { return nil }
    out.append(UInt8(ascii: "/"))
    out += part
  }
  return out.isEmpty ? [UInt8(ascii: "/")] : out
}

/// Which variables of the environment go along: all but those that name the display, the session, or things of the home node that no
/// other node has.
public func travels(_ variable: [UInt8]) -> Bool {
  let name = variable.prefix { $0 != UInt8(ascii: "=") }
  guard name.count < variable.count, !name.isEmpty else { return false }
  let whole: [StaticString] = [
    "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "TMUX", "TMUX_PANE", "STY", "WINDOW", "WINDOWID", "MAIL", "_",
    "MOSRUN_HOME", "MOSRUN_NODE", "HOSTNAME", "TMPDIR",
  ]
  if whole.contains(where: { name.spells($0) }) { return false }
  let beginnings: [StaticString] = ["XDG_", "DBUS_", "SSH_", "SESSION_", "GPG_", "SYSTEMD_", "INVOCATION_ID"]
  return !beginnings.contains { name.starts(with: [UInt8]($0)) }
}
