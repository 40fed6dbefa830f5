import Foundation
import SystemPackage
import Workshop

/// A running virtual machine with its serial console, screen and keyboard.
///
///     try await withVirtualMachine(MachineConfiguration(boot: .cd(image))) { machine in
///       try await machine.expect("boot:")
///       machine.type("\n")
///       try await machine.expect("# ")
///     }
///
/// Everything that waits has a bound, and fails at once when the kernel panics or the machine ends. Bounds are of the
/// machines' time: what this computer has no processor for does not count.
public final class VirtualMachine: Sendable {
  public let configuration: MachineConfiguration
  private struct Serial: Sendable {
    var transcript = Transcript()
    var closed = false
  }
  private let serial = Watched(Serial())
  private let channel: Channel
  private let monitor: Monitor
  private let folder: FilePath

  /// What a console may take to say the next thing.
  public static let patience = Duration.seconds(60)

  init(_ configuration: MachineConfiguration, serial channel: Channel, monitor: Channel, folder: FilePath) {
    self.configuration = configuration
    self.channel = channel
    self.folder = folder
    self.monitor = Monitor(monitor)
    channel.read { [serial] piece in
      serial.change { serial in
        serial.transcript.append(piece)
        if piece.isEmpty { serial.closed = true }
      }
    }
  }

  // MARK: The serial console

  /// Everything the serial console has printed, without control sequences.
  public var transcript: String { String(decoding: serial.look { $0.transcript.text }, as: UTF8.self) }

  /// Waits for `text` on the serial console after what was last found, and returns what stood before it.
  ///
  /// Throws `MachineFailure` after `bound`, or at once when the kernel panics or the machine ends.
  @discardableResult
  public func expect(_ text: String, within bound: Duration = patience) async throws -> String {
    try await expect(anyOf: [text], within: bound).before
  }

  /// Waits for whichever of `texts` comes first, and returns its index and what stood before it.
  @discardableResult
  public func expect(
    anyOf texts: [String], within bound: Duration = patience
  ) async throws -> (index: Int, before: String) {
    enum Outcome: Sendable {
      case found(Int, [UInt8])
      case alarm(String)
      case closed
    }
    let wanted = texts.map { [UInt8]($0.utf8) }
    let outcome = try await serial.wait(bound) { serial -> Outcome? in
      if let found = serial.transcript.findFirst(of: wanted) { return .found(found.index, found.before) }
      if let line = serial.transcript.alarm() { return .alarm(line) }
      return serial.closed ? .closed : nil
    }
    switch outcome {
    case .found(let index, let before): return (index, String(decoding: before, as: UTF8.self))
    case .alarm(let line):
      // A panic prints a few lines more, which often say why.
      try await Task.sleep(for: .milliseconds(300))
      throw await failure(.kernelPanic(line))
    case .closed:
      throw await failure(.ended(try await monitor.end(within: .seconds(5)) ?? .emulator("its console closed")))
    case nil:
      throw await failure(.notSeen(texts.joined(separator: "\" or \""), within: bound))
    }
  }

  /// Leaves aside what the serial console has printed until now.
  public func passOver() { serial.look { $0.transcript.passOver() } }

  /// Types on the serial console, as it is: end a line with "\n".
  public func type(_ text: String) { channel.write(text.utf8) }

  /// Types a command in the shell on the serial console and returns what it printed and its exit status.
  ///
  /// The command is one line of POSIX shell. The marks around its output are typed in two halves, so that the echo of
  /// the typed line never looks like them.
  @discardableResult
  public func run(_ command: String, within bound: Duration = patience) async throws -> (output: String, status: Int) {
    type("echo '<<'begin; \(command); echo '>>'end $?\n")
    try await expect("<<begin\n", within: bound)
    let output = try await expect(">>end ", within: bound)
    let status = try await expect("\n", within: bound)
    try await expect("# ", within: bound)
    return (output, Int(status) ?? -1)
  }

  /// Whether the address answers a ping within half a minute of the guest's time: two members have to agree on keys first, and a
  /// busy computer takes its time. What ping said last is printed if it does not.
  public func reaches(_ address: String) async throws -> Bool {
    let answer = try await run(
      "n=0; until ping -c1 -W3 \(address) >/tmp/ping 2>&1; do n=$((n+1)); [ $n -lt 10 ] || break; sleep 1; done; "
        + "[ $n -lt 10 ] || { cat /tmp/ping; false; }")
    if answer.status != 0 { print("\(address) is not reached: \(answer.output)") }
    return answer.status == 0
  }

  // MARK: The screen and the keyboard

  /// What the screen shows in text mode, which a BIOS and what it starts use.
  public func screen() async throws -> Screen { try await monitored { try await readScreen() } }

  private func readScreen() async throws -> Screen {
    let file = folder.appending("screen")
    defer { try? FileManager.default.removeItem(atPath: file.string) }
    // Stopped, so that the guest is not between the two halves of a register access.
    try await monitor.execute("stop")
    let index = try await register("i /b 0x3d4")
    var start = 0
    for number in [0x0C, 0x0D] {
      _ = try await monitor.execute(forPeople: "o /b 0x3d4 \(number)")
      start = start << 8 | (try await register("i /b 0x3d5"))
    }
    _ = try await monitor.execute(forPeople: "o /b 0x3d4 \(index)")
    try await monitor.execute("pmemsave", ["val": 0xB8000, "size": 0x8000, "filename": file.string])
    try await monitor.execute("cont")
    return Screen(memory: try contents(of: file), start: start)
  }

  /// `portb[0x03d4] = 0x0f`
  private func register(_ line: String) async throws -> Int {
    let answer = try await monitor.execute(forPeople: line)
    let digits = answer.split(separator: "x").last?.prefix { $0.isHexDigit } ?? ""
    guard let value = Int(digits, radix: 16) else { throw Monitor.Refused(reason: "\(line): \(answer)") }
    return value
  }

  /// Waits until `text` stands on the screen, and returns the whole screen.
  @discardableResult
  public func expectOnScreen(_ text: String, within bound: Duration = patience) async throws -> Screen {
    let watch = MachineWatch()
    while true {
      let screen = try await screen()
      if screen.contains(text) { return screen }
      if let line = serial.look({ $0.transcript.alarm() }) { throw await failure(.kernelPanic(line)) }
      guard watch.elapsed < bound else { throw await failure(.notSeen(text, within: bound)) }
      try await Task.sleep(for: .milliseconds(400))
    }
  }

  /// Presses keys together, by the emulator's names: `["ctrl", "alt", "delete"]`, `["f4"]`.
  public func press(_ keys: [String]) async throws {
    try await monitored {
      let codes = keys.map { ["type": "qcode", "data": $0] }
      _ = try await monitor.execute("send-key", ["keys": codes, "hold-time": 40])
    }
    // The next chord must not begin while this one is still held.
    try await Task.sleep(for: .milliseconds(100))
  }

  /// Types on the keyboard, key by key.
  public func typeOnKeyboard(_ text: String) async throws {
    for character in text {
      guard let chord = Keys.chord(for: character) else {
        throw await failure(.monitor("no key for \"\(character)\""))
      }
      try await press(chord)
    }
  }

  /// Saves the screen's picture as a PNG file.
  public func screenshot(to file: FilePath) async throws {
    try await monitored {
      try await replacing(file) { temporary in
        _ = try await monitor.execute("screendump", ["filename": temporary.string, "format": "png"])
      }
    }
  }

  // MARK: Cables

  /// Pulls the cable of a card, counted from 0, or puts it back; the guest sees its link go and come.
  public func setLink(up: Bool, card index: Int = 0) async throws {
    try await monitored { _ = try await monitor.execute("set_link", ["name": "net\(index)", "up": up]) }
  }

  // MARK: The state

  /// Writes the machine's state to a file that is there when it is whole; the machine has stopped then.
  func save(to file: FilePath) async throws {
    let part = file.string + ".part"
    _ = try await monitored {
      try await monitor.execute(
        "migrate", ["uri": "exec:cat >\(quoted(part)) && mv \(quoted(part)) \(quoted(file.string))"])
    }
    try await becomes("saved") { FileManager.default.fileExists(atPath: file.string) }
  }

  /// Waits until a machine that was started from a saved state has it. What was typed before would be lost.
  func waitForState() async throws {
    try await becomes("running") { try await monitor.execute(forPeople: "info status").contains("running") }
  }

  private func becomes(_ wanted: String, _ holds: () async throws -> Bool) async throws {
    let watch = MachineWatch()
    while try await !monitored(holds) {
      guard watch.elapsed < Self.patience else { throw await failure(.monitor("the machine is not \(wanted)")) }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  // MARK: The end

  /// Waits until the machine has ended by itself. Throws `MachineFailure` when it still runs after `bound`.
  @discardableResult
  public func waitForEnd(within bound: Duration = patience) async throws -> MachineEnd {
    guard let end = try await monitor.end(within: bound) else { throw await failure(.stillRunning(bound)) }
    return end
  }

  /// Asks the emulator to end at once, then closes its consoles.
  func end() async {
    monitor.quit()
    // Not the caller's wait: a cancelled task still sees its machine end.
    _ = await Task { [monitor] in try? await monitor.end(within: .seconds(3)) }.value
    channel.shutDown()
    monitor.close()
  }

  private func monitored<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
      return try await body()
    } catch let error as Monitor.Refused {
      if let end = await monitor.ended { throw await failure(.ended(end)) }
      throw await failure(.monitor(error.reason))
    }
  }

  private func failure(_ reason: MachineFailure.Reason) async -> MachineFailure {
    // UEFI and what it starts draw pictures.
    let lines = configuration.firmware.isUEFI ? [] : (try? await readScreen())?.lines ?? []
    return MachineFailure(
      reason: reason,
      console: serial.look { $0.transcript.lastLines(20) },
      screen: lines.filter { !$0.isEmpty },
      emulator: lastLines(of: folder.appending("emulator.log"), 8),
      byHand: configuration.byHand)
  }
}

/// Starts a machine, gives it to `body`, and ends it when `body` returns, throws or is cancelled.
///
/// As many run at a time as this computer has room for; further ones wait. With `namespace` the emulator's network is that
/// namespace's. Throws what `body` throws, `MachineFailure`, and `BuildError` when the emulator cannot be started.
public func withVirtualMachine<Result: Sendable>(
  _ configuration: MachineConfiguration, in namespace: NetworkNamespace? = nil, file: String = #fileID,
  function: String = #function, _ body: (VirtualMachine) async throws -> Result
) async throws -> Result {
  try await withMachineGroup(of: 1, file: file, function: function) {
    try await emulate(configuration, in: namespace, body)
  }
}

private func emulate<Result: Sendable>(
  _ configuration: MachineConfiguration, in namespace: NetworkNamespace?,
  _ body: (VirtualMachine) async throws -> Result
) async throws -> Result {
  let folder = FilePath(NSTemporaryDirectory()).appending("machine-\(UUID())")
  try makeFolder(folder)
  defer { try? FileManager.default.removeItem(atPath: folder.string) }
  let log = try FileDescriptor.open(
    folder.appending("emulator.log"), .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
  let serial = try Channel.pair()
  let monitor = try Channel.pair()
  let machine = VirtualMachine(configuration, serial: serial.near, monitor: monitor.near, folder: folder)
  let numberFile = folder.appending("number")
  let process = EmulatorProcess(numberFile: numberFile)
  let start = ContinuousClock.now

  // `timeout` bounds the emulator's life even when we are killed and cannot end it.
  let emulator =
    [configuration.target.emulator.program] + configuration.arguments(.inheritedSockets) + [
      "-pidfile", numberFile.string,
    ]
  let bound = ["--kill-after=2", "\(configuration.lifetime.components.seconds)"]
  return try await Command("timeout", bound + (namespace?.enteringNetwork ?? []) + emulator).running(
    input: serial.far, output: monitor.far, error: log
  ) {
    process.begin()
    defer { process.end() }
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body(machine)) } catch { outcome = .failure(error) }
    MachineGroup.current?.count(process, since: start)
    await machine.end()
    return try outcome.get()
  }
}
