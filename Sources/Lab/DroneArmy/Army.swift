import NodeStatus
import ClusterStore
import Glibc
import Image
import Linux
import SecureChannel
import SystemPackage
import Target
import VirtualNetwork
import Workshop

/// What an army is made of and how it is shown.
public struct ArmySettings: Sendable {
  public var plan: ArmyPlan
  /// The kind of computer that the tree is for.
  public var target = DroneTarget.standard
  /// The network tree's: they hold no key.
  public var kernel: FilePath
  public var root: FilePath
  /// The number of drones that may be on their way into the cluster at the same time.
  public var atATime = 2
  /// Further boot words.
  public var words = ""
  public var folder: RunFolder
  /// A pcap file that gets every frame on the network.
  public var capture: FilePath?
  /// The army ends this many seconds after all are in; nil for never.
  public var seconds: Int?
  /// Print only lines, even on a terminal.
  public var plain = false

  public init(plan: ArmyPlan, kernel: FilePath, root: FilePath, folder: RunFolder) {
    self.plan = plan
    self.kernel = kernel
    self.root = root
    self.folder = folder
  }
}

/// Drones on this computer, each a virtual machine, and the switch between them.
///
/// One thread does everything, and waits for all wires at once. The machines end with the program, however it ends.
public final class Army {
  let settings: ArmySettings
  var plan: ArmyPlan { settings.plan }
  private let folder: HeldRunFolder
  private let listener: Descriptor
  let initramfs: Descriptor
  let began = millisecondsSinceStart()

  // By the drone's place, from 0.
  var emulators: [Emulator?]
  var progress: [DroneProgress]
  var consoles: [ConsoleTail]
  var network: VirtualSwitch
  let order: StartingOrder

  var inquiry = Inquiry()
  /// How the cluster sees each drone, as last heard: tyd's word for its state, and its id.
  var seen: [NodeStatus.Node?]
  /// How often the cluster called a drone dead that ran and was plugged in.
  var falseDeaths = 0
  /// How many deaths a drone has counted; where none was killed or unplugged, all of them are false.
  var deathsNoted = 0
  /// When all were in for the first time.
  var allInAt: UInt64?

  let terminal: UserTerminal
  var show: Show
  var clients: [Client] = []
  var capture: CaptureFile?
  /// The exit status, once the army is to end.
  var ending: Int32?

  /// Prepares everything but the machines. Throws a sentence.
  public init(_ settings: ArmySettings) throws {
    self.settings = settings
    let count = settings.plan.count
    folder = try settings.folder.take()
    do throws(SystemError) {
      listener = try listenLocal(Path([UInt8](settings.folder.socket.string.utf8)))
    } catch {
      throw BuildError.input("\(String(decoding: error.text, as: UTF8.self)). Name another folder with --run-folder.")
    }
    initramfs = try Self.memberArchive(root: settings.root, in: settings.folder)
    emulators = Array(repeating: nil, count: count)
    progress = Array(repeating: DroneProgress(), count: count)
    consoles = Array(repeating: ConsoleTail(), count: count)
    seen = Array(repeating: nil, count: count)
    network = VirtualSwitch(ports: count)
    order = StartingOrder(atATime: settings.atATime)
    capture = try settings.capture.map { try CaptureFile($0) }
    terminal = UserTerminal(plain: settings.plain)
    show = Show(count: count)
  }

  /// The public root and behind it the credential of a cluster that is made for this army alone and is gone with it: its
  /// key admits to nothing else. No name leads to the file.
  private static func memberArchive(root: FilePath, in folder: RunFolder) throws -> Descriptor {
    var archive = try contents(of: root)
    let cluster = try ClusterCredential(
      newFor: ClusterName("army"), now: secondsSince1970(), years: 1)
    let credential = Credential(
      cluster: cluster.name.text, fingerprint: String(decoding: cluster.fingerprint.text, as: UTF8.self),
      certificate: cluster.certificate.pem, key: cluster.key.pem)
    archive += [UInt8](repeating: 0, count: (4 - archive.count % 4) % 4)
    archive += try credential.archive
    let name = Path([UInt8](folder.path.appending("root").string.utf8))
    do throws(SystemError) {
      let file = try Descriptor(name, .create, permissions: 0o600)
      removeFile(name)
      try file.write(archive)
      return file
    } catch {
      throw BuildError.input("The drones' root cannot be prepared: \(String(decoding: error.text, as: UTF8.self)).")
    }
  }

  /// Starts the machines and runs until somebody ends the army. Returns the exit status.
  public func run() throws -> Int32 {
    let signals: SignalPipe
    do throws(SystemError) { signals = try SignalPipe([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH]) } catch {
      throw BuildError.input("\(String(decoding: error.text, as: UTF8.self)).")
    }
    terminal.takeKeys(whole: false)
    defer { close() }
    introduce()
    while ending == nil {
      let now = millisecondsSinceStart()
      try startDue(now)
      askDue(now)
      showDue(now)
      endDue(now)
      if ending == nil { turn(signals) }
    }
    return ending ?? 0
  }

  private func endDue(_ now: UInt64) {
    if terminal.isBroken { ending = 128 + SIGHUP }
    if let seconds = settings.seconds, let allInAt, now >= allInAt + UInt64(seconds) * 1000 { ending = 0 }
  }

  private func close() {
    let figures = self.figures
    for index in emulators.indices { cutPower(index) }
    leaveView()
    if !terminal.isInteractive { terminal.write(figures + "\n") }
    terminal.write("The army has ended; nothing of it is left.\n")
    terminal.finish()
    terminal.restore()
  }

  // MARK: Waiting

  private enum Source {
    case signals, listener, keyboard, output
    case client(Client)
    case wire(Int), console(Int), control(Int), log(Int)
  }

  /// Waits a moment for whatever comes first, and deals with it.
  private func turn(_ signals: SignalPipe) {
    var wanted = [Interest(signals.number), Interest(listener.number)]
    var sources: [Source] = [.signals, .listener]
    if terminal.isInteractive {
      wanted.append(Interest(STDIN_FILENO))
      sources.append(.keyboard)
    }
    if terminal.hasOutput {
      wanted.append(Interest(STDOUT_FILENO, .writable))
      sources.append(.output)
    }
    for client in clients {
      wanted.append(Interest(client.socket.number))
      sources.append(.client(client))
    }
    for (index, emulator) in emulators.enumerated() {
      guard let emulator else { continue }
      wanted.append(Interest(emulator.wire.number, emulator.queue.isEmpty ? .readable : [.readable, .writable]))
      sources.append(.wire(index))
      wanted.append(Interest(emulator.console.number))
      sources.append(.console(index))
      wanted.append(Interest(emulator.control.number))
      sources.append(.control(index))
      wanted.append(Interest(emulator.log.number))
      sources.append(.log(index))
    }
    let ready = waitReady(wanted, milliseconds: 200)
    let now = millisecondsSinceStart()
    for (source, readiness) in zip(sources, ready) where !readiness.isEmpty { attend(source, readiness, signals, now) }
  }

  private func attend(_ source: Source, _ readiness: Readiness, _ signals: SignalPipe, _ now: UInt64) {
    switch source {
    case .signals: for number in signals.next() { obey(number) }
    case .listener: acceptClient(listener)
    case .keyboard: readKeys(now)
    case .output: terminal.writeSome()
    case .client(let client): serve(client, now)
    case .wire(let index):
      if readiness.contains(.writable) { send(to: index) }
      if readiness != .writable { receive(from: index, now) }
    case .console(let index): hear(index, now)
    case .control(let index): hearAnswer(index, now)
    case .log(let index): hearEmulator(index, now)
    }
  }

  private func obey(_ signal: Int32) {
    switch signal {
    case SIGWINCH: resize()
    // The usual way to end it, where no key can be pressed.
    case SIGINT: ending = 0
    default: ending = 128 + signal
    }
  }
}
