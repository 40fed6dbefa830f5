import DroneLayout
import BootLine
import Bytes
import Linux
import Reporting

/// Runs process 1, which never ends: boots the drone in a fixed order, then keeps its shells running, collects what ends
/// and waits for an order to stop. No step can stop the boot: a failure is reported, and the next step follows.
func runInit(_ arguments: [[UInt8]]) -> Int32 {
  guard processID == 1 else {
    complain("init: it is process 1 of a drone and cannot be started a second time; to end the drone use reboot\n")
    return 1
  }
  let start = millisecondsSinceStart()
  let unmounted = mountKernelViews()
  adoptConsole()
  catchCtrlAltDel()
  setNameIfMissing()
  let line = BootLine.ofThisBoot()
  // netconsole sends the messages that a console gets.
  if !line.debug && line.netconsole.isEmpty { setKernelConsoleLevel(4) }
  setSerialSpeeds(line)
  for name in terminals() { keepOpen("/dev" / name) }
  reportMounts(unmounted)
  reportCutRoot()

  // Where the drivers are modules there is no watchdog yet.
  let hasModules = exists(Path(DronePath.moduleTable))
  var supervisor = Supervisor(feeding: hasModules ? [] : startWatchdogs(line))
  startEntropy()
  // What the boot itself takes out of the root is taken out here: certaintyd looks next.
  moveCredential()
  startRootWatch(line, &supervisor)
  // A kernel that could load any is closed to them, also when the image brings none along.
  let areDevicesServed = hasModules || kernelKnowsModules() ? startModules(&supervisor) : true
  if hasModules { supervisor.feed(startWatchdogs(line)) }
  switchIPv6Off()
  let mayNetwork = closeFilter(line, &supervisor)
  reportHardware(isComplete: areDevicesServed)
  report(line)
  loadKeymap(line, &supervisor)
  startMedium(line, &supervisor)
  // Whatever the network does, the shells are there within 10 s.
  startNetwork(mayNetwork, until: start &+ 7000, &supervisor)
  startSystemLog(line, &supervisor)
  reportMissingFirmware()
  reportEntropy(line)
  reportAbsentPrograms(line)
  startTyd(line, &supervisor)
  startShells(line, &supervisor)
  while true { supervisor.run(until: nil) }
}

/// What every program of the drone starts with.
func standardEnvironment(terminal: [UInt8] = [UInt8]("linux")) -> [[UInt8]] {
  [
    [UInt8]("PATH=/bin:/sbin:/usr/bin:/usr/sbin"), [UInt8]("HOME=/root"), [UInt8]("USER=root"), [UInt8]("LOGNAME=root"),
    [UInt8]("SHELL=/bin/sh"), [UInt8]("TERM=") + terminal,
  ]
}

/// One of the drone's own programs, called by its name.
func ownProgram(_ program: InitProgram, _ arguments: [[UInt8]] = []) -> Program {
  var program = Program(
    Path(ProgramPath.initialization), arguments: [[UInt8](program.name)] + arguments,
    environment: standardEnvironment())
  program.newSession = true
  return program
}

/// Writes to standard error.
func complain(_ text: StaticString) { writeStandardError([UInt8](text)) }

/// Until fix_hosts knows better.
private func setNameIfMissing() {
  let name = hostName()
  if name.isEmpty || name == [UInt8]("(none)") { try? setHostName([UInt8]("drone")) }
}

/// Standard input, output and error of process 1 and so of its children: the kernel leaves them closed when its root
/// archive holds no /dev/console.
private func adoptConsole() {
  let console: Path = exists("/dev/console") ? "/dev/console" : "/dev/null"
  fillStandardDescriptors(console)
}

private func report(_ line: BootLine) {
  var text: [UInt8] = []
  for word in line.words {
    if !text.isEmpty { text.append(UInt8(ascii: " ")) }
    text += word.text
  }
  report(.ok, "boot line", text)
  for error in line.errors { report(.degraded, "boot line", error.sentence) }
}
