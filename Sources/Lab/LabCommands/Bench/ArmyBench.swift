import DroneArmy
import Foundation
import SystemPackage
import Workshop

/// How long an army takes until all its drones are in, and whether they then stay so for a minute. This computer's load
/// counts: a drone that gets no processor looks dead to the others.
func armyMeasurements(drones: Int, tree: FilePath) async throws -> [Measurement] {
  let folder = FilePath(NSTemporaryDirectory()).appending("bench-army-\(UUID())")
  let output = try await Command(
    "/proc/self/exe",
    [
      "army", "--nodes", "\(drones)", "--tree", tree.string, "--seconds", "60", "--plain",
      "--run-folder", folder.string,
    ]
  ).output()
  let text = String(decoding: output, as: UTF8.self)
  /// What stands between two texts.
  func value(after start: String, before end: String) -> String? {
    guard let from = text.range(of: start), let to = text.range(of: end, range: from.upperBound..<text.endIndex) else {
      return nil
    }
    return String(text[from.upperBound..<to.lowerBound])
  }
  let name = "army of \(drones)"
  return [
    .init("\(name), all are in", value(after: "drones are in after ", before: ".\n") ?? "never", "at most 120 s"),
    .init("\(name), false deaths up to a minute later", value(after: "Deaths noted: ", before: ".") ?? "unknown", "0"),
    .init("\(name), memory of this computer", value(after: "Memory: ", before: ". ") ?? "unknown", "reported"),
    .init("\(name), load of this computer afterwards", loadAverage() ?? "unknown", "reported"),
  ]
}

/// Programs that wanted to run, on average over the last minute (proc(5), /proc/loadavg).
private func loadAverage() -> String? {
  (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8))?.split(separator: " ").first.map(String.init)
}
