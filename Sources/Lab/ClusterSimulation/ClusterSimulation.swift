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
  public internal(set) var machines: [Machine] = []
  public internal(set) var traffic = Traffic()
  /// What went wrong, as sentences.
  public internal(set) var faults: [String] = []
  private var faultKinds: [String: Int] = [:]
  /// How long a node that is there and can be reached may be called dead.
  public var mistakeBound: UInt64 = 10_000
  /// What is wrong with the machines, to see whether it is found.
  public var planted: Set<PlantedFault> = []

  enum Event {
    case wake(Int)
    case packet(Packet)
    /// The kernel asks for keys.
    case question(Int, IPv4Address, boots: Int)
    /// A TCP connection reaches its other end; both ends have proved who they are; one cannot be made.
    case accept(UInt64)
    case met(UInt64)
    case unreachable(UInt64)
    /// For an end of a connection: a message, or nil for the end.
    case message(UInt64, end: Int, ControlMessage?)
    case address(Int, boots: Int)
    case keepMap(Int, boots: Int)
  }

  /// A packet in ESP.
  struct Packet {
    let from: IPv4Address
    let sender: Int
    let to: Int
    let boots: Int
    let spi: UInt32
    let key: Kernel.Key
    /// A datagram of the node's; of anybody else's nothing is looked at.
    let datagram: [UInt8]?
  }

  var queue = EventQueue<Event>()
  var random: SplitMix64
  var lines: [UInt64: Line] = [:]
  var lineCount: UInt64 = 0
  var installs: UInt64 = 0
  var ledger = KeyLedger()
  /// When associations are compared next; nil to leave that.
  var nextComparison: UInt64?
  var byAddress: [UInt32: Int] = [:]
  var watched: [MACAddress: Sighting] = [:]
  static let fingerprint: [UInt8] = [0xC1, 0xA0, 0x50, 0, 0, 0, 0, 1] + [UInt8](repeating: 7, count: 24)

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
    /// Packets that an association carried, or that a kernel kept.
    public var protected = 0
    public var kept = 0
    public var installed = 0
    /// Packets that reached a machine: taken, or without an association that they belong to.
    public var arrived = 0
    public var undecryptable = 0
    /// How often a kernel asked for keys.
    public var questions = 0
  }

  /// When the nodes learned something about one node.
  struct Sighting {
    var joined: [Int: UInt64] = [:]
    var gone: [Int: UInt64] = [:]
  }

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
      records, cluster: cluster, authority: ClusterSimulation.authority, at: now, seed: { seeds[$0] })
    for (index, membership) in settled.enumerated() {
      machines[index].core = NodeCore(
        membership, identity(index), settings: settings, seed: coreSeed(index))
      machines[index].own = machines[index].address
      perform(machines[index].core?.placeMembers() ?? [], by: index)
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

  /// In place of signatures, which would take most of the time: whatever was signed, by whoever has this.
  static let authority = {
    @Sendable func sign(_ statement: [UInt8]) -> [UInt8] {
      var state: UInt64 = 0
      for byte in statement { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
      return (0..<64).map { UInt8(truncatingIfNeeded: state >> ($0 & 56)) }
    }
    return RemovalAuthority(verifies: { $0 == sign($1) }, signs: { sign($0) })
  }()

  func identity(_ index: Int, contact: IPv4Address? = nil) -> NodeIdentity {
    var identity = NodeIdentity(
      cluster: ClusterSimulation.fingerprint, key: machines[index].record.fingerprint.bytes, canCertify: true,
      isMember: machines[index].isMember)
    identity.cutsOff = index % 3 == 0
    identity.contact = contact
    identity.keepFor = ClusterSimulation.keepFor
    identity.removalAuthority = ClusterSimulation.authority
    return identity
  }

  mutating func coreSeed(_ index: Int) -> UInt64 {
    planted.contains(.repeatedNumbers) || planted.contains(.repeatedKeys) ? UInt64(index) : random.next()
  }

  // MARK: Running

  public mutating func run(for duration: UInt64) {
    let end = now + duration
    while let time = queue.nextTime, time <= end, let (time, event) = queue.popFirst() {
      now = max(now, time)
      if let due = nextComparison, due <= now {
        nextComparison = now + 500
        compareAssociations()
      }
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
      if machines[index].boots == boots { machines[index].map = machines[index].core?.membership.map(at: now) ?? [] }
    }
  }

  /// A process that stands still takes what has come when it goes on.
  mutating func isDelayed(_ event: Event, _ index: Int) -> Bool {
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

  mutating func fault(_ sentence: String) {
    // A few of each kind: one that is always there hides none of another.
    let count = faultKinds[sentence.filter { !$0.isNumber }, default: 0]
    if count < 5 { faults.append("\(now) ms: \(sentence)") }
    faultKinds[sentence.filter { !$0.isNumber }] = count + 1
  }

  func machine(_ mac: MACAddress) -> Int? {
    let index = Int(mac.bits & 0xFFFF_FFFF) - 1
    return machines.indices.contains(index) ? index : nil
  }

  private mutating func noteVitals(of index: Int) {
    guard let sequence = machines[index].core?.membership.vitalsSequence(of: machines[index].mac) else { return }
    if machines[index].issued[Int(sequence)] == nil || sequence != machines[index].lastIssued {
      machines[index].lastIssued = sequence
      machines[index].issued[Int(sequence)] = now
    }
  }

  private mutating func updateLoad(of index: Int) {
    guard now >= machines[index].loadSince + 1000, machines[index].core != nil else { return }
    machines[index].loadSince = now
    readMachine(index)
  }
}
