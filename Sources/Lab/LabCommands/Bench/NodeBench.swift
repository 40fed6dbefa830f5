import Foundation
import SystemPackage
import TestCluster
import VirtualMachine

/// What tyd does on emulated Pentiums on one wire: how fast a node is in, what it holds, what encryption costs, and how much
/// of that is left while a stranger throws connections at it.
struct NodeBench {
  let kernel: FilePath
  let image: FilePath

  private static let junk = 10_000
  /// As many addresses as the stranger speaks from.
  private static let strangers = 12

  func rows() async throws -> [Measurement] {
    var army = DroneArmy(kernel: kernel, image: image)
    army.lifetime = .seconds(1200)
    return try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await army.run(["192.168.1.11", "192.168.1.21", "192.168.1.22"], in: network) { drones in
        try await joins(drones) + throughput(drones) + junk(drones, in: network)
      }
    }
  }

  private func joins(_ drones: [Drone]) async throws -> [Measurement] {
    try await drones[0].machine.succeeds("tyd")
    var times: [Double] = []
    for _ in 0..<5 {
      times.append(try await drones[1].secondsToJoin(drones[0].address))
      try await drones[1].end("leave")
    }
    try await drones[1].machine.succeeds("tyd -m \(drones[0].address)")
    try await drones[0].waits(for: "two nodes") { $0.alive.count == 2 }
    let memory = try await drones[0].residentMemory()
    // Ten seconds in which nobody wants anything of it.
    try await drones[0].machine.run("sleep 10")
    let atRest = [
      try await drones[0].machine.residentMemory(of: "1"),
      try await drones[0].machine.residentMemory(of: "$(cat /run/tyd/pid)"),
    ]
    for drone in drones.prefix(2) { try await drone.end("stop") }
    return [
      .init("tyd: -m to in, best of 5", seconds(times.min() ?? 0), "at most 1.5 s"),
      .init("tyd: the same, worst", seconds(times.max() ?? 0), "reported"),
      .init("tyd: resident memory", megabytes(memory), "at most 5 MB"),
      .init("drone of a pair at rest: memory of init", atRest[0], "reported"),
      .init("drone of a pair at rest: memory of tyd", atRest[1], "reported"),
    ]
  }

  /// 16 MB by TCP, the best of three times.
  private func throughput(_ drones: [Drone]) async throws -> [Measurement] {
    var rates: [(cipher: String, rate: Double)] = []
    for cipher in ["off", "chacha20poly1305", "aes128gcm"] {
      let pair = Array(drones.prefix(2))
      try await formCluster(pair, options: "-c \(cipher)")
      var rate = 0.0
      for _ in 0..<3 {
        try await pair[1].machine.succeeds("{ timeout 200 nc -l -p 6000 </dev/null >/dev/null & }; sleep 0.3")
        let took = try await pair[0].seconds(
          "dd if=/dev/zero bs=64k count=256 2>/dev/null | timeout 200 nc \(pair[1].address) 6000", within: .seconds(220)
        )
        rate = max(rate, 16.777216 / took)
      }
      rates.append((cipher, rate))
      for drone in pair { try await drone.end("stop") }
    }
    let clear = rates.first { $0.cipher == "off" }?.rate ?? .nan
    return rates.map { cipher, rate in
      let text = String(format: "%.1f MB/s", rate)
      return cipher == "off"
        ? .init("tyd: TCP between two nodes, in clear", text, "reported")
        : .init("tyd: the same with ESP, \(cipher)", text + String(format: ", %.0f %%", 100 * rate / clear), "reported")
    }
  }

  /// A good node joins again and again while a stranger opens connections as fast as it can.
  private func junk(_ drones: [Drone], in network: NetworkNamespace) async throws -> [Measurement] {
    let first = drones[0]
    try await formCluster(Array(drones.prefix(2)))
    for number in 0..<Self.strangers {
      try await network.run(
        "ip", ["address", "add", "192.168.1.\(200 + number)/24", "dev", NetworkNamespace.bridge])
    }
    let before = try await first.residentMemory()
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let ended = Flag()
    async let flood: String = {
      do {
        let said = try await network.runOnNetwork(
          program, ["junk", first.address, "\(Self.junk)", "--sources", "\(Self.strangers)"])
        await ended.set()
        return said
      } catch {
        await ended.set()
        throw error
      }
    }()
    var times: [Double] = []
    var failures = 0
    var largest = before
    while await !ended.isSet {
      do {
        times.append(try await drones[2].secondsToJoin(first.address))
        try await drones[2].end("leave")
      } catch is Drone.DidNotJoin {
        failures += 1
      }
      largest = max(largest, try await first.residentMemory())
    }
    let said = try await flood.trimmingCharacters(in: .whitespacesAndNewlines)
    let after = try await first.residentMemory()
    let status = try await first.status()
    let refused = status.refusals.filter { $0.value > 0 }.map { "\($0.key) \($0.value)" }.sorted()
    let joined = "\(times.count) of \(times.count + failures)"
    return [
      .init("tyd: \(Self.junk) junk connections", said, "reported"),
      .init("tyd: turned away of them", refused.joined(separator: ", "), "reported"),
      .init("tyd: joins of a good node meanwhile", joined, "all"),
      .init("tyd: the slowest of them", times.max().map(seconds) ?? "none", "at most 3 s"),
      .init(
        "tyd: resident memory before, most, after", [before, largest, after].map(megabytes).joined(separator: ", "),
        "at most 5 MB, flat"),
      .init("tyd: members alive after it", "\(status.alive.count)", "2"),
    ]
  }

  private func seconds(_ seconds: Double) -> String { String(format: "%.2f s", seconds) }
  private func megabytes(_ kilobytes: Int) -> String { String(format: "%.2f MB", Double(kilobytes) * 1024 / 1e6) }
}

private actor Flag {
  var isSet = false
  func set() { isSet = true }
}

extension Drone {
  struct DidNotJoin: Error {}

  /// The guest's own seconds that a command takes. It must succeed.
  fileprivate func seconds(_ command: String, within bound: Duration = VirtualMachine.patience) async throws -> Double {
    let text = try await machine.succeeds(
      "read start rest </proc/uptime; \(command); status=$?; read end rest </proc/uptime; echo took $start $end; "
        + "[ $status = 0 ]",
      within: bound)
    let words = text.split(whereSeparator: \.isWhitespace).drop { $0 != "took" }.compactMap { Double($0) }
    guard words.count == 2 else { return .nan }
    return words[1] - words[0]
  }

  /// How long `tyd -m` takes; throws `DidNotJoin` when it gives up.
  fileprivate func secondsToJoin(_ member: String) async throws -> Double {
    let took = try? await seconds("tyd -s -m \(member)")
    guard let took else { throw DidNotJoin() }
    return took
  }

  /// In kilobytes, as the kernel counts them: 1024 bytes each.
  fileprivate func residentMemory() async throws -> Int {
    let words = try await machine.output("grep VmRSS /proc/$(cat /run/tyd/pid)/status").split(
      whereSeparator: \.isWhitespace)
    return words.compactMap { Int($0) }.first ?? 0
  }

  /// `tyd --leave` or `--stop`, until the process is gone.
  fileprivate func end(_ order: String) async throws {
    try await machine.succeeds("tyd --\(order); while ps | grep -q '[ /][t]yd'; do sleep 0.1; done")
  }
}
