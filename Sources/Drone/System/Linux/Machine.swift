import Addresses
import Bytes
import CLinux
import MachineReadings
import MemoryBudget

/// What this machine is and how busy it is now. What /proc does not say is 0.
public func readMachine() -> MachineReadings {
  var readings = MachineReadings()
  // A paragraph of cpuinfo has about 1.5 KiB.
  if let text = try? readFile("/proc/cpuinfo", limit: 1 << 20) { readings.read(cpuinfo: text) }
  if let text = try? readFile("/proc/meminfo", limit: 1 << 14) { readings.read(meminfo: text) }
  if let text = try? readFile("/proc/loadavg", limit: 256) { readings.read(loadavg: text) }
  if let text = try? readFile("/proc/uptime", limit: 256) { readings.read(uptime: text) }
  return readings
}

/// How full the file system is that a path is on; nil if there is no such path.
public func fileSystemUse(of path: Path) -> FileSystemUse? {
  var use = linux_file_system_use()
  guard path.withCString({ linux_read_file_system_use($0, &use) }) == 0 else { return nil }
  return FileSystemUse(
    size: use.block / 512 &* use.blocks / 2, free: use.block / 512 &* use.free_blocks / 2, inodes: use.inodes,
    freeInodes: use.free_inodes)
}

/// Looks where memory may be short.
public func lookForShortages() -> ShortageWatch.Look {
  var look = ShortageWatch.Look(uses: ShortageWatch.folders.map { fileSystemUse(of: Path([UInt8]($0))) })
  var readings = MachineReadings()
  if let text = try? readFile("/proc/meminfo", limit: 1 << 14) { readings.read(meminfo: text) }
  look.memoryTotal = readings.memoryTotal
  look.memoryAvailable = readings.memoryAvailable
  if let text = try? readFile("/proc/vmstat", limit: 1 << 15) { look.read(vmstat: text) }
  return look
}

/// All IPv6 addresses of this machine that a host can have: those of an interface first, and of each interface's those that are
/// valid beyond the link first. None when the kernel has no IPv6.
public func ownAddresses6(first interface: Int32) -> [IPv6Address] {
  guard let text = try? readFile("/proc/net/if_inet6", limit: 1 << 16) else { return [] }
  let found = interfaceAddresses6(text).filter { $0.address.isHostAddress }
  var out: [IPv6Address] = []
  for isFirst in [true, false] {
    for isLocal in [false, true] {
      for one in found where (one.interface == interface) == isFirst && one.address.isLinkLocal == isLocal {
        out.append(one.address)
      }
    }
  }
  return out
}
