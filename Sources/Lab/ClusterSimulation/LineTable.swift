import Addresses

/// A connection of the control channel between two machines: TCP and TLS, which lose and reorder nothing.
struct Line {
  struct End {
    let machine: Int
    let boots: Int
    /// Nil at the callee until it has accepted, and for an end that is over.
    var channel: UInt32?
  }

  /// From 1; the two ends make keys from it.
  let number: UInt64
  let since: UInt64
  var caller: End
  var callee: End
  /// Both ends have proved who they are.
  var isOpen = false
  /// When the last message to the caller, and to the callee, arrives.
  var arrivals: [UInt64] = [0, 0]
}

/// The connections between the machines of a simulated cluster, by their numbers.
struct LineTable {
  private(set) var all: [UInt64: Line] = [:]
  private var count: UInt64 = 0

  subscript(number: UInt64) -> Line? { all[number] }

  mutating func begin(_ caller: Line.End, _ callee: Line.End, at now: UInt64) -> UInt64 {
    count += 1
    all[count] = Line(number: count, since: now, caller: caller, callee: callee)
    return count
  }

  mutating func accept(_ number: UInt64, as channel: UInt32) { all[number]?.callee.channel = channel }

  mutating func open(_ number: UInt64) { all[number]?.isOpen = true }

  mutating func remove(_ number: UInt64) -> Line? { all.removeValue(forKey: number) }

  /// Which end of a connection this channel of a machine is: 0 for the caller.
  private static func end(_ line: Line, _ index: Int, _ channel: UInt32) -> Int {
    line.caller.machine == index && line.caller.channel == channel ? 0 : 1
  }

  /// Something is said by this end that could arrive at `time`: behind what was said before. Gives when it does, and at which end;
  /// nil for a connection that does not stand.
  mutating func say(_ number: UInt64, _ index: Int, _ channel: UInt32, at time: UInt64) -> (end: Int, time: UInt64)? {
    guard var line = all[number], line.isOpen else { return nil }
    let other = 1 - LineTable.end(line, index, channel)
    let arrival = max(time, line.arrivals[other])
    line.arrivals[other] = arrival
    all[number] = line
    return (other, arrival)
  }

  /// This end is done with it.
  mutating func leave(_ number: UInt64, _ index: Int, _ channel: UInt32) {
    guard var line = all[number] else { return }
    if LineTable.end(line, index, channel) == 0 { line.caller.channel = nil } else { line.callee.channel = nil }
    all[number] = line.caller.channel == nil && line.callee.channel == nil ? nil : line
  }
}
