import BootLine
import Bytes
import Linux
import Reporting

/// How long a drone may hang before its watchdog restarts it, in seconds.
private let patience: UInt32 = 30

/// Starts a watchdog, hardware before the kernel's own, and returns what process 1 has to feed from now on.
func startWatchdogs(_ line: BootLine) -> [Watchdog] {
  guard line.watchdog else {
    report(.degraded, "watchdog", "off, as the boot line asks: a drone that hangs stays so")
    return []
  }
  var chosen: Watchdog?
  // Those that were started by being opened and cannot be stopped.
  var others: [Watchdog] = []
  for name in directoryEntries("/sys/class/watchdog") {
    guard let found = try? Watchdog("/dev" / name, seconds: patience) else { continue }
    guard let other = chosen else {
      chosen = found
      continue
    }
    let keepsOther = !other.isSoftware || found.isSoftware
    let spare = keepsOther ? found : other
    chosen = keepsOther ? other : found
    if !spare.release() { others.append(spare) }
  }
  guard let chosen else {
    report(.degraded, "watchdog", "none: a drone that hangs stays so")
    return []
  }
  var text = chosen.identity + [UInt8](": a drone that hangs restarts within ")
  appendDecimal(UInt64(chosen.seconds), to: &text)
  text += chosen.isSoftware ? [UInt8](" s, unless its kernel hangs wholly") : [UInt8](" s")
  report(.ok, "watchdog", text)
  return [chosen] + others
}

/// How often they want to be fed, in milliseconds; nil without any.
func feedingInterval(_ watchdogs: [Watchdog]) -> Int? {
  watchdogs.map { Int(clamping: UInt64($0.seconds) * 1000 / 4) }.min().map { min($0, 5000) }
}

/// Stops the watchdogs, so that a machine that is halted stays halted.
func release(_ watchdogs: [Watchdog]) {
  for watchdog in watchdogs where !watchdog.release() {
    report(.degraded, "end", watchdog.identity + [UInt8](" cannot be stopped: it will restart this machine"))
  }
}
