import SystemPackage
import VirtualMachine

/// What a drone of 64 bits takes, by a BIOS from CD: with the project's own kernel, which has its drivers built in, and with
/// Debian's, which loads them.
struct WideBench {
  let own: FilePath
  let debian: FilePath
  /// How many boots are timed; the best one counts.
  let boots: Int

  func rows() async throws -> [Measurement] {
    var rows: [Measurement] = []
    var free: [Double] = []
    for (name, image, seconds, memory) in [
      ("own", own, "at most 2.5 s", "at most 96 MB"), ("debian", debian, "at most 6 s", "at most 160 MB"),
    ] {
      var times: [Double] = []
      var left = 0.0
      for _ in 0..<boots {
        let boot = try await Boot(of: image, memory: 256)
        times += [boot.shell].compactMap(\.self)
        left = max(left, boot.free ?? 0)
      }
      free.append(left)
      rows += [
        .init(
          "64 bits, \(name): kernel start to shell", times.min().map { "\($0) s" } ?? "not in the boot log", seconds),
        .init(
          "64 bits, \(name): smallest memory that joins", try await smallest(image).map { "\($0) MB" } ?? "none", memory
        ),
        .init("64 bits, \(name): free of 256 MB once modules are closed", "\(Int(left)) MB", "reported"),
      ]
    }
    rows.append(.init("64 bits: what debian takes more than own", "\(Int(free[0] - free[1])) MB", "at most 25 MB"))
    return rows
  }

  /// The smallest of these sizes, in MiB, with which the drone is in a cluster.
  private func smallest(_ image: FilePath) async throws -> Int? {
    var found: Int?
    for memory in [256, 224, 192, 160, 144, 128, 112, 96, 80, 64, 56, 48] {
      do {
        guard try await Boot(of: image, memory: memory).isMember else { return found }
      } catch is MachineFailure {
        return found
      }
      found = memory
    }
    return found
  }

  /// What one boot showed.
  private struct Boot {
    /// Seconds from the kernel's start to the shells, by the drone's own clock.
    var shell: Double?
    /// MiB available once no module is loaded any more.
    var free: Double?
    var isMember: Bool

    init(of image: FilePath, memory: Int) async throws {
      let configuration = MachineConfiguration(
        target: .x86_64, memory: memory, boot: .cd(image), cards: [NetworkCard(.e1000, on: .user())])
      self = try await withVirtualMachine(configuration) { machine in
        try await machine.expect("boot:")
        machine.type("first no_timer_check\n")
        try await machine.expect(":/# ")
        // `    2.41 s  shell       ok`
        let log = try await machine.run("cat /run/boot.log").output
        let lines = log.split(separator: "\n").map { $0.split(separator: " ") }
        let shell = lines.first { $0.count > 2 && $0[2].hasPrefix("shell") }?.first.flatMap { Double($0) }
        let joined = try await machine.run(
          "n=0; until tyd --status | grep -q alive || [ $n = 60 ]; do sleep 1; n=$((n+1)); done; [ $n -lt 60 ]")
        _ = try await machine.run(
          "n=0; while [ -d /modules ] && [ -n \"$(ls -A /modules)\" ] && [ $n -lt 40 ]; do sleep 1; n=$((n+1)); done; sleep 2"
        )
        let available = try await machine.run("grep MemAvailable /proc/meminfo").output
        let kilobytes = available.split(separator: " ").dropFirst().first.flatMap { Double($0) }
        return Boot(shell: shell, free: kilobytes.map { $0 / 1024 }, isMember: joined.status == 0)
      }
    }

    private init(shell: Double?, free: Double?, isMember: Bool) {
      (self.shell, self.free, self.isMember) = (shell, free, isMember)
    }
  }
}
