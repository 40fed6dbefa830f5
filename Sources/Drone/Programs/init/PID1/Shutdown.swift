import DroneLayout
import Bytes
import Integrity
import Linux
import ProcessControl
import Reporting

/// Ends the drone in order: asks every program to end, then kills what is left, writes back and unmounts what is mounted,
/// and tells the kernel. Each part is bounded, and what hangs all the same is ended by the watchdog, which is fed here for
/// the last time; returns only if the kernel refuses.
func shutDown(_ end: MachineEnd, _ reason: [UInt8], _ watchdogs: [Watchdog]) {
  for watchdog in watchdogs { watchdog.feed() }
  let what: StaticString =
    switch end {
    case .restart: "restarting"
    case .halt: "halting"
    case .powerOff: "switching off"
    }
  // From here on everything is to be seen on the consoles again.
  removeFile(bootedMark)
  report(.ok, "end", [UInt8](what) + [UInt8](" (") + reason + [UInt8](")"))
  // What has just been said, certaintyd's reason before all, is to reach the host of syslog= before its senders end.
  if exists(systemLogSocket) { pause(milliseconds: 250) }
  stopEverybody(Signal.terminate, milliseconds: 3000)
  stopEverybody(Signal.kill, milliseconds: 1000)
  writeBack()
  let mounts = MountTable(text: (try? readFile("/proc/self/mountinfo")) ?? [])
  for folder in mounts.unmountOrder {
    do {
      try unmount(Path(folder))
    } catch {
      report(.degraded, "end", error.text)
      try? unmount(Path(folder), lazily: true)
    }
  }
  // A moment for a serial line to send what it was given.
  pause(milliseconds: 100)
  if end != .restart { release(watchdogs) }
  endMachine(end)
  report(.failed, "end", "the kernel refuses")
}

private func stopEverybody(_ signal: Signal, milliseconds: UInt64) {
  let end = millisecondsSinceStart() &+ milliseconds
  guard sendSignalToAll(signal) else { return }
  // A shell at its prompt obeys only this one, and a stopped process sees nothing until it continues.
  _ = sendSignalToAll(.hangUp)
  _ = sendSignalToAll(.resume)
  while millisecondsSinceStart() < end {
    while collectChild() != nil {}
    guard anybodyElse() else { return }
    pause(milliseconds: 20)
  }
}

/// sync(2) in a process of its own: a medium that hangs must not keep the drone from restarting.
private func writeBack() {
  guard let process = try? ownProgram(.sync).start() else { return }
  let end = millisecondsSinceStart() &+ 5000
  while millisecondsSinceStart() < end {
    if let (child, _) = collectChild(), child == process { return }
    pause(milliseconds: 10)
  }
  report(.degraded, "end", "some medium does not take what is to be written back")
}
