import Addresses
import DroneLayout
import Membership

/// A machine of the simulated cluster, switched on or not.
public struct Machine {
  public let mac: MACAddress
  public internal(set) var address: IPv4Address
  /// How often it was switched on or off: what belongs to an earlier life is of no effect.
  var boots = 0
  /// Nil while it is off.
  public internal(set) var membership: Membership?
  /// Machines with the same number reach each other.
  var part = 0
  var pausedUntil: UInt64 = 0
  var scheduled = UInt64.max
  var loadSince: UInt64 = 0
  /// When each of the last 256 vitals was issued.
  var issued = [UInt64?](repeating: nil, count: 256)
  var lastIssued: UInt8 = 0
  /// Who is called dead and is not, and since when.
  var mistakes: [MACAddress: UInt64] = [:]
  var events = 0

  public var isOn: Bool { membership?.isActive == true }

  /// As it would introduce itself.
  var record: NodeRecord {
    let life = Fingerprint((mac.bits << 8 | UInt64(boots & 0xFF)) &* 0x9E37_79B9_7F4A_7C15, 2, 3, 4)
    var record = NodeRecord(fingerprint: life, mac: mac, addresses: AddressList(address))
    record.id = UInt16(truncatingIfNeeded: address.bits)
    record.cpus = 1
    record.speed = 166
    record.memoryTotal = 16_384
    record.memoryFree = 12_000
    record.version = .current
    record.incarnation = 1
    return record
  }

}

/// What there is between two machines: a security association pair that each side has or has not.
struct Tunnel {
  enum State {
    case handshake
    case open
    /// The other did not answer; until the handshake is given up, nothing is sent.
    case failing
  }

  var state: State
  var lastUse: UInt64
  /// Whether the machine with the lower index, and the one with the higher, has its half.
  var low = false
  var high = false
  /// What waits for the handshake.
  var waiting: [(bytes: [UInt8], from: Int)] = []
}

extension ClusterSimulation {
  // MARK: Tunnels

  static func pair(_ a: Int, _ b: Int) -> UInt64 { UInt64(min(a, b)) << 32 | UInt64(max(a, b)) }

  func isReachable(_ a: Int, _ b: Int) -> Bool {
    machines[a].isOn && machines[b].isOn && machines[a].part == machines[b].part
      && machines[a].pausedUntil <= now && machines[b].pausedUntil <= now
  }

  mutating func send(_ bytes: [UInt8], from: Int, to: Int) {
    guard from != to else { return }
    let pair = ClusterSimulation.pair(from, to)
    var tunnel = tunnels[pair]
    if let known = tunnel, known.state == .open, now - known.lastUse > Network.idleExpiry { tunnel = nil }
    let hasSide = tunnel.map { from < to ? $0.low : $0.high } ?? false
    if var known = tunnel, known.state != .open || hasSide {
      switch known.state {
      case .failing: return
      case .handshake:
        // As the kernel's queue for a destination without a tunnel.
        if known.waiting.count < 100 { known.waiting.append((bytes, from)) }
      case .open:
        known.lastUse = now
        transmit(bytes, from: from, to: to, isComplete: known.low && known.high)
      }
      tunnels[pair] = known
      return
    }
    var fresh = Tunnel(state: .handshake, lastUse: now)
    let answers = isReachable(from, to) && !isForbidden(from, by: to)
    if answers {
      fresh.waiting = [(bytes, from)]
      traffic.handshakes += 1
    } else {
      fresh.state = .failing
    }
    tunnels[pair] = fresh
    let duration = answers ? random.number(in: network.handshake) : network.connectTimeout
    queue.insert(.tunnel(from, to), at: now + duration)
  }

  private func isForbidden(_ a: Int, by b: Int) -> Bool {
    let record = machines[a].record
    return machines[b].membership?.isRemoved(record.mac, record.fingerprint) == true
  }

  /// `a` called.
  mutating func finishHandshake(_ a: Int, _ b: Int) {
    let pair = ClusterSimulation.pair(a, b)
    guard let begun = tunnels[pair]?.state, begun != .open else { return }
    // The caller demands the key that it knows, which is another one after a restart.
    guard begun == .handshake, isReachable(a, b),
      machines[a].membership?.member(at: machines[b].address)?.fingerprint == machines[b].record.fingerprint
    else {
      tunnels[pair] = nil
      return
    }
    if !isMember(a, of: b) {
      let own = machines[a].membership?.ownMap(now: now) ?? []
      perform((try? machines[b].membership?.merge(map: own, now: now)) ?? [], by: b)
      guard isMember(a, of: b) else {
        // Refused; the next datagram asks again.
        tunnels[pair] = nil
        return
      }
    }
    // What came to wait meanwhile goes as well.
    guard let tunnel = tunnels[pair], tunnel.state == .handshake else { return }
    tunnels[pair] = Tunnel(state: .open, lastUse: now, low: true, high: true)
    for (bytes, from) in tunnel.waiting { transmit(bytes, from: from, to: from == a ? b : a, isComplete: true) }
  }

  /// Whether `b` believes that `a` is alive, and where it is.
  private func isMember(_ a: Int, of b: Int) -> Bool {
    machines[b].membership?.member(at: machines[a].address)?.mac == machines[a].mac
  }

  private mutating func transmit(_ bytes: [UInt8], from: Int, to: Int, isComplete: Bool) {
    traffic.datagrams += 1
    traffic.bytes += Network.espBytes(payload: bytes.count)
    guard isComplete, machines[from].part == machines[to].part else { return }
    let copies = random.happens(network.duplication) ? 2 : 1
    for _ in 0..<copies {
      if random.happens(network.loss) { continue }
      var delay = random.number(in: network.delay)
      if random.happens(network.reordering) { delay += network.lateness }
      queue.insert(.datagram(bytes, from: from, to: to, boots: machines[to].boots), at: now + delay)
    }
  }

  /// One side learned that the other is gone, or another life of it is there.
  mutating func dropSide(of index: Int, _ record: NodeRecord) {
    guard let other = machine(record.mac), other != index else { return }
    let pair = ClusterSimulation.pair(index, other)
    guard var tunnel = tunnels[pair], tunnel.state == .open else { return }
    if index < other { tunnel.low = false } else { tunnel.high = false }
    tunnels[pair] = tunnel.low || tunnel.high ? tunnel : nil
  }

  /// A machine that was switched off has no tunnels left.
  mutating func dropSides(of index: Int) {
    for (pair, tunnel) in tunnels where pair >> 32 == UInt64(index) || pair & 0xFFFF_FFFF == UInt64(index) {
      var tunnel = tunnel
      if pair >> 32 == UInt64(index) { tunnel.low = false } else { tunnel.high = false }
      tunnels[pair] = tunnel.state == .open && (tunnel.low || tunnel.high) ? tunnel : nil
    }
  }

  /// How many security association pairs each machine has.
  public func associations() -> [Int] {
    var out = [Int](repeating: 0, count: machines.count)
    for (pair, tunnel) in tunnels where tunnel.state == .open && now - tunnel.lastUse <= Network.idleExpiry {
      if tunnel.low { out[Int(pair >> 32)] += 1 }
      if tunnel.high { out[Int(pair & 0xFFFF_FFFF)] += 1 }
    }
    return out
  }

  // MARK: Control channel

  mutating func reconnect(_ a: Int, _ b: Int) {
    guard isReachable(a, b), !isForbidden(a, by: b), !isForbidden(b, by: a) else { return }
    queue.insert(.exchange(a, b, boots: machines[a].boots), at: now + random.number(in: network.handshake))
  }

  /// `a` called: `b` gives its map, and then `a` its own, in which it has already objected to what `b` said of it.
  mutating func exchangeMaps(_ a: Int, _ b: Int) {
    guard isReachable(a, b) else { return }
    traffic.exchanges += 1
    let theirs = machines[b].membership?.map(now: now) ?? []
    perform((try? machines[a].membership?.merge(map: theirs, now: now)) ?? [], by: a)
    let ours = machines[a].membership?.map(now: now) ?? []
    perform((try? machines[b].membership?.merge(map: ours, now: now)) ?? [], by: b)
    traffic.mapBytes += theirs.count + ours.count
  }

  mutating func admit(_ index: Int, through member: Int) {
    guard isReachable(index, member), !isForbidden(index, by: member) else {
      // tyd ends with a sentence.
      stop(index)
      return
    }
    traffic.handshakes += 1
    let map = machines[member].membership?.map(now: now) ?? []
    let effects: [Membership.Effect]
    do {
      effects = try machines[index].membership?.join(map: map, now: now) ?? []
    } catch {
      fault("node \(index) cannot read the map of node \(member): \(error)")
      return
    }
    let own = machines[index].membership?.ownMap(now: now) ?? []
    traffic.mapBytes += map.count + own.count
    // The member hears of the newcomer before the newcomer's first datagram.
    perform((try? machines[member].membership?.merge(map: own, now: now)) ?? [], by: member)
    perform(effects, by: index)
  }
}
