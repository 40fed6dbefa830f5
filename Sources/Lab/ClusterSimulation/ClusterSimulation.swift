import Addresses
import Membership

/// A cluster of real `Membership` values on a virtual network and a virtual clock. All that happens follows from the seed.
///
/// Tunnels are modelled as the data plane makes them: by the first datagram to a node, which waits for a handshake;
/// taken down on one side when that side learns that the other is gone, and on both when idle. What comes through half a
/// tunnel is lost.
public struct ClusterSimulation {
  public let seed: UInt64
  public var network: Network
  public private(set) var now: UInt64 = 0
  public internal(set) var machines: [Machine] = []
  public internal(set) var traffic = Traffic()
  /// What went wrong, as sentences.
  public internal(set) var faults: [String] = []
  /// How long a node that is there and can be reached may be called dead.
  public var mistakeBound: UInt64 = 10_000

  enum Event {
    case wake(Int)
    case datagram([UInt8], from: Int, to: Int, boots: Int)
    /// The handshake of a pair is done, or has failed.
    case tunnel(Int, Int)
    case exchange(Int, Int, boots: Int)
    case admission(Int, through: Int, boots: Int)
  }

  var queue = EventQueue<Event>()
  var random: SeededGenerator
  var tunnels: [UInt64: Tunnel] = [:]
  var byAddress: [UInt32: Int] = [:]
  var watched: [MACAddress: Sighting] = [:]
  let cluster = ClusterIdentifier(bits: 0xC1A0_5000_0000_0001)

  /// Sent since the counts were last reset.
  public struct Traffic: Sendable {
    public var datagrams = 0
    /// With ESP, UDP and IP headers.
    public var bytes = 0
    public var handshakes = 0
    public var exchanges = 0
    /// Over the control channel, for maps.
    public var mapBytes = 0
    /// How often a node that is there and can be reached was suspected or called dead, by each other node.
    public var mistakenSuspicions = 0
    public var mistakenDeaths = 0
  }

  /// When the nodes learned something about one node.
  struct Sighting {
    var joined: [Int: UInt64] = [:]
    var gone: [Int: UInt64] = [:]
  }

  public init(seed: UInt64, network: Network = .lan) {
    self.seed = seed
    self.network = network
    random = SeededGenerator(seed: seed)
  }

  /// A cluster of `count` nodes that have been running for long.
  public init(seed: UInt64, settled count: Int, network: Network = .lan) {
    self.init(seed: seed, network: network)
    for _ in 0..<count { _ = addMachine() }
    let records = machines.map { $0.record }
    var generator = random
    let seeds = records.map { _ in generator.next() }
    random = generator
    for (index, membership) in Membership.settled(records, cluster: cluster, now: now, seed: { seeds[$0] }).enumerated()
    {
      machines[index].membership = membership
      // Not all at the same moment.
      schedule(index)
      perform(machines[index].membership?.tick(now: now) ?? [], by: index)
    }
  }

  // MARK: Running

  public mutating func run(for duration: UInt64) {
    let end = now + duration
    while let time = queue.nextTime, time <= end, let (time, event) = queue.popFirst() {
      now = max(now, time)
      handle(event)
    }
    now = end
  }

  private mutating func handle(_ event: Event) {
    switch event {
    case .wake(let index):
      guard machines[index].scheduled == now else { return }
      machines[index].scheduled = .max
      if machines[index].pausedUntil > now {
        machines[index].scheduled = machines[index].pausedUntil
        queue.insert(event, at: machines[index].pausedUntil)
        return
      }
      updateLoad(of: index)
      let effects = machines[index].membership?.tick(now: now) ?? []
      noteVitals(of: index)
      perform(effects, by: index)
    case .datagram(let bytes, let from, let to, let boots):
      guard machines[to].boots == boots, machines[to].membership != nil else { return }
      if machines[to].pausedUntil > now {
        queue.insert(event, at: machines[to].pausedUntil)
        return
      }
      let address = machines[from].address
      perform(machines[to].membership?.receive(bytes, from: address, now: now) ?? [], by: to)
    case .tunnel(let a, let b): finishHandshake(a, b)
    case .exchange(let a, let b, let boots):
      if machines[a].boots == boots { exchangeMaps(a, b) }
    case .admission(let index, let through, let boots):
      if machines[index].boots == boots { admit(index, through: through) }
    }
  }

  /// Carries out what a node wants done, and sees to its next wake-up.
  mutating func perform(_ effects: [Membership.Effect], by index: Int) {
    for effect in effects {
      switch effect {
      case .send(let bytes, let address):
        if let to = byAddress[address.bits] { send(bytes, from: index, to: to) }
      case .event(let event): note(event, by: index)
      case .neighbours: break
      case .reconnect(let record):
        if let other = byAddress[record.addresses.primary.bits] { reconnect(index, other) }
      }
    }
    schedule(index)
  }

  mutating func schedule(_ index: Int) {
    guard let membership = machines[index].membership else { return }
    let due = max(now, membership.nextWakeUp)
    guard membership.nextWakeUp != .max, due < machines[index].scheduled || machines[index].scheduled < now else {
      return
    }
    machines[index].scheduled = due
    queue.insert(.wake(index), at: due)
  }

  private mutating func note(_ event: Membership.Event, by index: Int) {
    machines[index].events += 1
    switch event {
    case .joined(let record):
      dropSide(of: index, record)
      watched[record.mac]?.joined[index] = now
      machines[index].mistakes[record.mac] = nil
      if machines[index].membership?.isRemoved(record.mac, record.fingerprint) == true {
        fault("node \(index) let the removed node \(record.id) back in")
      }
    case .changed(let record, let before):
      if record.fingerprint != before.fingerprint { dropSide(of: index, record) }
      watched[record.mac]?.joined[index] = now
    case .died(let record):
      dropSide(of: index, record)
      watched[record.mac]?.gone[index] = now
      if let other = machine(record.mac), isReachable(index, other) {
        machines[index].mistakes[record.mac] = now
        traffic.mistakenDeaths += 1
      }
    case .left(let record), .removed(let record):
      dropSide(of: index, record)
      watched[record.mac]?.gone[index] = now
      machines[index].mistakes[record.mac] = nil
    case .suspected(let record):
      if let other = machine(record.mac), isReachable(index, other) { traffic.mistakenSuspicions += 1 }
    case .cleared, .allowed, .replaced: break
    }
  }

  mutating func fault(_ sentence: String) {
    if faults.count < 10 { faults.append("\(now) ms: \(sentence)") }
  }

  func machine(_ mac: MACAddress) -> Int? {
    let index = Int(mac.bits & 0xFFFF_FFFF) - 1
    return machines.indices.contains(index) ? index : nil
  }

  private mutating func noteVitals(of index: Int) {
    guard let sequence = machines[index].membership?.vitalsSequence(of: machines[index].mac) else { return }
    if machines[index].issued[Int(sequence)] == nil || sequence != machines[index].lastIssued {
      machines[index].lastIssued = sequence
      machines[index].issued[Int(sequence)] = now
    }
  }

  private mutating func updateLoad(of index: Int) {
    guard now >= machines[index].loadSince + 1000, let membership = machines[index].membership else { return }
    machines[index].loadSince = now
    var record = membership.own
    record.load = UInt16(random.next() % 400)
    record.memoryFree = UInt32(random.next() % 20_000)
    let effects = machines[index].membership?.update(record, now: now) ?? []
    perform(effects, by: index)
  }
}
