import Addresses
import Bytes
import ControlChannel
import Membership
import NodeCore
import Tunnels

/// A cluster of real `NodeCore`s, each with a simulated kernel, on a virtual network and a virtual clock. All that happens
/// follows from the seed.
///
/// Datagrams go as packets through the sender's kernel: the filter lets them out or not, a policy demands ESP or not, an
/// association carries them or the kernel asks for keys. Connections of the control channel carry the real messages; who is at
/// their ends, and the secret from which both make keys, is the simulation's own. What must never happen is looked for at
/// every change.
public struct ClusterSimulation: ~Copyable {
  public let seed: UInt64
  public var network: Network
  public private(set) var now: UInt64 = 0
  public internal(set) var machines = MachineTable()
  public internal(set) var traffic = Traffic()
  /// Nodes keep their maps for a run after a crash. Those of 1,000 nodes take a tenth of the time.
  public var keepsMaps = true
  /// What is wrong with the machines, to see whether it is found.
  public var planted: Set<PlantedFault> = []

  var queue = EventQueue<SimulationEvent>()
  var random: SplitMix64
  var lines = LineTable()
  var installs: UInt64 = 0
  var ledger = KeyLedger()
  /// When associations are compared next; nil to leave that.
  var nextComparison: UInt64?
  var invariants = Invariants()
  var sightings = Sightings()

  /// How the nodes keep their tunnels.
  public let settings: TunnelSettings

  public init(
    seed: UInt64, network: Network = .lan, settings: TunnelSettings = ClusterSimulation.short,
    planted: Set<PlantedFault> = []
  ) {
    self.seed = seed
    self.settings = settings
    self.network = network
    self.planted = planted
    random = SplitMix64(seed: seed)
  }

  /// A cluster of `count` nodes that have been running for long.
  public init(
    seed: UInt64, settled count: Int, network: Network = .lan, settings: TunnelSettings = ClusterSimulation.short,
    planted: Set<PlantedFault> = []
  ) {
    self.init(seed: seed, network: network, settings: settings, planted: planted)
    for _ in 0..<count { _ = addMachine() }
    let records = machines.map { $0.record }
    var generator = random
    let seeds = records.map { _ in generator.next() }
    random = generator
    let cluster = NodeCore.cluster(identity(0))
    let settled = Membership.settled(
      records, cluster: cluster, authority: RemovalAuthority.simulated, at: now, seed: { seeds[$0] })
    for (index, membership) in settled.enumerated() {
      machines[index].core = NodeCore(
        membership, identity(index), settings: settings, seed: coreSeed(index))
      machines[index].own = machines[index].address
      if let core = machines[index].core { core.placeMembers { perform($0, by: index) } }
      schedule(index)
    }
  }

  /// Short enough that stories see its end.
  static let keepFor: UInt64 = 20_000

  /// Tunnels that nothing uses go sooner than tyd lets them, so that stories are shorter.
  public static let short = {
    var settings = TunnelSettings()
    settings.idle = 40_000
    settings.linger = 15_000
    settings.observation = 5000
    settings.rekeyAfter = 120_000
    return settings
  }()

  func identity(_ index: Int, contact: IPv4Address? = nil) -> NodeIdentity {
    machines[index].identity(cutsOff: index % 3 == 0, contact: contact, keepFor: ClusterSimulation.keepFor)
  }

  mutating func coreSeed(_ index: Int) -> UInt64 {
    planted.contains(.repeatedNumbers) || planted.contains(.repeatedKeys) ? UInt64(index) : random.next()
  }

  /// What went wrong, as sentences.
  public var faults: [String] { invariants.faults }

  // MARK: Running

  public mutating func run(for duration: UInt64) {
    let end = now + duration
    while let time = queue.nextTime, time <= end, let (time, event) = queue.popFirst() {
      now = max(now, time)
      if let due = nextComparison, due <= now {
        nextComparison = now + 500
        invariants.compareAssociations(machines, settings, at: now)
      }
      handle(event)
    }
    now = end
  }

  private mutating func handle(_ event: SimulationEvent) {
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
      give(index) { $0.step(at: $1) }
      noteVitals(of: index)
    case .packet(let packet):
      if !isDelayed(event, packet.to) { arrive(packet) }
    case .question(let index, let peer, let boots):
      guard machines[index].boots == boots, !isDelayed(event, index) else { return }
      give(index) { $0.receiveQuestionForKeys(to: peer, at: $1) }
    case .accept(let number): accept(number, event)
    case .met(let number): meet(number, event)
    case .unreachable(let number): fail(number)
    case .message(let number, let end, let message): deliver(message, number, end, event)
    case .address(let index, let boots):
      guard machines[index].boots == boots, !isDelayed(event, index) else { return }
      followAddress(index)
    case .keepMap(let index, let boots):
      guard keepsMaps, machines[index].boots == boots else { return }
      machines[index].map = machines[index].core?.membership.map(at: now) ?? []
    }
  }

  /// A process that stands still takes what has come when it goes on.
  mutating func isDelayed(_ event: SimulationEvent, _ index: Int) -> Bool {
    guard machines[index].pausedUntil > now else { return false }
    queue.insert(event, at: machines[index].pausedUntil)
    return true
  }

  /// Hands something to a node and carries out what follows.
  mutating func give(_ index: Int, _ body: (NodeCore, UInt64) -> [NodeCommand]) {
    guard let core = machines[index].core else { return }
    perform(body(core, now), by: index)
    schedule(index)
  }

  mutating func schedule(_ index: Int) {
    guard let core = machines[index].core else { return }
    let next = core.nextDue
    let due = max(now, next)
    guard next != .max, due < machines[index].scheduled || machines[index].scheduled < now else { return }
    machines[index].scheduled = due
    queue.insert(.wake(index), at: due)
  }

  mutating func fault(_ sentence: String) { invariants.fault(sentence, at: now) }

  private mutating func noteVitals(of index: Int) {
    guard let sequence = machines[index].core?.membership.vitalsSequence(of: machines[index].mac) else { return }
    machines[index].vitals.note(sequence, at: now)
  }

  private mutating func updateLoad(of index: Int) {
    guard now >= machines[index].loadSince + 1000, machines[index].core != nil else { return }
    machines[index].loadSince = now
    readMachine(index)
  }
}
