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
  public func status() async throws -> ClusterStatus {
    let text = try await machine.output("tyd --status --json")
    let line = text.split(separator: "\n").first { $0.hasPrefix("{") } ?? ""
    return try JSONDecoder().decode(ClusterStatus.self, from: Data(line.utf8))
  }

  /// Waits up to `bound` of the machines' time until the status is as wanted, and returns it.
  @discardableResult
  public func waits(
    for wanted: String, within bound: Duration = .seconds(20), _ holds: (ClusterStatus) -> Bool
  ) async throws -> ClusterStatus {
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

  /// Whether a ping is answered; at most the first packet may be lost.
  public func reaches(_ other: String) async throws -> Bool {
    try await machine.run("ping -c2 -W3 \(other)").status == 0
  }
}

/// The part of `tyd --status --json` that is looked at here.
public struct ClusterStatus: Decodable, Sendable {
  public struct Node: Decodable, Sendable {
    public var id: String
    public var address: String
    public var state: String
    public var fingerprint: String
  }
  public struct Tunnel: Decodable, Sendable {
    public var address: String
    public var spiIn: String?
    public var spiOut: String?
    public var rekeys: Int?
  }
  /// ESP packets that the kernel's associations have refused.
  public struct RefusedPackets: Decodable, Sendable, Equatable {
    public var late: Int
    public var replayed: Int
    public var unproven: Int
  }
  public var node: String
  public var state: String
  public var cluster: String
  public var fingerprint: String
  public var nodes: [Node]
  public var tunnels: [Tunnel]?
  public var refused: [String: Int]?
  public var refusedPackets: RefusedPackets?
  /// What a node that is not in yet waits for.
  public var waits: String?

  public func state(of address: String) -> String? { nodes.first { $0.address == address }?.state }
  public var alive: Set<String> { Set(nodes.filter { $0.state == "alive" }.map(\.address)) }
  /// How often the keys of the tunnel to `address` were replaced.
  public func rekeys(with address: String) -> Int { tunnels?.first { $0.address == address }?.rekeys ?? 0 }
}
