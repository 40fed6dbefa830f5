import DroneLayout
import Foundation
import SystemPackage
import VirtualMachine
import Workshop

/// Returns the root archive in an ISO, the cluster's credential included, for machines whose kernel the emulator loads. It
/// may hold a key, so it lies in a folder that nobody else may enter and goes when `body` returns.
public func withRootArchive<Result: Sendable>(
  of image: FilePath, _ body: (FilePath) async throws -> Result
) async throws -> Result {
  let folder = FilePath(NSTemporaryDirectory()).appending("credential-\(UUID())")
  try makeFolder(folder)
  defer { try? FileManager.default.removeItem(atPath: folder.string) }
  try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.string)
  _ = try await Command("bsdtar", ["-x", "-f", image.string, "-C", folder.string, "\(MediumPath.root)"]).output()
  return try await body(folder.appending("\(MediumPath.root)"))
}

extension NetworkNamespace {
  /// A card of its own on a bridge of this network, with every frame captured into `folder`.
  public func card(
    _ number: Int, model: NetworkCard.Model = .e1000, on bridge: String = bridge, captureIn folder: FilePath
  ) async throws -> (card: NetworkCard, tap: String, capture: FilePath) {
    let tap = try await tap("tap\(number)", on: bridge)
    let capture = folder.appending("card\(number).pcap")
    let card = NetworkCard(
      model, on: .tap(tap), address: "52:54:00:00:00:" + String(0x10 + number, radix: 16), capture: capture)
    return (card, tap, capture)
  }
}

/// Machines that become drones of a cluster, all on one wire unless said otherwise.
public struct DroneArmy: Sendable {
  /// The kernel that the emulator loads.
  public let kernel: FilePath
  /// Whose root archive and credential the drones have.
  public let image: FilePath
  /// More words on the kernel's command line.
  public var words = ""
  /// A reboot starts a machine again.
  public var restarts = false
  /// Other images, by the drone's place in the list of addresses.
  public var images: [Int: FilePath] = [:]
  /// Other wires than the first bridge with the router 192.168.1.1, by the drone's place; 24 bits of an address name one.
  public var wires: [Int: (bridge: String, router: String)] = [:]
  /// How long the emulators may run.
  public var lifetime = Duration.seconds(900)

  public init(kernel: FilePath, image: FilePath) {
    self.kernel = kernel
    self.image = image
  }

  /// Starts a drone for each address, waits for their shells and passes them to `body`.
  public func run<Result: Sendable>(
    _ addresses: [String], in network: NetworkNamespace, file: String = #fileID, function: String = #function,
    _ body: ([Drone]) async throws -> Result
  ) async throws -> Result {
    let folder = FilePath(NSTemporaryDirectory()).appending("captures-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    return try await withMachineGroup(of: addresses.count, file: file, function: function) {
      try await start(addresses, [], captures: folder, in: network, body)
    }
  }

  private func start<Result: Sendable>(
    _ addresses: [String], _ started: [Drone], captures: FilePath, in network: NetworkNamespace,
    _ body: ([Drone]) async throws -> Result
  ) async throws -> Result {
    guard started.count < addresses.count else {
      for drone in started { try await drone.machine.expect(":/# ") }
      return try await body(started)
    }
    let number = started.count
    let address = addresses[number]
    let wire = wires[number] ?? (NetworkNamespace.bridge, "192.168.1.1")
    let (card, tap, capture) = try await network.card(number, on: wire.bridge, captureIn: captures)
    return try await withRootArchive(of: images[number] ?? image) { initramfs in
      var configuration = MachineConfiguration(
        boot: .kernel(
          kernel, initramfs: initramfs,
          commandLine: "\(MachineConfiguration.kernelWords) ip=\(address)::\(wire.router):255.255.255.0::: \(words)"),
        cards: [card])
      configuration.lifetime = lifetime
      configuration.restarts = restarts
      return try await withVirtualMachine(configuration, in: network) { machine in
        let drone = Drone(machine: machine, address: address, tap: tap, capture: capture)
        return try await start(addresses, started + [drone], captures: captures, in: network, body)
      }
    }
  }
}

/// `tyd` on the first, `tyd -m` with the first's address on the others, all of them in, and all seeing each other.
public func formCluster(_ drones: [Drone], options: String = "") async throws {
  guard let first = drones.first else { return }
  try await first.machine.succeeds("tyd \(options)")
  for drone in drones.dropFirst() { try await drone.machine.succeeds("tyd -m \(first.address) \(options)") }
  let all = Set(drones.map(\.address))
  for drone in drones { try await drone.waits(for: "\(all) alive") { $0.alive == all } }
}
