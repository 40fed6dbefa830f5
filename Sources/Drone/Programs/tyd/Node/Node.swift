import DroneLayout
import Addresses
import Bytes
import ControlChannel
import Linux
import LocalOrders
import MachineReadings
import Membership
import ProcessControl
import SecureChannel
import Tunnels
import TydCommand

/// One node of the cluster: everything that tyd holds while it runs, and its loop.
final class Node {
  let command: TydCommand
  let arguments: [[UInt8]]
  let places: Places
  var report: Report
  /// To the process that waits in the foreground; nil once it has had its word, or if there is none.
  var foreground: ForegroundWord?

  var interface: ClusterInterface
  var credential: Credential
  var identity: ChannelIdentity
  var time: TimeFloor
  var admission: Admission
  var membership: Membership
  var tunnels: Tunnels
  var transforms: Transforms?
  var filter: ClusterFilter?
  let machine: MachineKind
  var refused = Refusals()

  let addressNews: AddressNews
  let listener: Descriptor
  let gossip: DatagramSocket
  var discovery: DatagramSocketBox?
  var answers = DiscoveryAllowance()
  let local: Descriptor
  let metrics: MetricsServer?
  let signals = SignalQueue()
  var connections: [Connection] = []
  var orders: [LocalOrder] = []
  var processes = ProcessTraffic()
  private var nextIncoming: UInt32 = 2
  /// For connections of the program's own: even as well, but from the upper half.
  private var nextOwn: UInt32 = 0x8000_0000

  /// Nil once it is in.
  var joining: Joining?
  /// Hears who answers while a member is being searched for.
  var searching: DatagramSocketBox?
  /// Nil unless this node boots others.
  var boots: BootHost?
  /// What `Membership` knew when it was last kept for a run after a crash, and whether that is old.
  var keepDue: UInt64?
  var nextReading: UInt64 = 0
  let loop = Loop()
  private var signalsLookedAt: UInt64 = 0
  /// How many connections whose other side has not proved who it is went on in a turn of the loop.
  private var handshakes = 0
  private var handshakeTurn: UInt64 = 0
  /// When the program ends; nil as long as it goes on.
  var end: UInt64?
  var exitStatus: Int32 = 0
  var failure: Failure?

  init(_ command: TydCommand, _ arguments: [[UInt8]], _ places: Places, _ report: Report) throws(Failure) {
    self.command = command
    self.arguments = arguments
    self.places = places
    self.report = report
    machine = .current
    var contact: IPv4Address?
    if case .join(.address(let address)) = command.task { contact = address }
    let now = millisecondsSinceStart()
    let interface = try ClusterInterface.find(named: command.interface, contact: contact)
    self.interface = interface
    let credential = try Credential(places, isResuming: command.isResuming, clock: secondsSince1970())
    self.credential = credential
    identity = try credential.identity()
    time = TimeFloor(authority: credential.authority, clock: secondsSince1970())
    admission = Admission(canCertify: credential.authorityKey != nil)
    let seed = randomNumber(now)
    membership = Membership(
      try Node.record(interface, credential, isInClear: !command.isEncrypted),
      cluster: ClusterIdentifier(credential.authority.memberFingerprint), now: now, seed: seed)
    var settings = TunnelSettings()
    if let seconds = command.rekeySeconds { settings.rekeyAfter = UInt64(seconds) &* 1000 }
    if let seconds = command.idleSeconds {
      settings.idle = UInt64(seconds) &* 1000
      settings.linger = settings.idle
      settings.observation = min(settings.observation, settings.idle / 2)
    }
    tunnels = Tunnels(
      id: membership.own.id, fingerprint: credential.fingerprint, ciphers: Node.ciphers(command), settings: settings,
      seed: seed &+ 1)
    addressNews = try AddressNews()
    metrics = if let endpoint = command.metrics { try MetricsServer(endpoint) } else { nil }
    do throws(SystemError) {
      let any = SocketAddress(.unspecified, port: ClusterPorts.control)
      let use: TransformUse = command.isEncrypted ? .bypass : .asPoliciesSay
      listener = try listenStream(on: any, transforms: use)
      gossip = try DatagramSocket(SocketAddress(.unspecified, port: ClusterPorts.control))
      local = try listenLocal(places.socket)
    } catch {
      throw Failure(error.text)
    }
  }

  /// In the order of preference: between two emulated Pentiums ChaCha20-Poly1305 moved 4.6 to 5.3 MB/s, AES-128-GCM 4.2 to
  /// 4.3.
  private static func ciphers(_ command: TydCommand) -> [TunnelCipher] {
    switch command.crypto {
    case .ipsec: [.chaCha20Poly1305, .aes128GCM]
    case .aes128GCM: [.aes128GCM]
    case .chaCha20Poly1305: [.chaCha20Poly1305]
    case .off: []
    }
  }

  // MARK: The loop

  /// Runs until the node is told to end, or fails before it is in.
  func run() throws(Failure) {
    register()
    while true {
      if let failure {
        restoreKernel()
        throw failure
      }
      let now = millisecondsSinceStart()
      if let end, end <= now { break }
      loop.turn()
    }
    shutDown()
    if exitStatus != 0 { throw Failure("this node is no longer in the cluster.", status: exitStatus) }
  }

  /// A handshake takes an old processor a tenth of a second: members' datagrams do not wait for more of them than so many. The
  /// oldest come first.
  static let handshakesPerTurn = 3

  /// What this node waits for as long as it runs. Connections, orders and metrics' callers come and go.
  private func register() {
    loop.add({ [self] in transforms.map { Interest($0.policyDescriptor) } }) { [unowned self] _, _ in
      takePolicyNews()
    }
    loop.add({ [self] in transforms.map { Interest($0.descriptor) } }) { [unowned self] _, now in
      takeTransformEvents(now)
    }
    loop.add({ [self] in Interest(gossip.descriptor) }) { [unowned self] _, now in takeGossip(now) }
    loop.add({ [self] in Interest(listener.number) }) { [unowned self] _, now in acceptConnections(now) }
    loop.add({ [self] in discovery.map { Interest($0.descriptor) } }) { [unowned self] _, _ in answerQuestions() }
    loop.add({ [self] in searching.map { Interest($0.descriptor) } }) { [unowned self] _, now in
      takeDiscoveryAnswers(now)
    }
    loop.add({ [self] in Interest(orderListener) }) { [unowned self] _, now in acceptOrders(now) }
    loop.add(
      { [self] in boots.map { Interest($0.descriptor) } },
      isReady: { [self] _, now in takeBootNews(now) }, due: { [unowned self] in boots?.due },
      isDue: { [self] now in startBootServer(now) })
    loop.add(
      { [self] in Interest(addressNews.descriptor) },
      isReady: { [self] _, now in
        addressNews.take()
        nextReading = now
      }, due: { [self] in nextReading }, isDue: { [unowned self] now in readMachine(now) })
    loop.add(
      { [self] in Interest(signals.number) }, isReady: { [unowned self] _, now in takeSignals(now) },
      due: { [self] in signals.longestWait.map { signalsLookedAt &+ UInt64($0) } },
      isDue: { [self] now in takeSignals(now) })
    metrics?.register(in: loop) { [self] in metricsText() }
    loop.add(due: { [self] in nextDue }) { [unowned self] now in step(now) }
  }

  private func takeSignals(_ now: UInt64) {
    signalsLookedAt = now
    while let signal = signals.next() { take(signal, now) }
  }

  private func take(_ signal: Int32, _ now: UInt64) {
    switch Signal(rawValue: signal) {
    case .terminate, .interrupt: end = now
    default: break
    }
  }

  private var nextDue: UInt64 {
    var due = membership.nextWakeUp
    for time in [tunnels.nextDue, processes.nextDue(millisecondsSinceStart()), keepDue, end, joining?.due] {
      if let time { due = min(due, time) }
    }
    return due
  }

  private func step(_ now: UInt64) {
    if membership.nextWakeUp <= now { carryOut(membership.tick(now: now), now) }
    if let due = tunnels.nextDue, due <= now { tunnels.step(at: now) }
    carryOutTunnels(now)
    stepProcesses(now)
    if let due = joining?.due, due <= now { continueJoining(now) }
    if let due = keepDue, due <= now { keepMap(now) }
  }

  // MARK: Connections

  /// Takes a connection into the loop.
  func register(_ connection: Connection) {
    connections.append(connection)
    connection.source = loop.add(
      { Interest(connection.socket.number, connection.interest) },
      isReady: { [self] ready, now in
        if connection.isHandshaking {
          if handshakeTurn != loop.turns { (handshakeTurn, handshakes) = (loop.turns, 0) }
          handshakes += 1
          if handshakes > Node.handshakesPerTurn { return }
        }
        advance(connection, ready, now)
      }, due: { connection.isOver ? 0 : connection.deadline },
      isDue: { [self] now in
        connection.expire()
        advance(connection, [], now)
      })
  }

  /// Everything that this node put into the kernel is taken out again; the filter goes back to what it was after boot.
  private func restoreKernel() {
    for peer in tunnels.peers { release(peer.address, id: peer.id) }
    if command.isEncrypted { filter?.close() } else { (try? ClusterFilter(on: machine))?.close() }
    transforms?.keepOnly([])
    transforms?.removeExceptions()
  }

  private func shutDown() {
    for connection in connections { connection.close() }
    discovery = nil
    endBootServer()
    restoreKernel()
    removeFile(places.socket)
    removeFile(places.map)
    removeFile(places.key)
    removeFile(servicesFolder / "tyd")
    report.note("tyd", [UInt8]("ended"))
  }

  // MARK: Numbers

  func incomingNumber() -> UInt32 {
    defer { nextIncoming = (nextIncoming &+ 2) & 0x7FFF_FFFE }
    return nextIncoming
  }

  func ownNumber() -> UInt32 {
    defer { nextOwn = (nextOwn &+ 2) | 0x8000_0000 }
    return nextOwn
  }

  func connection(_ channel: UInt32) -> Connection? { connections.first { $0.channel == channel && !$0.isOver } }
}

/// Anything, as far as the kernel can tell at this time of its life.
func randomNumber(_ otherwise: UInt64) -> UInt64 {
  randomBytes(8, wait: true)?.reduce(0) { $0 << 8 | UInt64($1) } ?? otherwise
}
