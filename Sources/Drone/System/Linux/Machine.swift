import Addresses
import MachineReadings

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
