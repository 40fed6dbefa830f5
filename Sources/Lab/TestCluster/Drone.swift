import Bytes
import Addresses
import NodeStatus
import DroneLayout
import Foundation
import SystemPackage
import VirtualMachine
import Workshop

/// A drone of a cluster: its machine, and every frame its card sent or got, kept outside of it.
public struct Drone: Sendable {
  public let machine: VirtualMachine
  /// Where it boots with; a test may give it another.
  public let address: String
  public let tap: String
  public let capture: FilePath

  /// What tcpdump says of the captured frames that match the filter (pcap-filter(7)), one line a frame.
  public func frames(_ filter: String) async throws -> [String] {
    let text = try await Command("tcpdump", ["-n", "-r", capture.string, filter]).output()
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Every frame between the two that is neither ESP nor what may be seen in clear: TLS on 3278 and discovery.
  /// (ARP is not an IP frame.)
  public func clearFrames(with other: String) async throws -> [String] {
    try await frames(
      "ip host \(address) and ip host \(other) and not esp and not tcp port \(ClusterPorts.control) "
        + "and not udp port \(ClusterPorts.discovery) and not udp port \(ClusterPorts.discoveryAnswer)")
  }

  /// `tyd --status --json`.
  public func status() async throws -> NodeStatus {
    let text = try await machine.output("tyd --status --json")
    let line = text.split(separator: "\n").first { $0.hasPrefix("{") } ?? ""
    return try NodeStatus(json: [UInt8](line.utf8))
  }

  /// Waits up to `bound` of the machines' time until the status is as wanted, and returns it.
  @discardableResult
  public func waits(
    for wanted: String, within bound: Duration = .seconds(20), _ holds: (NodeStatus) -> Bool
  ) async throws -> NodeStatus {
    let watch = MachineWatch()
    while true {
      let status = try await status()
      if holds(status) { return status }
      guard watch.elapsed < bound else {
        throw BuildError.input("\(address) did not see within \(bound): \(wanted). Its status: \(status)")
      }
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  public func reaches(_ other: String) async throws -> Bool { try await machine.reaches(other) }
}

// As tests speak of it.
extension NodeStatus {
  /// The node's own id: `0x010b`.
  public var name: String { String(decoding: idText(id), as: UTF8.self) }
  public func state(of address: String) -> State? {
    nodes.first { $0.address == IPv4Address(text: address.utf8) }?.state
  }
  public var alive: Set<String> {
    Set(nodes.filter { $0.state == .alive }.map { String(decoding: $0.address.text, as: UTF8.self) })
  }
  /// How often the keys of the tunnel to `address` were replaced.
  public func rekeys(with address: String) -> UInt64 {
    tunnels.first { IPv4Address(text: address.utf8) == $0.address }?.rekeys ?? 0
  }
  public var refusals: [String: UInt64] {
    Dictionary(refused.map { (String(decoding: $0.name, as: UTF8.self), $0.count) }) { $1 }
  }
}
