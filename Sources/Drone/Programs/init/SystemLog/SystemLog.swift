import DroneLayout
import Addresses
import BootLine
import Bytes
import Linux
import Netlink
import PacketFilter
import ProcessControl
import Reporting
import Supervision

/// Sends the log to the host that the boot line names, beside the shells.
func startSystemLog(_ line: BootLine, _ supervisor: inout Supervisor) {
  guard line.syslog != nil else { return }
  supervisor.keep([UInt8]("syslog"), ownProgram(.systemLog), .always)
}

/// Runs `systemlog`: waits until the host of `syslog=` has an address and a way leads there, lets the log out to it, and keeps
/// BusyBox's syslogd and klogd running. Earlier messages are sent first. Ends when one of the two does.
func runSystemLog(_ line: BootLine) -> Int32 {
  guard let host = line.syslog else { return 0 }
  let address = waitForAddress(host)
  if line.filter {
    do throws(NetlinkSocketError) {
      try letOut(to: address)
    } catch {
      report(.failed, "syslog", [UInt8]("the packet filter does not let it out: ") + error.text)
      return 1
    }
  }
  let signals = SignalQueue()
  do {
    // What a former run left there listens to nobody.
    removeFile(systemLogSocket)
    let target = address.text + [UInt8](":514")
    let server = try busyBox([[UInt8]("syslogd"), [UInt8]("-n"), [UInt8]("-R"), target]).start()
    defer { sendSignal(.terminate, to: server) }
    guard waitForServer() else {
      report(.failed, "syslog", "syslogd does not listen")
      return 1
    }
    sendOlderLines(of: bootLog, tag: "drone")
    sendOlderLines(of: Path(DronePath.tyd) / TydFile.log, tag: "tyd")
    let kernel = try busyBox([[UInt8]("klogd"), [UInt8]("-n")]).start()
    defer { sendSignal(.terminate, to: kernel) }
    report(.ok, "syslog", [UInt8]("every message goes to ") + target)
    while true {
      _ = waitReadable([signals.number], milliseconds: signals.longestWait ?? 60_000)
      while let signal = signals.next() { if signal == Signal.terminate.rawValue { return 0 } }
      if let (child, ending) = collectChild() {
        report(.failed, "syslog", [UInt8](child == kernel ? "klogd: " : "syslogd: ") + phrase(ending))
        return 1
      }
    }
  } catch {
    report(.failed, "syslog", error.text)
    return 1
  }
}

/// The host's address, once it is known and a route leads there: after a lease, or when somebody has set an address by hand.
private func waitForAddress(_ host: [UInt8]) -> IPv4Address {
  var hasComplained = false
  let start = millisecondsSinceStart()
  while true {
    if let address = resolve(host) {
      if hasRoute(to: address) { return address }
    } else if !hasComplained, millisecondsSinceStart() &- start > 20_000 {
      hasComplained = true
      report(.degraded, "syslog", host + [UInt8](" has no address yet; it is asked for again and again"))
    }
    pause(milliseconds: 1000)
  }
}

private func letOut(to address: IPv4Address) throws(NetlinkSocketError) {
  var socket = try NetlinkSocket(.netfilter)
  try socket.perform(.droneLog(to: address))
}

private func busyBox(_ arguments: [[UInt8]]) -> Program {
  Program("/bin/busybox", arguments: arguments, environment: standardEnvironment())
}

/// False when nobody listens at /dev/log after 3 s.
private func waitForServer() -> Bool {
  for _ in 0..<60 {
    if exists(systemLogSocket) { return true }
    pause(milliseconds: 50)
  }
  return false
}

/// The lines that were written while nobody took them.
private func sendOlderLines(of log: Path, tag: StaticString) {
  guard let text = try? readFile(log, limit: 1 << 17) else { return }
  for line in text.split(separator: UInt8(ascii: "\n")) {
    writeToSystemLog(systemLogLine([UInt8](line), tag: tag))
    // The server reads at its own pace; a line that finds its queue full is lost.
    pause(milliseconds: 5)
  }
}
