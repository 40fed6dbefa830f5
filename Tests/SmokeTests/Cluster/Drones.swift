import BuildSteps
import Foundation
import SystemPackage
import Testing
import VirtualMachine

/// A drone of a cluster: its machine, and every frame its card sent or got, kept outside of it.
struct Drone: Sendable {
  let machine: VirtualMachine
  let address: String
  let tap: String
  let capture: FilePath

  /// What tcpdump says of the captured frames that match the filter (pcap-filter(7)), one line a frame.
  func frames(_ filter: String) async throws -> [String] {
    let text = try await Command("tcpdump", ["-n", "-r", capture.string, filter]).output()
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Every frame between the two that is neither ESP nor what may be seen in clear: TLS on 3278 and discovery.
  /// (ARP is not an IP frame.)
  func clearFrames(with other: String) async throws -> [String] {
    try await frames(
      "ip host \(address) and ip host \(other) and not esp and not tcp port 3278 and not udp port 2727 "
        + "and not udp port 2728")
  }

  /// `tyd --status --json`.
  func status() async throws -> ClusterStatus {
    let text = try await machine.output("tyd --status --json")
    let line = text.split(separator: "\n").first { $0.hasPrefix("{") } ?? ""
    return try JSONDecoder().decode(ClusterStatus.self, from: Data(line.utf8))
  }

  /// Waits up to `bound` of the host's time until the status is as wanted, and gives it.
  @discardableResult
  func waits(
    for wanted: String, within bound: Duration = .seconds(20), _ holds: (ClusterStatus) -> Bool
  ) async throws -> ClusterStatus {
    let deadline = ContinuousClock.now + bound
    while true {
      let status = try await status()
      if holds(status) { return status }
      guard ContinuousClock.now < deadline else {
        throw BuildError.input("\(address) did not see within \(bound): \(wanted). Its status: \(status)")
      }
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  /// Whether a ping is answered; at most the first packet may be lost.
  func reaches(_ other: String) async throws -> Bool {
    try await machine.run("ping -c2 -W3 \(other)").status == 0
  }
}

/// The part of `tyd --status --json` that the tests read.
struct ClusterStatus: Decodable {
  struct Node: Decodable {
    var id: String
    var address: String
    var state: String
    var fingerprint: String
  }
  struct Tunnel: Decodable {
    var address: String
    var spiIn: String?
    var spiOut: String?
    var rekeys: Int?
  }
  var node: String
  var state: String
  var cluster: String
  var fingerprint: String
  var nodes: [Node]
  var tunnels: [Tunnel]?
  var refused: [String: Int]?

  func state(of address: String) -> String? { nodes.first { $0.address == address }?.state }
  var alive: Set<String> { Set(nodes.filter { $0.state == "alive" }.map(\.address)) }
}

extension Image {
  /// Gives the ISO's own root archive, cluster credential included, for machines whose kernel the emulator loads. It holds
  /// a key, so it lies in a folder that nobody else may enter and goes when `body` returns.
  static func withCredentialArchive<Result: Sendable>(
    of image: FilePath? = nil, _ body: (FilePath) async throws -> Result
  ) async throws -> Result {
    let folder = FilePath(NSTemporaryDirectory()).appending("credential-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.string)
    _ = try await Command(
      "bsdtar", ["-x", "-f", (try image ?? iso).string, "-C", folder.string, "chaos/chaos.rdz"]
    ).output()
    return try await body(folder.appending("chaos/chaos.rdz"))
  }

  static func member(_ words: String, initramfs: FilePath, cards: [NetworkCard]) throws -> MachineConfiguration {
    MachineConfiguration(
      boot: .kernel(
        try file("pxe/chaos/bzImage"), initramfs: initramfs, commandLine: "console=ttyS0,115200 \(words)"),
      cards: cards)
  }
}

extension NetworkNamespace {
  /// A card of its own on this network's bridge, with every frame captured into `folder`.
  func card(_ number: Int, model: NetworkCard.Model = .e1000, captureIn folder: FilePath) async throws -> (
    card: NetworkCard, tap: String, capture: FilePath
  ) {
    let tap = try await tap("tap\(number)")
    let capture = folder.appending("card\(number).pcap")
    let card = NetworkCard(
      model, on: .tap(tap), address: "52:54:00:00:00:" + String(0x10 + number, radix: 16), capture: capture)
    return (card, tap, capture)
  }
}

/// Starts a drone with the default cluster's credential for each address, all on one wire, waits for their shells and
/// gives them to `body`. `image` is another ISO to take the credential from, by the drone's place in the list.
func withDrones(
  _ addresses: [String], words: String = "", images: [Int: FilePath] = [:], in network: NetworkNamespace,
  _ body: ([Drone]) async throws -> Void
) async throws {
  let folder = FilePath(NSTemporaryDirectory()).appending("captures-\(UUID())")
  try makeFolder(folder)
  defer { try? FileManager.default.removeItem(atPath: folder.string) }
  func start(_ started: [Drone]) async throws {
    guard started.count < addresses.count else {
      for drone in started { try await drone.machine.expectShell() }
      return try await body(started)
    }
    let number = started.count
    let (card, tap, capture) = try await network.card(number, captureIn: folder)
    try await Image.withCredentialArchive(of: images[number]) { initramfs in
      var configuration = try Image.member(
        "ip=\(addresses[number])::192.168.1.1:255.255.255.0::: \(words)", initramfs: initramfs, cards: [card])
      configuration.lifetime = .seconds(400)
      try await withVirtualMachine(configuration, in: network) { machine in
        try await start(
          started + [Drone(machine: machine, address: addresses[number], tap: tap, capture: capture)])
      }
    }
  }
  try await withMachineGroup { try await start([]) }
}

/// `tyd` on the first, `tyd -m` with the first's address on the others, all of them in, and all seeing each other.
func formCluster(_ drones: [Drone]) async throws {
  guard let first = drones.first else { return }
  try await first.machine.succeeds("tyd")
  for drone in drones.dropFirst() { try await drone.machine.succeeds("tyd -m \(first.address)") }
  let all = Set(drones.map(\.address))
  for drone in drones { try await drone.waits(for: "\(all) alive") { $0.alive == all } }
}

extension VirtualMachine {
  /// Runs a command that must succeed, and gives what it printed.
  @discardableResult
  func succeeds(_ command: String) async throws -> String {
    let (output, status) = try await run(command)
    guard status == 0 else {
      throw BuildError.input("\(command): exit status \(status); it printed:\n\(output)")
    }
    return output
  }
}
