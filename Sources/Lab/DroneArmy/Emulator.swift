import class Foundation.ProcessInfo
import Glibc
import Linux
import VirtualMachine
import VirtualNetwork
import Workshop

/// One running machine of the army, by the near ends of its wires.
///
/// The wires are socket pairs of which the emulator inherits the far ends: nobody else can be connected, there is nothing in
/// the file system, and they stand before the machine starts.
final class Emulator {
  let process: Int32
  /// The serial port that people see.
  let console: Descriptor
  /// The serial port on which the army asks.
  let control: Descriptor
  /// The network card.
  let wire: Descriptor
  /// What the emulator itself says; it ends when the emulator does.
  let log: Descriptor
  var frames = FrameReader()
  var queue = FrameQueue()
  /// The end of the emulator's output.
  var words: [UInt8] = []
  var answers = LineReader(limit: 128 << 10)

  /// The numbers under which the emulator inherits its wires. Its output has the number between.
  private enum Number {
    static let console: Int32 = 0
    static let control: Int32 = 1
    static let wire: Int32 = 3
  }

  static let serialPorts = [Number.console, Number.control]
  static let network = NetworkCard.Network.socket(Number.wire)

  /// Enough that this computer stays usable while drones boot; with more, drones starve beside other work and look dead to
  /// each other.
  private static let niceness = 5

  /// Starts the machine, with less right to the processors than what a person does on this computer.
  ///
  /// The kernel ends the emulator when the calling thread ends, so the caller must be a thread that lives as long as the
  /// program. It inherits a socket more than Workshop's `Command` hands on, and is therefore started as drones start theirs.
  /// Throws `BuildError` when the emulator cannot be started.
  init(_ machine: MachineConfiguration) throws {
    let console = try Wire()
    let control = try Wire()
    let wire = try Wire()
    let said: Pipe
    do throws(SystemError) { said = try Pipe() } catch { throw Self.failure(error.number) }
    // env(1) finds it in PATH.
    let command =
      ["env", "setpriv", "--pdeathsig", "KILL", "nice", "-n", "\(Self.niceness)"]
      + machine.emulatorCommand(serialPorts: Self.serialPorts)
    var program = Program(
      "/usr/bin/env", arguments: command.map { [UInt8]($0.utf8) },
      environment: ProcessInfo.processInfo.environment.map { [UInt8]("\($0.key)=\($0.value)".utf8) })
    (program.input, program.output) = (console.far.number, control.far.number)
    (program.error, program.third) = (said.output.number, wire.far.number)
    // The terminal's Ctrl-C is for the army, which then ends its machines.
    program.newSession = true
    do throws(SystemError) { process = try program.start() } catch { throw Self.failure(error.number) }
    self.console = console.keepingNear()
    self.control = control.keepingNear()
    self.wire = wire.keepingNear()
    log = said.keepingInput()
  }

  /// Ends the emulator as a power cut ends a computer, and collects it.
  func end() {
    sendSignal(.kill, to: process)
    _ = waitForChild(process)
  }

  /// Resident memory in kB that is the emulator's own share.
  var memory: Int {
    let path = Path([UInt8]("/proc/\(process)/smaps_rollup".utf8))
    guard let text = try? readFile(path) else { return 0 }
    let line = String(decoding: text, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("Pss:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
  }

  private static func failure(_ number: Int32) -> BuildError {
    BuildError.notStarted(command: "The emulator", reason: String(cString: strerror(number)))
  }
}

/// Two connected stream sockets, of which the near one never waits.
private struct Wire: ~Copyable {
  let near: Descriptor
  let far: Descriptor

  init() throws {
    var ends: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0,
      let near = Descriptor(ends[0]), let far = Descriptor(ends[1]), fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0
    else { throw BuildError.notStarted(command: "The emulator", reason: String(cString: strerror(errno))) }
    self.near = near
    self.far = far
  }

  /// Closes the far end here, so that only the emulator has it.
  consuming func keepingNear() -> Descriptor { near }
}
