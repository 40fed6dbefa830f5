import Addresses
import Bytes
import ClusterView
import NodeStatus

/// What is measured: each family of Prometheus's text format by its name, with what it means.
public enum MetricFamily: CaseIterable, Sendable {
  case up, state, load, processors, speed, memoryTotal, memoryAvailable, uptime
  case information, members, tunnels, negotiations, rekeys, refused, datagrams, surveys
  case jobs, startedJobs, sessions, fileBytes

  public var name: StaticString {
    switch self {
    case .up: "drone_up"
    case .state: "drone_state"
    case .load: "drone_load1"
    case .processors: "drone_cpus"
    case .speed: "drone_cpu_frequency_hertz"
    case .memoryTotal: "drone_memory_total_bytes"
    case .memoryAvailable: "drone_memory_available_bytes"
    case .uptime: "drone_uptime_seconds"
    case .information: "tyd_info"
    case .members: "tyd_members"
    case .tunnels: "tyd_tunnels"
    case .negotiations: "tyd_handshakes_total"
    case .rekeys: "tyd_rekeys_total"
    case .refused: "tyd_refused_total"
    case .datagrams: "tyd_gossip_datagrams_total"
    case .surveys: "tyd_process_questions_total"
    case .jobs: "mosd_jobs"
    case .startedJobs: "mosd_job_starts_total"
    case .sessions: "mosd_sessions"
    case .fileBytes: "mosd_file_bytes_total"
    }
  }

  var help: StaticString {
    switch self {
    case .up: "1 for a node that is a member, 0 for one that is dead, has left or was removed."
    case .state: "The state of a node as this node sees it, in the label state; always 1."
    case .load: "Programs that wanted a processor, averaged over the last minute, as last reported by the node."
    case .processors: "Processors in use."
    case .speed: "Clock of the first processor."
    case .memoryTotal: "Memory that the kernel manages."
    case .memoryAvailable: "Memory that a program could get without hurting others."
    case .uptime: "Time since the node started."
    case .information: "This node, its cluster and its tyd; always 1."
    case .members: "Nodes that this node knows, by state."
    case .tunnels: "Nodes that encrypted packets can reach now."
    case .negotiations: "Negotiations of keys with other members, by result."
    case .rekeys: "Tunnels whose keys were replaced."
    case .refused: "Refused connections to TCP 3278, by reason."
    case .datagrams: "Membership datagrams, by result."
    case .surveys: "Questions of mtop, by result."
    case .jobs: "Jobs that run now: this node's elsewhere, and others' here."
    case .startedJobs: "Jobs that this node gave others, took from them, or had no room for."
    case .sessions: "Sessions of files: served to other nodes, and mounted from them."
    case .fileBytes: "Bytes of this node's files that other nodes' jobs read and wrote."
    }
  }

  var isCounter: Bool {
    switch self {
    case .negotiations, .rekeys, .refused, .datagrams, .surveys, .startedJobs, .fileBytes: true
    default: false
    }
  }
}

/// What one node knows of its cluster and of itself, for Prometheus.
public struct ClusterMetrics: Sendable {
  /// Prometheus's text format 0.0.4.
  public static let mediaType: StaticString = "text/plain; version=0.0.4; charset=utf-8"

  /// A counter by the value of its one label.
  public struct Count: Sendable {
    public var label: StaticString
    public var count: UInt64

    public init(_ label: StaticString, _ count: UInt64) {
      self.label = label
      self.count = count
    }
  }

  /// As the views get them.
  public var nodes: [ClusterTable.Node] = []
  /// This node and its tyd.
  public var id: UInt16 = 0
  public var version: [UInt8] = []
  /// The authority's fingerprint, hexadecimal.
  public var cluster: [UInt8] = []
  public var isEncrypted = true
  public var tunnels: UInt64 = 0
  public var rekeys: UInt64 = 0
  public var negotiations: [Count] = []
  public var refused: [Count] = []
  public var datagrams: [Count] = []
  public var surveys: [Count] = []
  /// Empty where no mosd runs, as the three that follow.
  public var jobs: [Count] = []
  public var startedJobs: [Count] = []
  public var sessions: [Count] = []
  public var fileBytes: [Count] = []

  public init() {}

  /// The text format 0.0.4: for each family a line of help, one of its type, and its samples.
  public var text: [UInt8] {
    var out = MetricsText()
    out.reserve(nodes.count &* 450 &+ 4096)
    let live = nodes.filter { $0.state.isLive }
    out.family(.up)
    for node in nodes { out.sample(.up, node, node.state.isLive ? 1 : 0) }
    out.family(.state)
    for node in nodes { out.sample(.state, node, 1, state: node.state) }
    out.family(.load)
    for node in live { out.sample(.load, node, UInt64(node.load), hundredths: true) }
    out.family(.processors)
    for node in live { out.sample(.processors, node, UInt64(node.cpus)) }
    out.family(.speed)
    for node in live where node.speed > 0 { out.sample(.speed, node, UInt64(node.speed) * 1_000_000) }
    out.family(.memoryTotal)
    for node in live { out.sample(.memoryTotal, node, UInt64(node.memoryTotal) << 20) }
    out.family(.memoryAvailable)
    for node in live { out.sample(.memoryAvailable, node, UInt64(node.memoryFree) << 20) }
    out.family(.uptime)
    for node in live { out.sample(.uptime, node, UInt64(node.uptime)) }

    out.family(.information)
    out.begin(.information)
    out.label("node", idText(id))
    out.label("version", version)
    out.label("cluster", cluster)
    out.label("encrypted", [UInt8](isEncrypted ? "true" : "false"))
    out.end(1)
    let states = ClusterTable.State.allCases.map { state in
      Count(state.word, UInt64(nodes.reduce(0) { $0 + ($1.state == state ? 1 : 0) }))
    }
    out.counts(.members, by: "state", states)
    out.counts(.tunnels, by: nil, [Count("", tunnels)])
    out.counts(.negotiations, by: "result", negotiations)
    out.counts(.rekeys, by: nil, [Count("", rekeys)])
    out.counts(.refused, by: "reason", refused)
    out.counts(.datagrams, by: "result", datagrams)
    out.counts(.surveys, by: "result", surveys)
    out.counts(.jobs, by: "where", jobs)
    out.counts(.startedJobs, by: "result", startedJobs)
    out.counts(.sessions, by: "role", sessions)
    out.counts(.fileBytes, by: "direction", fileBytes)
    return out.bytes
  }
}

/// Writes the text format.
private struct MetricsText {
  private(set) var bytes: [UInt8] = []
  private var hasLabel = false

  mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

  mutating func family(_ family: MetricFamily) {
    bytes += [UInt8]("# HELP ") + [UInt8](family.name) + [UInt8](" ") + [UInt8](family.help)
    bytes += [UInt8]("\n# TYPE ") + [UInt8](family.name)
    bytes += family.isCounter ? [UInt8](" counter\n") : [UInt8](" gauge\n")
  }

  mutating func begin(_ family: MetricFamily) {
    bytes += [UInt8](family.name)
    hasLabel = false
  }

  /// The value may be any bytes; what would end it is escaped.
  mutating func label(_ name: StaticString, _ value: [UInt8]) {
    bytes += hasLabel ? [UInt8](",") : [UInt8]("{")
    hasLabel = true
    bytes += [UInt8](name) + [UInt8]("=\"")
    for byte in value {
      switch byte {
      case UInt8(ascii: "\\"), UInt8(ascii: "\""): bytes += [UInt8(ascii: "\\"), byte]
      case 0x20...0x7E: bytes.append(byte)
      default: bytes.append(UInt8(ascii: "?"))
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  mutating func end(_ value: UInt64, hundredths: Bool = false) {
    bytes += hasLabel ? [UInt8]("} ") : [UInt8](" ")
    bytes += hundredths ? decimalText(value, places: 2) : decimalText(value)
    bytes.append(UInt8(ascii: "\n"))
  }

  mutating func sample(
    _ family: MetricFamily, _ node: ClusterTable.Node, _ value: UInt64, hundredths: Bool = false,
    state: ClusterTable.State? = nil
  ) {
    begin(family)
    label("node", idText(node.id))
    label("address", node.address == .unspecified ? [] : node.address.text)
    if let state { label("state", [UInt8](state.word)) }
    end(value, hundredths: hundredths)
  }

  /// A family of one label or none.
  mutating func counts(_ family: MetricFamily, by label: StaticString?, _ counts: [ClusterMetrics.Count]) {
    self.family(family)
    for count in counts {
      begin(family)
      if let label { self.label(label, [UInt8](count.label)) }
      end(count.count)
    }
  }
}
