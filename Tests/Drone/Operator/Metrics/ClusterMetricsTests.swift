import Addresses
import Bytes
import ClusterView
import Foundation
import SystemPackage
import TestSupport
import Testing
import Workshop

@testable import Metrics

/// The text that Prometheus gets, read by the parser of its own Python client.
@Suite struct ClusterMetricsTests {

  static var sample: ClusterMetrics {
    var metrics = ClusterMetrics()
    var node = ClusterTable.Node(id: 0x010B, address: IPv4Address(192, 168, 1, 11), state: .alive)
    node.load = 105
    node.cpus = 2
    node.speed = 133
    node.memoryTotal = 32
    node.memoryFree = 20
    node.uptime = 4000
    metrics.nodes = [
      node, ClusterTable.Node(id: 0x0115, address: IPv4Address(192, 168, 1, 21), state: .dead),
      ClusterTable.Node(id: 0x0116, address: .unspecified, state: .removed),
    ]
    metrics.id = 0x010B
    metrics.version = [UInt8]("2.0.0".utf8)
    metrics.cluster = [UInt8]("c1a0".utf8)
    metrics.tunnels = 1
    metrics.rekeys = 3
    metrics.negotiations = [.init("completed", 5), .init("failed", 1)]
    metrics.refused = [.init("wrongCluster", 7), .init("slow", 0)]
    metrics.datagrams = [.init("received", 12_345_678_901)]
    metrics.surveys = [.init("answered", 2)]
    metrics.jobs = [.init("elsewhere", 3)]
    metrics.startedJobs = [.init("given", 40)]
    metrics.sessions = [.init("served", 2)]
    metrics.fileBytes = [.init("read", 1 << 40)]
    return metrics
  }

  @Test("every sample as it stands")
  func text() {
    let lines = String(decoding: Self.sample.text, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(
      lines.joined(separator: "\n") == """
        drone_up{node="0x010b",address="192.168.1.11"} 1
        drone_up{node="0x0115",address="192.168.1.21"} 0
        drone_up{node="0x0116",address=""} 0
        drone_state{node="0x010b",address="192.168.1.11",state="alive"} 1
        drone_state{node="0x0115",address="192.168.1.21",state="dead"} 1
        drone_state{node="0x0116",address="",state="removed"} 1
        drone_load1{node="0x010b",address="192.168.1.11"} 1.05
        drone_cpus{node="0x010b",address="192.168.1.11"} 2
        drone_cpu_frequency_hertz{node="0x010b",address="192.168.1.11"} 133000000
        drone_memory_total_bytes{node="0x010b",address="192.168.1.11"} 33554432
        drone_memory_available_bytes{node="0x010b",address="192.168.1.11"} 20971520
        drone_uptime_seconds{node="0x010b",address="192.168.1.11"} 4000
        tyd_info{node="0x010b",version="2.0.0",cluster="c1a0",encrypted="true"} 1
        tyd_members{state="alive"} 1
        tyd_members{state="suspect"} 0
        tyd_members{state="dead"} 1
        tyd_members{state="left"} 0
        tyd_members{state="removed"} 1
        tyd_tunnels 1
        tyd_handshakes_total{result="completed"} 5
        tyd_handshakes_total{result="failed"} 1
        tyd_rekeys_total 3
        tyd_refused_total{reason="wrongCluster"} 7
        tyd_refused_total{reason="slow"} 0
        tyd_gossip_datagrams_total{result="received"} 12345678901
        tyd_process_questions_total{result="answered"} 2
        mosd_jobs{where="elsewhere"} 3
        mosd_job_starts_total{result="given"} 40
        mosd_sessions{role="served"} 2
        mosd_file_bytes_total{direction="read"} 1099511627776
        """)
  }

  @Test("what would end a label's value is escaped")
  func escapes() {
    var metrics = ClusterMetrics()
    metrics.version = [UInt8]("a\"b\\c\nd".utf8)
    #expect(String(decoding: metrics.text, as: UTF8.self).contains("version=\"a\\\"b\\\\c?d\""))
  }

  @Test("Prometheus's own client reads it: every family with its help and type, every sample with its value")
  func read() async throws {
    let program = """
      import sys
      from prometheus_client.parser import text_string_to_metric_families
      for family in text_string_to_metric_families(sys.stdin.read()):
          assert family.documentation.endswith("."), family
          print(family.type, family.name, len(family.samples), *[s.value for s in family.samples])
      """
    let folder = FilePath(NSTemporaryDirectory())
    try await withTemporaryFolder(in: folder) { folder in
      let file = folder.appending("metrics")
      try await write(Self.sample.text, to: file)
      let output = try await Command("sh", ["-c", "exec /usr/bin/python3 -c \"$0\" <\"$1\"", program, file.string])
        .output()
      let lines = String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
      #expect(lines.count == MetricFamily.allCases.count)
      #expect(lines.contains("gauge drone_load1 1 1.05"))
      #expect(lines.contains("counter tyd_refused 2 7.0 0.0"))
      #expect(lines.contains("gauge drone_up 3 1.0 0.0 0.0"))
    }
  }

  @Test("a thousand nodes take half a megabyte")
  func large() {
    var metrics = Self.sample
    metrics.nodes = (1...1000).map { number in
      var node = metrics.nodes[0]
      node.id = UInt16(number)
      node.address = IPv4Address(bits: 0xC0A8_FFFF - UInt32(number))
      return node
    }
    #expect((400_000...600_000).contains(metrics.text.count), "\(metrics.text.count)")
  }

  @Test("the dashboard in docs is JSON and asks for what there is, and for every node's metrics")
  func dashboard() throws {
    let file = checkout.appending("docs").appending("grafana-drones.json")
    let data = try #require(FileManager.default.contents(atPath: file.string))
    let dashboard = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect((dashboard["title"] as? String)?.isEmpty == false)
    let panels = try #require(dashboard["panels"] as? [[String: Any]])
    let known = Set(MetricFamily.allCases.map { $0.name.withUTF8Buffer { String(decoding: $0, as: UTF8.self) } })
    var asked: Set<String> = []
    var ids: Set<Int> = []
    for panel in panels {
      ids.insert(try #require(panel["id"] as? Int))
      for target in panel["targets"] as? [[String: Any]] ?? [] {
        let expression = try #require(target["expr"] as? String)
        for name in expression.matches(of: /\b(drone|tyd)_[a-z0-9_]+/) { asked.insert(String(name.output.0)) }
      }
    }
    #expect(ids.count == panels.count)
    #expect(asked.subtracting(known) == [])
    #expect(known.filter { $0.hasPrefix("drone_") }.subtracting(asked) == [])
  }
}
