import Foundation
import SystemPackage
import VirtualMachine

/// What certaintyd costs, by its own count in `/run/certaintyd/status`, and how soon it restarts a changed drone.
struct IntegrityBench {
  let kernel: FilePath
  let root: FilePath

  /// What a Pentium of 133 MHz is reckoned with. Its two pipes end up to two instructions a cycle, and what is not in
  /// its 8 KB of cache costs tens of cycles: compiled integer code takes one to one and a half on average.
  private static let cyclesPerInstruction = 1.5
  private static let hertz = 133e6

  func rows() async throws -> [Measurement] { try await inTime() + counted() }

  /// At the emulator's own speed, looking every 2 s.
  private func inTime() async throws -> [Measurement] {
    try await withVirtualMachine(machine()) { machine in
      try await machine.restartCertaintyd()
      // The best of some passes: what else the builder's computer does counts against the guest.
      var samples: [IntegrityStatus] = []
      for _ in 0..<10 {
        try await machine.run("sleep 3")
        samples.append(try await machine.integrityStatus())
      }
      guard let status = samples.min(by: { $0.fullPass < $1.fullPass }), let last = samples.last else { return [] }
      let memory = try await machine.residentMemory(of: "$(cat /run/certaintyd/pid)")

      // Right after a pass: what is changed now is found by the next one.
      try await machine.run("n=$(grep ^passes /run/certaintyd/status); \(Self.untilNextPass)")
      let start = ContinuousClock.now
      machine.type("rm /bin/wget\n")
      try await machine.expect("/bin/wget: is gone; the drone restarts")
      let alarm = ContinuousClock.now - start
      try await machine.waitForEnd()
      let end = ContinuousClock.now - start

      let whole = status["hashed"] >= status["total"]
      return [
        .init(
          whole ? "integrity: a full pass" : "integrity: a full pass, by what fits one", milliseconds(status.fullPass),
          "at most 40 ms"),
        .init(
          "integrity: metadata alone, \(count(status["entries"])) entries", milliseconds(status["metadata"]),
          "at most 5 ms"),
        .init(
          "integrity: processor share, a pass every 2 s", String(format: "%.2f %%", last.share * 100), "at most 1 %"),
        .init(
          "integrity: all \(count(status["total"])) bytes hashed",
          whole ? "every pass" : status["round"] > 0 ? "in " + seconds(status["round"] / 1000) : "not in 30 s",
          "at most 60 s"),
        .init("integrity: resident memory", memory, "at most 400 kB"),
        .init("integrity: from change to alarm, at worst", seconds(alarm.seconds), "at most 2.5 s"),
        .init("integrity: from change to reset", seconds(end.seconds), "reported"),
      ]
    }
  }

  private static let untilNextPass =
    "while [ \"$(grep ^passes /run/certaintyd/status)\" = \"$n\" ]; do sleep 0.05; done"

  /// In instructions, whatever computer emulates them: one is a nanosecond of the guest's time, and idle time passes at once.
  private func counted() async throws -> [Measurement] {
    var configuration = machine()
    configuration.extraArguments = ["-icount", "shift=0,sleep=off"]
    return try await withVirtualMachine(configuration) { machine in
      try await machine.restartCertaintyd()
      try await machine.run("sleep 31", within: .seconds(200))
      let status = try await machine.integrityStatus()
      let perByte = status["content"] / status["hashed"]
      let perEntry = status["metadata"] / status["entries"]
      let pentium = Self.cyclesPerInstruction / Self.hertz
      let metadata = status["metadata"] * pentium
      let content = perByte * status["total"] * pentium
      // A pass every 2 s looks at all metadata; all content has 60 s.
      let share = metadata / 2 + content / 60
      return [
        .init("integrity: instructions per byte hashed", String(format: "%.1f", perByte), "reported"),
        .init("integrity: instructions per entry checked", String(format: "%.0f", perEntry), "reported"),
        .init(
          "integrity: 133 MHz at 1.5 cycles an instruction, metadata", milliseconds(metadata * 1e9), "reported"),
        .init("integrity: the same, all content", milliseconds(content * 1e9), "reported"),
        .init(
          "integrity: the same, share when all content is read in 60 s", String(format: "%.1f %%", share * 100),
          "at most 2 %"),
      ]
    }
  }

  private func machine() -> MachineConfiguration {
    MachineConfiguration(boot: .kernel(kernel, initramfs: root, commandLine: "console=ttyS0,115200 ip=off"))
  }

  private func count(_ number: Double) -> String { String(format: "%.0f", number) }

  private func milliseconds(_ nanoseconds: Double) -> String { String(format: "%.1f ms", nanoseconds / 1e6) }

  private func seconds(_ seconds: Double) -> String { String(format: "%.2f s", seconds) }
}

/// What certaintyd counts of itself, see the drone's `WatchStatus`.
private struct IntegrityStatus {
  private let numbers: [Substring: Double]

  init(file: String) {
    let lines = file.split(separator: "\n").map { $0.split(separator: " ") }
    numbers = Dictionary(
      lines.compactMap { line in line.count == 2 ? Double(line[1]).map { (line[0], $0) } : nil },
      uniquingKeysWith: { first, _ in first })
  }

  subscript(name: Substring) -> Double { numbers[name] ?? .nan }

  /// Nanoseconds of processor time that metadata and all content take.
  var fullPass: Double { self["metadata"] + self["content"] * self["total"] / self["hashed"] }

  /// Part of one processor since the first pass.
  var share: Double { self["processor"] / 1e6 / (self["last"] - self["since"]) }
}

extension VirtualMachine {
  /// Waits for the shell, ends the certaintyd that the boot started, and starts one that looks at once.
  fileprivate func restartCertaintyd() async throws {
    try await expect(":/# ")
    try await run("kill $(cat /run/certaintyd/pid); while pidof certaintyd; do sleep 0.1; done")
    type("certaintyd --delay 0 &\n")
    try await expect(":/# ")
  }

  fileprivate func integrityStatus() async throws -> IntegrityStatus {
    IntegrityStatus(file: try await run("cat /run/certaintyd/status").output)
  }
}

extension Duration {
  fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
