import Bytes
import NodeStatus

/// The Y axis of a chart: from 0 to `top`, with five ticks.
struct Scale: Equatable {
  /// In the quantity's own unit: hundredths of programs, percent, MiB, MHz.
  let top: UInt64

  /// The smallest scale that holds every node's value.
  init(_ quantity: Monitor.Quantity, _ nodes: [ClusterTable.Node]) {
    switch quantity {
    case .memory, .utilisability: top = 100
    case .load: top = Scale.round(from: 100, Scale.largest(quantity, nodes))
    case .speed: top = Scale.round(from: 100, Scale.largest(quantity, nodes))
    case .rawMemory:
      var top: UInt64 = 16
      while top < Scale.largest(quantity, nodes) { top *= 2 }
      self.top = top
    }
  }

  private static func largest(_ quantity: Monitor.Quantity, _ nodes: [ClusterTable.Node]) -> UInt64 {
    var largest: UInt64 = 0
    for node in nodes where node.state.isLive { largest = max(largest, node.value(quantity).outer) }
    return largest
  }

  /// 1, 2, 4 or 8 with zeros: a quarter of it is a short number as well.
  private static func round(from smallest: UInt64, _ value: UInt64) -> UInt64 {
    var decade = smallest
    while true {
      for step in 0..<4 as Range<UInt64> where decade << step >= value { return decade << step }
      decade *= 10
    }
  }

  /// How many of `height` rows a value fills, rounded; one that is not 0 is seen at least as the half of a row.
  func rows(_ value: UInt64, of height: Int) -> (full: Int, hasHalf: Bool) {
    guard top > 0, height > 0 else { return (0, false) }
    // Values are at most 32 bits, heights at most 1,000.
    let halves = min(value, top) * UInt64(height) * 2
    let rounded = Int(clamping: (halves + top / 2) / top)
    return (rounded / 2, rounded % 2 == 1 || rounded == 0 && value > 0)
  }

  /// What stands beside a tick, at most five characters: tick 0 is at the bottom, tick 4 at the top.
  func label(_ quantity: Monitor.Quantity, tick: Int) -> [UInt8] {
    let value = top / 4 * UInt64(clamping: tick)
    switch quantity {
    case .load: return shortHundredths(value)
    case .memory, .utilisability: return decimalText(value) + [UInt8]("%")
    case .rawMemory, .speed: return shortNumber(value)
    }
  }
}

extension ClusterTable.Node {
  /// What a node's bar is of: what of it is filled, and, where it is more, how far its frame goes.
  func value(_ quantity: Monitor.Quantity) -> (filled: UInt64, outer: UInt64) {
    let used = memoryTotal > memoryFree ? UInt64(memoryTotal - memoryFree) : 0
    switch quantity {
    case .load: return (UInt64(load), UInt64(load))
    case .memory:
      let percent = memoryTotal == 0 ? 0 : (used * 100 + UInt64(memoryTotal) / 2) / UInt64(memoryTotal)
      return (percent, percent)
    case .rawMemory: return (used, UInt64(memoryTotal))
    case .speed: return (UInt64(speed), UInt64(speed))
    case .utilisability:
      let all = UInt64(cpus) * 100
      let free = all > UInt64(load) ? all - UInt64(load) : 0
      let percent = all == 0 ? 0 : (free * 100 + all / 2) / all
      return (percent, percent)
    }
  }
}

/// Hundredths as a number of at most five characters: `0.25`, `12.50`, `250.0`, `4000`, `20k`.
func shortHundredths(_ value: UInt64) -> [UInt8] {
  if value >= 100_000 { return shortNumber(value / 100) }
  var out = decimalText(value / 100)
  out.append(UInt8(ascii: "."))
  out.append(UInt8(ascii: "0") + UInt8(value / 10 % 10))
  if value < 10_000 { out.append(UInt8(ascii: "0") + UInt8(value % 10)) }
  return out
}

/// A number of at most five characters: `99999`, `100k`, `4295M`.
func shortNumber(_ value: UInt64) -> [UInt8] {
  if value < 100_000 { return decimalText(value) }
  if value < 10_000_000 { return decimalText(value / 1000) + [UInt8]("k") }
  return decimalText(min(value / 1_000_000, 9999)) + [UInt8]("M")
}
