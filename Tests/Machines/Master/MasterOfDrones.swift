import ClusterStore
import Image
import SystemPackage
import Target
import Testing
import VirtualMachine

/// Starts a full Linux at 192.168.1.11 with the credential of the cluster that the image's drones know, and gives it to `body`
/// with a machine for each drone on its wire, which `body` starts.
///
/// - Parameters:
///   - addresses: the drones'.
///   - targets: what kinds of computer the drones are, by their places; nil for the standard one.
///   - capture: a pcap file that gets every frame of the master's card.
func withMasterOfDrones(
  _ addresses: [String], targets: [DroneTarget]? = nil, capture: FilePath? = nil, masterFiles: [Entry] = [],
  masterMemory: Int? = nil, file: String = #fileID, function: String = #function,
  _ body: (NetworkNamespace, VirtualMachine, [MachineConfiguration]) async throws -> Void
) async throws {
  let cluster = try ClusterStore().cluster(.standard)
  try await withNetworkNamespace(address: "192.168.1.1/24") { network in
    let card = NetworkCard(
      .virtio, on: .tap(try await network.tap("tap0")), address: "52:54:00:00:00:11", capture: capture)
    var drones: [MachineConfiguration] = []
    for (index, address) in addresses.enumerated() {
      let tap = try await network.tap("tap\(index + 1)")
      var drone = try Image.direct(
        "ip=\(address)::192.168.1.1:255.255.255.0:::", for: targets?[index] ?? .standard,
        cards: [.init(on: .tap(tap), address: "52:54:00:00:00:2\(index)")])
      if Master.isMeasured { drone.lifetime = Master.measured }
      drones.append(drone)
    }
    try await withMachineGroup(of: 1 + drones.count) {
      try await withMaster(
        package: Master.package, files: masterFiles + Master.credential(cluster.certificate, cluster.key),
        memory: masterMemory, card: card, in: network, file: file, function: function
      ) { master in try await body(network, master, drones) }
    }
  }
}

extension VirtualMachine {
  /// Begins a cluster that lets drones in for some minutes.
  func beginCluster() async throws {
    try await expectShell()
    try await succeeds("tyd; tyd --approve-window 5")
  }
}
