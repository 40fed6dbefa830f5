import SystemPackage
import TestCluster
import VirtualMachine

typealias Drone = TestCluster.Drone

extension DroneArmy {
  /// Drones of the image under test.
  init() throws { self.init(kernel: try Image.file("pxe/chaos/bzImage"), image: try Image.iso) }
}

/// Starts a drone with the default cluster's credential for each address, all on one wire, waits for their shells and
/// gives them to `body`. `images` are other ISOs to take the credential from, by the drone's place in the list.
func withDrones(
  _ addresses: [String], words: String = "", images: [Int: FilePath] = [:], in network: NetworkNamespace,
  file: String = #fileID, function: String = #function, _ body: ([Drone]) async throws -> Void
) async throws {
  var army = try DroneArmy()
  army.words = words
  army.images = images
  try await army.run(addresses, in: network, file: file, function: function, body)
}

/// `tyd` on the first, `tyd -m` with the first's address on the others, all of them in, and all seeing each other.
func formCluster(_ drones: [Drone], options: String = "") async throws {
  try await TestCluster.formCluster(drones, options: options)
}
