import DroneLayout
import Bytes
import Linux
import Reporting

/// Where the boot's timeline is kept.
let bootLog = Path(DronePath.bootLog)
/// There once the shells have been started: from then on only failures appear on the consoles.
let bootedMark = Path(DronePath.booted)

/// Reports how a step went: a coloured line on every console, a plain one in the boot log. Any of the drone's programs may
/// call it. Never waits for a slow console longer than a moment, and never fails. Once the shells are there, only failures
/// appear on the consoles, and what has to be seen `everywhere`.
func report(_ state: BootStep.State, _ name: [UInt8], _ detail: [UInt8] = [], everywhere: Bool = false) {
  let step = BootStep(state, name, detail, milliseconds: millisecondsSinceStart())
  let line = step.line(coloured: false)
  try? appendToFile(bootLog, line)
  writeToSystemLog(systemLogLine(line, tag: "drone", state))
  if everywhere || state == .failed || !exists(bootedMark) { writeToConsoles(step.line(coloured: true)) }
}

func report(_ state: BootStep.State, _ name: StaticString, _ detail: [UInt8] = [], everywhere: Bool = false) {
  report(state, [UInt8](name), detail, everywhere: everywhere)
}

func report(_ state: BootStep.State, _ name: StaticString, _ detail: StaticString) {
  report(state, [UInt8](name), [UInt8](detail))
}

/// Writes bytes to every console.
func writeToConsoles(_ bytes: [UInt8]) {
  for name in terminals() { writeToTerminal("/dev" / name, bytes) }
}

/// The terminals that a person may sit at: the screen, the first serial port if the machine has one, and whatever else
/// the kernel was told to use as its console. In that order, without `/dev/`.
func terminals() -> [[UInt8]] {
  var names: [[UInt8]] = []
  if exists("/dev/tty1") { names.append([UInt8]("tty1")) }
  if serialPortExists("/dev/ttyS0") { names.append([UInt8]("ttyS0")) }
  let kernels = (try? readFile("/proc/consoles")) ?? []
  for name in consoleTerminals(procConsoles: kernels) where !names.contains(name) && exists("/dev" / name) {
    // The kernel lists a serial console also when nothing is behind it.
    if !name.starts(with: [UInt8]("ttyS")) || serialPortExists("/dev" / name) { names.append(name) }
  }
  return names
}

/// The environment variable in which a step's program finds the number of the descriptor to announce itself on.
let readyVariable: StaticString = "READY"

/// Tells process 1 that the boot need not wait for this program any longer; it may run on. Its end means the same.
/// Process 1 may have stopped waiting. For a program that was started by hand this does nothing.
func announceReady() {
  guard let text = environmentVariable(readyVariable), let number = decimal(text), number >= 3, number < 1024,
    let descriptor = Descriptor(Int32(number))
  else { return }
  ignoreBrokenPipes()
  try? descriptor.write([UInt8(ascii: "\n")])
}
