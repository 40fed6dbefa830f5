import NetworkAddresses

/// The folders on which something is mounted that may hold data to be written back, latest first: /proc/mounts without
/// the kernel's own views and without the root.
public func unmountOrder(procMounts: [UInt8]) -> [[UInt8]] {
  let kept: [StaticString] = ["proc", "sysfs", "devtmpfs", "devpts", "rootfs", "tmpfs", "ramfs", "cgroup2"]
  var folders: [[UInt8]] = []
  for line in procMounts.split(separator: UInt8(ascii: "\n")) {
    let fields = line.split(separator: UInt8(ascii: " "))
    guard fields.count >= 3, !kept.contains(where: { fields[2].elementsEqual([UInt8]($0)) }) else { continue }
    let folder = unescaped(fields[1])
    if folder != [UInt8(ascii: "/")] { folders.append(folder) }
  }
  return folders.reversed()
}

/// Turns `\040` back into a space, as /proc/mounts writes white space and backslashes in names (proc(5), getmntent(3)).
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
