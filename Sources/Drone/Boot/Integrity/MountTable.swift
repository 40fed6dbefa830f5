import Bytes

/// One line of /proc/self/mountinfo (proc_pid_mountinfo(5)), as far as it counts.
public struct Mount: Equatable, Sendable {
  /// The part of the filesystem that is mounted; not `/` for a bind mount.
  public var root: [UInt8]
  /// The mount point.
  public var point: [UInt8]
  /// Options of the mount and of the filesystem, joined by one space.
  public var options: [UInt8]
  public var type: [UInt8]
  /// `major:minor`, by which two filesystems of one type differ.
  public var device: [UInt8]

  /// Nil for a line that is not of the documented form.
  public init?(line: some Collection<UInt8>) {
    let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: true)
    // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
    guard fields.count >= 10, let dash = fields.dropFirst(6).firstIndex(where: { $0.spells("-") }),
      fields.count > dash + 3
    else { return nil }
    device = [UInt8](fields[2])
    root = unescaped(fields[3])
    point = unescaped(fields[4])
    type = [UInt8](fields[dash + 1])
    options = [UInt8](fields[5]) + [UInt8(ascii: " ")] + [UInt8](fields[dash + 3])
  }
}

/// All mounts of a process, in the order in which they were made.
public struct MountTable: Equatable, Sendable {
  public var mounts: [Mount]
  /// Lines that could not be read: a table with such lines is not trusted.
  public var unreadable: Int

  public init(text: [UInt8]) {
    mounts = []
    unreadable = 0
    for line in text.split(separator: UInt8(ascii: "\n")) {
      if let mount = Mount(line: line) { mounts.append(mount) } else { unreadable += 1 }
    }
  }

  /// Every mount that a drone does not make itself, each of its own that is missing, doubled or of another type, and
  /// every one whose options or source are no longer those at the `start`. One of its own that was missing at the start
  /// already has been reported by the boot.
  public func findings(start: MountTable?) -> [Finding] {
    var out: [Finding] = []
    if unreadable > 0 { out.append(Finding(path: [UInt8]("/proc/self/mountinfo"), difference: .unreadable(errno: 0))) }
    let root = [UInt8]("/")
    var seen = [Int](repeating: 0, count: Coverage.mounts.count + 1)
    for mount in mounts where !Coverage.mayBeMountedOn(mount.point) || isOwn(mount.point) {
      let own = Coverage.mounts.firstIndex { mount.point.spells($0.path) }
      let index = own.map { $0 + 1 } ?? (mount.point.elementsEqual(root) ? 0 : nil)
      guard let index else {
        out.append(Finding(path: mount.point, difference: .mounted))
        continue
      }
      seen[index] += 1
      let rightType = own.map { mount.type.spells(Coverage.mounts[$0].type) } ?? true
      if seen[index] > 1 || !rightType || !mount.root.elementsEqual(root) {
        out.append(Finding(path: mount.point, difference: .mounted))
      } else if let start, let difference = start.difference(mount) {
        out.append(Finding(path: mount.point, difference: difference))
      }
    }
    if seen[0] == 0 { out.append(Finding(path: root, difference: .missing)) }
    for (index, own) in Coverage.mounts.enumerated() where seen[index + 1] == 0 {
      let path = [UInt8](own.path)
      if start?.mounts.contains(where: { $0.point == path }) ?? true {
        out.append(Finding(path: path, difference: .missing))
      }
    }
    return out
  }

  /// How a mount differs from the one that was there at the start.
  private func difference(_ mount: Mount) -> Difference? {
    guard let before = mounts.first(where: { $0.point == mount.point }) else { return .mounted }
    if before.device != mount.device || before.type != mount.type || before.root != mount.root { return .mounted }
    return before.options == mount.options ? nil : .remounted
  }

  private func isOwn(_ point: [UInt8]) -> Bool {
    Coverage.mounts.contains { point.spells($0.path) }
  }

  /// The folders on which something is mounted that may hold data to be written back, latest first: all but the root and
  /// the kernel's own views.
  public var unmountOrder: [[UInt8]] {
    let kept: [StaticString] = ["proc", "sysfs", "devtmpfs", "devpts", "rootfs", "tmpfs", "ramfs", "cgroup2"]
    var folders: [[UInt8]] = []
    for mount in mounts where !kept.contains(where: { mount.type.spells($0) }) {
      if !mount.point.spells("/") { folders.append(mount.point) }
    }
    return folders.reversed()
  }
}

/// Turns `\040` back into a space, as the kernel writes white space and backslashes in names (proc_pid_mountinfo(5)).
func unescaped(_ field: some Collection<UInt8>) -> [UInt8] {
  var out: [UInt8] = []
  let bytes = [UInt8](field)
  var index = 0
  while index < bytes.count {
    let digits = bytes[(index + 1)...].prefix(3)
    let isOctal = digits.count == 3 && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
    if bytes[index] == UInt8(ascii: "\\"), isOctal {
      out.append(digits.reduce(0) { $0 << 3 | ($1 & 7) })
      index += 4
    } else {
      out.append(bytes[index])
      index += 1
    }
  }
  return out
}
