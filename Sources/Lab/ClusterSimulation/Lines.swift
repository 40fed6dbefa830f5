import Addresses
import Bytes
import ChannelFailure
import ControlChannel
import Membership
import NodeCore

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
  var arrivals: (UInt64, UInt64) = (0, 0)
}

extension ClusterSimulation {
  // MARK: Beginnings

  mutating func connect(_ index: Int, _ channel: UInt32, _ address: IPv4Address) {
    lineCount += 1
    let other = byAddress[address.bits]
    let callee = other ?? index
    lines[lineCount] = Line(
      number: lineCount, since: now, caller: Line.End(machine: index, boots: machines[index].boots, channel: channel),
      callee: Line.End(machine: callee, boots: machines[callee].boots))
    machines[index].lines[channel] = lineCount
    guard let other, other != index, canReach(index, other), machines[other].core != nil,
      machines[index].own == machines[index].address
    else {
      queue.insert(.unreachable(lineCount), at: now + network.connectTimeout)
      return
    }
    queue.insert(.accept(lineCount), at: now + random.number(in: network.delay))
  }

  /// Whether packets can pass.
  private func canReach(_ a: Int, _ b: Int) -> Bool { machines[a].part == machines[b].part }

  private func isThere(_ end: Line.End) -> Bool {
    machines[end.machine].boots == end.boots && machines[end.machine].core != nil
  }

  mutating func accept(_ number: UInt64, _ event: Event) {
    guard let line = lines[number], isThere(line.caller), isThere(line.callee),
      canReach(line.caller.machine, line.callee.machine)
    else { return fail(number) }
    let index = line.callee.machine
    if isDelayed(event, index) { return }
    let address = machines[line.caller.machine].address
    var channel: UInt32?
    give(index) { core, now in
      let (accepted, commands) = core.receiveConnection(from: address, at: now)
      channel = accepted
      return commands
    }
    guard let channel else { return fail(number) }
    lines[number]?.callee.channel = channel
    machines[index].lines[channel] = number
    queue.insert(.met(number), at: now + random.number(in: network.handshake))
  }

  mutating func meet(_ number: UInt64, _ event: Event) {
    guard let line = lines[number], line.caller.channel != nil, line.callee.channel != nil, isThere(line.caller),
      isThere(line.callee), canReach(line.caller.machine, line.callee.machine)
    else { return fail(number) }
    for end in [line.caller, line.callee] where isDelayed(event, end.machine) { return }
    lines[number]?.isOpen = true
    traffic.handshakes += 1
    for (end, other) in [(line.callee, line.caller), (line.caller, line.callee)] {
      guard let channel = end.channel, lines[number] != nil else { continue }
      let peer = Conversation.Peer(
        fingerprint: machines[other.machine].record.fingerprint.bytes, isMember: machines[other.machine].isMember)
      give(end.machine) { $0.receivePeer(peer, over: channel, at: $1) }
    }
  }

  /// It cannot be made, or both ends lose it.
  mutating func fail(_ number: UInt64) {
    guard let line = lines.removeValue(forKey: number) else { return }
    for end in [line.caller, line.callee] {
      guard let channel = end.channel, isThere(end) else { continue }
      machines[end.machine].lines[channel] = nil
      give(end.machine) { $0.receiveEnd(of: channel, .cutOff, at: $1) }
    }
  }

  // MARK: What goes over it

  mutating func say(_ message: ControlMessage, _ index: Int, _ channel: UInt32) {
    if case .map(let part, let isLast) = message {
      traffic.mapBytes += part.count
      if isLast { traffic.exchanges += 1 }
    }
    put(message, index, channel)
  }

  private mutating func put(_ message: ControlMessage?, _ index: Int, _ channel: UInt32) {
    guard let number = machines[index].lines[channel], var line = lines[number], line.isOpen else { return }
    let isCaller = line.caller.machine == index && line.caller.channel == channel
    let delay = random.number(in: network.delay)
    let arrival = max(now + delay, isCaller ? line.arrivals.1 : line.arrivals.0)
    if isCaller { line.arrivals.1 = arrival } else { line.arrivals.0 = arrival }
    lines[number] = line
    queue.insert(.message(number, end: isCaller ? 1 : 0, message), at: arrival)
  }

  mutating func deliver(_ message: ControlMessage?, _ number: UInt64, _ end: Int, _ event: Event) {
    guard let line = lines[number] else { return }
    let one = end == 0 ? line.caller : line.callee
    // What cannot pass is sent again and again by TCP, and the ends give up before it gets through.
    guard let channel = one.channel, isThere(one), canReach(line.caller.machine, line.callee.machine) else { return }
    if isDelayed(event, one.machine) { return }
    guard let message else {
      lines[number] = nil
      machines[one.machine].lines[channel] = nil
      give(one.machine) { $0.receiveEnd(of: channel, .finished, at: $1) }
      return
    }
    give(one.machine) { $0.receive(message, over: channel, at: $1) }
  }

  // MARK: Ends

  /// This end is done with it; the other one hears that after what was said.
  mutating func close(_ index: Int, _ channel: UInt32) {
    guard let number = machines[index].lines[channel], let line = lines[number] else { return }
    if line.isOpen { put(nil, index, channel) }
    leave(number, index, channel)
    give(index) { $0.receiveEnd(of: channel, .closedHere, at: $1) }
  }

  /// This end drops it without a word.
  mutating func drop(_ index: Int, _ channel: UInt32) {
    guard let number = machines[index].lines[channel], let line = lines[number] else { return }
    if line.isOpen { put(nil, index, channel) }
    leave(number, index, channel)
  }

  private mutating func leave(_ number: UInt64, _ index: Int, _ channel: UInt32) {
    machines[index].lines[channel] = nil
    guard var line = lines[number] else { return }
    if line.caller.machine == index && line.caller.channel == channel {
      line.caller.channel = nil
    } else {
      line.callee.channel = nil
    }
    lines[number] = line.caller.channel == nil && line.callee.channel == nil ? nil : line
  }

  /// A machine's process has ended: TCP tells nobody while its machine is off, and all at once if it runs on.
  mutating func forgetLines(of index: Int, tellsOthers: Bool) {
    for (channel, number) in machines[index].lines.sorted(by: { $0.key < $1.key }) {
      guard let line = lines[number] else { continue }
      if tellsOthers, line.isOpen { put(nil, index, channel) }
      leave(number, index, channel)
    }
    machines[index].lines = [:]
  }
}
