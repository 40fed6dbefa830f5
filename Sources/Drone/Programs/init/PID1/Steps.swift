import DroneLayout
import Addresses
import BootLine
import Bytes
import Linux
import ProcessControl
import Reporting
import Supervision

/// Closes the packet filter. False when it should be closed and is not: then the network must stay down.
func closeFilter(_ line: BootLine, _ supervisor: inout Supervisor) -> Bool {
  guard line.filter else {
    report(.degraded, "filter", "off, as the boot line asks: every packet passes")
    return true
  }
  do {
    let ending = try supervisor.complete(ownProgram(.filter), within: 5000)
    if ending == .exited(0) {
      report(.ok, "filter", "closed; answers to its own questions come in")
      return true
    }
    report(.failed, "filter", phrase(ending) + [UInt8]("; the network stays down"))
  } catch {
    report(.failed, "filter", error.text + [UInt8]("; the network stays down"))
  }
  return false
}

/// A drone speaks IPv4: where its kernel could give cards addresses of IPv6 by itself, it does not
/// (Documentation/networking/ip-sysctl.rst, disable_ipv6).
func switchIPv6Off() {
  for which in ["all", "default"] as [StaticString] {
    let file = "/proc/sys/net/ipv6/conf" / [UInt8](which) / "disable_ipv6"
    guard exists(file) else { continue }
    do { try writeFile(file, [UInt8]("1\n")) } catch { report(.degraded, "network", error.text) }
  }
}

/// Starts the wait for the kernel's generator of random numbers beside the steps that follow. Only a
/// process that waits for it makes the kernel gather entropy from timing jitter.
func startEntropy() {
  if randomBytes(1) != nil { return report(.ok, "entropy") }
  do { _ = try ownProgram(.entropy).start() } catch { report(.failed, "entropy", error.text) }
}

/// Runs `entropy`: waits until the kernel's generator is ready and reports it. Returns its exit status.
func runEntropy() -> Int32 {
  guard randomBytes(1, wait: true) != nil else { return 1 }
  report(.ok, "entropy")
  return 0
}

/// Reports that the wait of `startEntropy` goes on, if somebody waits for it: only tyd needs random numbers. At 100 ticks a second
/// the kernel takes about three seconds to gather them from jitter alone.
func reportEntropy(_ line: BootLine) {
  guard line.tyd != .off, exists(tydProgram), randomBytes(1) == nil else { return }
  report(.ok, "entropy", "the kernel is still gathering it, and tyd waits for that")
}

/// Names what the boot line asks for and this image does not hold.
func reportAbsentPrograms(_ line: BootLine) {
  if line.tyd != .off, !exists(tydProgram) {
    report(.degraded, "tyd", "not in this image: no cluster is joined")
  }
}

let tydProgram = Path(ProgramPath.tyd)

/// Starts or joins the cluster that the boot line names, beside the shells. tyd itself looks for a member again and again; what
/// makes it end, as long as there is no address, is tried again later and later.
func startTyd(_ line: BootLine, _ supervisor: inout Supervisor) {
  let arguments: [[UInt8]]
  switch line.tyd {
  case .off: return
  case .first: arguments = []
  case .firstServingNetboot: arguments = [[UInt8]("-pm")]
  case .joinAny: arguments = [[UInt8]("--patient"), [UInt8]("-m"), [UInt8]("any")]
  case .join(let address): arguments = [[UInt8]("--patient"), [UInt8]("-m"), address.text]
  }
  guard exists(tydProgram) else { return }
  var program = Program(tydProgram, arguments: [[UInt8]("tyd")] + arguments, environment: standardEnvironment())
  program.newSession = true
  supervisor.keep([UInt8]("tyd"), program, .untilSuccess, reason: Path(DronePath.tyd) / TydFile.failure)
}

func loadKeymap(_ line: BootLine, _ supervisor: inout Supervisor) {
  guard let keymap = line.keymap else { return }
  let file = "/usr/share/keymaps" / (keymap + [UInt8](".bmap"))
  guard exists(file) else {
    return report(.degraded, "keymap", keymap + [UInt8](" is not in this image: the keyboard stays as it is"))
  }
  do {
    let input = try Descriptor(file, .read)
    var program = Program(
      "/bin/busybox", arguments: [[UInt8]("loadkmap")], environment: standardEnvironment())
    program.input = input.number
    let ending = try supervisor.complete(program, within: 2000)
    if ending == .exited(0) {
      report(.ok, "keymap", keymap)
    } else {
      report(.degraded, "keymap", keymap + [UInt8](": loadkmap: ") + phrase(ending))
    }
  } catch {
    report(.degraded, "keymap", error.text)
  }
}

/// Gives each serial port the speed of its `console=` word, also when the kernel took another console; without such a
/// word the first one keeps the boot prompt's 115200 baud.
func setSerialSpeeds(_ line: BootLine) {
  if serialPortExists("/dev/ttyS0") { try? setSerialSpeed("/dev/ttyS0", baud: 115_200) }
  for console in line.consoles {
    guard let speed = console.speed, isDeviceName(console.device) else { continue }
    let device = "/dev" / console.device
    guard serialPortExists(device) else {
      report(.degraded, "consoles", console.device + [UInt8](" is not there"))
      continue
    }
    do { try setSerialSpeed(device, baud: speed) } catch { report(.degraded, "consoles", error.text) }
  }
}

/// Finds and mounts the boot medium beside the steps that follow.
func startMedium(_ line: BootLine, _ supervisor: inout Supervisor) {
  guard line.medium != nil || line.eject else { return }
  supervisor.keep([UInt8]("medium"), ownProgram(.medium), .never)
}

/// Brings the network up and waits until it is ready or says that it will take longer.
func startNetwork(_ allowed: Bool, until deadline: UInt64, _ supervisor: inout Supervisor) {
  guard allowed else { return }
  do {
    let pipe = try Pipe()
    supervisor.keep(
      [UInt8]("network"), ownProgram(.network), .afterFailure, announcement: pipe.output.number)
    let ready = pipe.keepingInput()
    let outcome = supervisor.run(until: deadline, readable: ready.number)
    if outcome == .timedOut { report(.degraded, "network", "not ready yet; it goes on behind the shells") }
  } catch {
    report(.failed, "network", error.text)
  }
}

func startShells(_ line: BootLine, _ supervisor: inout Supervisor) {
  defer { try? replaceFile(bootedMark, []) }
  guard line.shell else { return report(.ok, "shells", "none, as the boot line asks") }
  let names = terminals()
  var text: [UInt8] = [UInt8]("on")
  for name in names { text += [UInt8](" ") + name }
  if names.isEmpty {
    report(.failed, "shells", "there is neither a screen nor a serial port")
  } else {
    report(.ok, "shells", text)
  }
  for name in names {
    var program = Program(
      "/bin/sh", arguments: [[UInt8]("-sh")], environment: standardEnvironment(terminal: terminalType(name)))
    program.terminal = "/dev" / name
    program.directory = "/"
    supervisor.keep([UInt8]("shell ") + name, program, .always)
  }
}
