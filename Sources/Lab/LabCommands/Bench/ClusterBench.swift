import ClusterSimulation
import Foundation

/// What a simulated cluster of so many nodes costs and how fast it is. 1,000 nodes take about a minute.
func clusterMeasurements(nodes: Int) -> [Measurement] {
  // Views of many nodes are minutes old, and so is the rest that shows it.
  let figures = ClusterFigures(nodes: nodes, rest: max(60_000, UInt64(nodes) * 240))
  func seconds(_ milliseconds: UInt64?) -> String {
    milliseconds.map { String(format: "%.2f s", Double($0) / 1000) } ?? "never"
  }
  func kilobytes(_ bytes: Int) -> String { String(format: "%.0f kB", Double(bytes) / 1000) }
  let name = "cluster of \(nodes)"
  var rows = [
    Measurement("\(name), each node at rest", String(format: "%.0f B/s", figures.bytes), "at most 600 B/s"),
    Measurement("\(name), datagrams", String(format: "%.1f /s", figures.datagrams), "reported"),
    Measurement("\(name), tunnels at rest", "\(figures.associations)", "at most 16"),
    Measurement("\(name), memory", String(format: "%.0f kB", Double(figures.memory) / 1000), "at most 200 kB"),
    Measurement("\(name), age of loads seen", "mean \(seconds(figures.age.mean))", "reported"),
    Measurement("\(name), oldest load seen", seconds(figures.age.largest), "reported"),
    Measurement("\(name), a join seen by all", seconds(figures.join), "at most 5 s"),
    Measurement("\(name), handshakes of a join", "\(figures.handshakes)", "reported"),
    Measurement("\(name), a death seen by all", seconds(figures.death), "at most 5 s"),
    Measurement("\(name), a leave seen by all", seconds(figures.leave), "at once"),
    Measurement("\(name), a partition healed", seconds(figures.heal), "reported"),
  ]
  let first = SurveyFigures(nodes: nodes, tunnels: figures.associations)
  let next = SurveyFigures(nodes: nodes, tunnels: nodes - 1)
  rows += [
    Measurement(
      "\(name), mtop's first round",
      "\(kilobytes(first.bytes)) and \(first.handshakes) handshakes (\(kilobytes(first.handshakeBytes)))",
      "reported"),
    Measurement("\(name), who answers it", "\(first.answers) of \(nodes - 1)", "reported"),
    Measurement("\(name), mtop's other rounds", kilobytes(next.bytes), "reported"),
    Measurement("\(name), who answers them", "\(next.answers) of \(nodes - 1)", "all"),
  ]
  if !figures.faults.isEmpty {
    rows.append(Measurement("\(name), FAULTS", figures.faults.joined(separator: " "), "none"))
  }
  return rows
}
