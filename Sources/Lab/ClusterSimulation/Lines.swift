import Addresses
import Bytes
import ChannelFailure
import ControlChannel
import Membership
import NodeCore

extension ClusterSimulation {
  // MARK: Beginnings

  mutating func connect(_ index: Int, _ channel: UInt32, _ address: IPv4Address) {
    let other = machines.index(at: address)
    let callee = other ?? index
    let number = lines.begin(
      Line.End(machine: index, boots: machines[index].boots, channel: channel),
      Line.End(machine: callee, boots: machines[callee].boots), at: now)
    machines[index].lines[channel] = number
    guard let other, other != index, machines.areJoined(index, other), machines[other].core != nil,
      machines[index].own == machines[index].address
    else {
      queue.insert(.unreachable(number), at: now + network.connectTimeout)
      return
    }
    queue.insert(.accept(number), at: now + random.number(in: network.delay))
  }

  private func isThere(_ end: Line.End) -> Bool {
    machines[end.machine].boots == end.boots && machines[end.machine].core != nil
  }

  mutating func accept(_ number: UInt64, _ event: SimulationEvent) {
    guard let line = lines[number], isThere(line.caller), isThere(line.callee),
      machines.areJoined(line.caller.machine, line.callee.machine)
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
    lines.accept(number, as: channel)
    machines[index].lines[channel] = number
    queue.insert(.met(number), at: now + random.number(in: network.handshake))
  }

  mutating func meet(_ number: UInt64, _ event: SimulationEvent) {
    guard let line = lines[number], line.caller.channel != nil, line.callee.channel != nil, isThere(line.caller),
      isThere(line.callee), machines.areJoined(line.caller.machine, line.callee.machine)
    else { return fail(number) }
    for end in [line.caller, line.callee] where isDelayed(event, end.machine) { return }
    lines.open(number)
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
    guard let line = lines.remove(number) else { return }
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
    guard let number = machines[index].lines[channel], lines[number]?.isOpen == true else { return }
    let earliest = now + random.number(in: network.delay)
    guard let (end, time) = lines.say(number, index, channel, at: earliest) else { return }
    queue.insert(.message(number, end: end, message), at: time)
  }

  mutating func deliver(_ message: ControlMessage?, _ number: UInt64, _ end: Int, _ event: SimulationEvent) {
    guard let line = lines[number] else { return }
    let one = end == 0 ? line.caller : line.callee
    // What cannot pass is sent again and again by TCP, and the ends give up before it gets through.
    guard let channel = one.channel, isThere(one), machines.areJoined(line.caller.machine, line.callee.machine) else {
      return
    }
    if isDelayed(event, one.machine) { return }
    guard let message else {
      _ = lines.remove(number)
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
    lines.leave(number, index, channel)
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
