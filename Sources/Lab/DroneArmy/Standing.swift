import NodeStatus
import Bytes
import Linux
import Workshop

// How the army stands, in words.
extension Army {
  /// Kilobytes of this computer's memory that all machines take together.
  private var memory: Int { emulators.reduce(0) { $0 + ($1?.memory ?? 0) } }

  private var dropped: UInt64 { emulators.reduce(0) { $0 + ($1?.queue.dropped ?? 0) } }

  func power(_ index: Int) -> String {
    guard emulators[index] != nil else { return progress[index].starts == 0 ? "waits" : "off" }
    return progress[index].isMember ? "on" : "boots"
  }

  private func name(_ id: UInt16) -> String { String(decoding: idText(id), as: UTF8.self) }

  func standing(_ now: UInt64) -> String {
    var rows = [["drone", "address", "power", "cable", "cluster", "id", "shell", "in"]]
    for index in progress.indices {
      let drone = progress[index]
      rows.append([
        "\(index + 1)", String(decoding: plan.address(of: index + 1).text, as: UTF8.self), power(index),
        network.isPlugged(index) ? "in" : "out", seen[index].map { "\($0.state.word)" } ?? "-",
        seen[index].map { name($0.id) } ?? "-",
        drone.shellAt.map { spoken(drone.sinceStart($0)) } ?? "-",
        drone.memberAt.map { spoken(drone.sinceStart($0)) } ?? "-",
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let table = rows.map { row in
      let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
    let all = allInAt.map { "All were in after \(spoken($0 - began))." } ?? "Not all have been in yet."
    return table.joined(separator: "\n") + "\n\n\(all) \(figures)\n"
  }

  /// One line of numbers, now.
  var figures: String {
    "Memory: \(memory / 1024) MB. False deaths: \(falseDeaths). Deaths noted: \(deathsNoted). Frames dropped: \(dropped)."
  }

  func standingAsJSON(_ now: UInt64) -> String {
    let drones = progress.indices.map { index in
      let drone = progress[index]
      func time(_ value: UInt64?) -> String { drone.sinceStart(value).map { "\($0)" } ?? "null" }
      func text(_ value: String?) -> String { value.map { "\"\($0)\"" } ?? "null" }
      return "{\"drone\":\(index + 1),\"address\":\""
        + String(decoding: plan.address(of: index + 1).text, as: UTF8.self)
        + "\",\"power\":\"\(power(index))\",\"plugged\":\(network.isPlugged(index)),\"starts\":\(drone.starts),"
        + "\"process\":\(emulators[index].map { "\($0.process)" } ?? "null"),"
        + "\"shellMilliseconds\":\(time(drone.shellAt)),\"memberMilliseconds\":\(time(drone.memberAt)),"
        + "\"cluster\":\(text(seen[index].map { "\($0.state.word)" })),\"id\":\(text(seen[index].map { name($0.id) }))}"
    }
    let all = allInAt.map { "\($0 - began)" } ?? "null"
    return "{\"drones\":[\(drones.joined(separator: ","))],\"allInMilliseconds\":\(all),\"memoryKilobytes\":\(memory),"
      + "\"falseDeaths\":\(falseDeaths),\"deathsNoted\":\(deathsNoted),\"framesDropped\":\(dropped)}\n"
  }
}
