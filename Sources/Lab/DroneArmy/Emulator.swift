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

  /// The numbers under which the emulator inherits things.
  private enum Number {
    static let console: Int32 = 3
    static let control: Int32 = 4
    static let wire: Int32 = 5
    static let initramfs: Int32 = 6
  }

  static let initramfsPath = "/proc/self/fd/\(Number.initramfs)"
  static let serialPorts = [Number.console, Number.control]
  static let network = NetworkCard.Network.socket(Number.wire)

  /// Enough that this computer stays usable while drones boot; with more, drones starve beside other work and look dead to
  /// each other.
  private static let niceness = 5

  /// Starts the machine, with less right to the processors than what a person does on this computer.
  ///
  /// The kernel ends the emulator when the calling thread ends, so the caller must be a thread that lives as long as the
  /// program. Throws `BuildError` when the emulator cannot be started.
  init(_ machine: MachineConfiguration, initramfs: borrowing Descriptor) throws {
    let console = try Wire()
    let control = try Wire()
    let wire = try Wire()
    let said: Pipe
    do throws(SystemError) { said = try Pipe() } catch { throw Self.failure(error.number) }
    let command =
      ["setpriv", "--pdeathsig", "KILL", "nice", "-n", "\(Self.niceness)"]
      + machine.emulatorCommand(serialPorts: Self.serialPorts)
    process = try Self.spawn(
      command,
      [
        (said.output.number, 1), (said.output.number, 2), (console.far.number, Number.console),
        (control.far.number, Number.control), (wire.far.number, Number.wire), (initramfs.number, Number.initramfs),
      ])
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

  private static func spawn(_ command: [String], _ descriptors: [(from: Int32, to: Int32)]) throws -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    // First out of the way of the numbers that are about to be filled.
    var copies: [Int32] = []
    defer { for copy in copies { close(copy) } }
    for (from, to) in descriptors {
      let copy = fcntl(from, F_DUPFD_CLOEXEC, 64)
      guard copy >= 0 else { throw failure(errno) }
      copies.append(copy)
      posix_spawn_file_actions_adddup2(&actions, copy, to)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A group of its own: the terminal's Ctrl-C is for the army, which then ends its machines. And signals as usual.
    var signals = sigset_t()
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
    arguments.append(nil)
    var environment: [UnsafeMutablePointer<CChar>?] = ProcessInfo.processInfo.environment.map {
      strdup("\($0.key)=\($0.value)")
    }
    environment.append(nil)
    defer { for pointer in arguments + environment { free(pointer) } }
    var process: pid_t = 0
    let result = posix_spawnp(&process, command[0], &actions, &attributes, arguments, environment)
    guard result == 0 else { throw failure(result) }
    return process
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
