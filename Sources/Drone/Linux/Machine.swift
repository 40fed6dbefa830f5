import MachineReadings

/// What this machine is and how busy it is now. What /proc does not say is 0.
public func readMachine() -> MachineReadings {
  var readings = MachineReadings()
  // A paragraph of cpuinfo takes about 1.5 KiB.
  if let text = try? readFile("/proc/cpuinfo", limit: 1 << 20) { readings.read(cpuinfo: text) }
  if let text = try? readFile("/proc/meminfo", limit: 1 << 14) { readings.read(meminfo: text) }
  if let text = try? readFile("/proc/loadavg", limit: 256) { readings.read(loadavg: text) }
  if let text = try? readFile("/proc/uptime", limit: 256) { readings.read(uptime: text) }
  return readings
}
