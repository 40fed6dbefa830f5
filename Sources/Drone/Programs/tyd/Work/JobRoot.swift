import Bytes
import Jobs
import Linux

/// The root that a job sees: the home node's system and its user's folders, and of the node that it runs on a processor, some memory,
/// and the name.
struct JobRoot {
  let session: SessionMounts
  let trees: [[UInt8]]
  let folder: Path

  /// Devices that everybody may use.
  private static let devices: [StaticString] = ["null", "zero", "full", "random", "urandom", "tty"]

  /// Mounts it, for the calling process's mount namespace. A pseudo terminal's multiplexer is at `dev/ptmx` then.
  func mount() throws(SystemError) {
    try makeDirectory(folder, permissions: 0o755)
    // Half of the memory at most, and what lies in it counts as the job's.
    try mountFileSystem(
      [UInt8]("job"), on: folder, type: [UInt8]("tmpfs"), flags: [.noSetuid, .noDevices],
      options: [UInt8]("mode=0755,size=50%"))
    for name in directoryEntries(session.system) { try show(name) }
    for name: StaticString in ["tmp", "run", "var", "var/tmp", "proc", "dev"] {
      try makeDirectory(folder / name, exactly: name.isTemporary ? 0o1777 : 0o755)
    }
    for path in trees { try show(tree: path) }
    try mountDevices()
    // Read-only: what stands in /proc/sys belongs to the node, and root of a job is root there.
    try mountFileSystem(
      [UInt8]("proc"), on: folder / "proc", type: [UInt8]("proc"),
      flags: [.readOnly, .noSetuid, .noDevices, .noExecution])
  }

  /// One of the home node's top folders, or a link as many are: `/bin` to `usr/bin`.
  private func show(_ name: [UInt8]) throws(SystemError) {
    let source = session.system / name
    if let target = try? symbolicLink(source) { return try makeSymbolicLink(folder / name, to: target) }
    try makeDirectory(folder / name)
    try bind(source, on: folder / name)
  }

  private func show(tree path: [UInt8]) throws(SystemError) {
    guard session.isMounted(session.tree(path)) else { return }
    var place = folder
    for part in path.split(separator: UInt8(ascii: "/")) {
      place = place / [UInt8](part)
      if !exists(place) { try makeDirectory(place, exactly: 0o755) }
    }
    try bind(session.tree(path), on: place)
  }

  private func mountDevices() throws(SystemError) {
    let devices = folder / "dev"
    for name in JobRoot.devices {
      try replaceFile(devices / name, [])
      try bind(Path("/dev") / name, on: devices / name)
      // It is written to all the same, but root of a job, to whom the node's own device would be his, cannot change who may.
      try makeReadOnly(devices / name)
    }
    try makeDirectory(devices / "shm", exactly: 0o1777)
    try makeDirectory(devices / "pts")
    try mountFileSystem(
      [UInt8]("devpts"), on: devices / "pts", type: [UInt8]("devpts"), flags: [.noSetuid, .noExecution],
      options: [UInt8]("newinstance,ptmxmode=0666,mode=0620"))
    try makeSymbolicLink(devices / "ptmx", to: [UInt8]("pts/ptmx"))
    try makeSymbolicLink(devices / "fd", to: [UInt8]("/proc/self/fd"))
    try makeSymbolicLink(devices / "stdin", to: [UInt8]("/proc/self/fd/0"))
    try makeSymbolicLink(devices / "stdout", to: [UInt8]("/proc/self/fd/1"))
    try makeSymbolicLink(devices / "stderr", to: [UInt8]("/proc/self/fd/2"))
  }
}

extension StaticString {
  fileprivate var isTemporary: Bool {
    let name = [UInt8](self)
    return name.spells("tmp") || name.spells("var/tmp")
  }
}
