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
  var filter: Filter?
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
  /// When the program ends; nil as long as it goes on.
  var end: UInt64?
  var exitStatus: Int32 = 0
  var failure: Failure?

  init(_ command: TydCommand, _ arguments: [[UInt8]], _ places: Places, _ report: Report) throws(Failure) {
    self.command = command
    self.arguments = arguments
    self.places = places
    self.report = report
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
    while true {
      if let failure {
        restoreKernel()
        throw failure
      }
      let now = millisecondsSinceStart()
      if let end, end <= now { break }
      wait(until: nextDue(now))
      step(millisecondsSinceStart())
    }
    shutDown()
    if exitStatus != 0 { throw Failure("this node is no longer in the cluster.", status: exitStatus) }
  }

  private func nextDue(_ now: UInt64) -> UInt64 {
    var due = min(now &+ 60_000, nextReading)
    if membership.nextWakeUp < due { due = membership.nextWakeUp }
    for time in [
      tunnels.nextDue, processes.nextDue(now), keepDue, end, joining?.due, metrics?.nextDue, boots?.due,
      orders.map { $0.call.deadline }.min(),
    ] {
      if let time { due = min(due, time) }
    }
    for connection in connections { due = min(due, connection.deadline) }
    return due
  }

  /// A handshake takes an old processor a tenth of a second: members' datagrams do not wait for more of them than so many. The
  /// oldest come first.
  private static let handshakesPerTurn = 3

  private func wait(until due: UInt64) {
    let now = millisecondsSinceStart()
    var interests = [
      Interest(listener.number), Interest(gossip.descriptor), Interest(discovery?.descriptor ?? -1),
      Interest(orderListener), Interest(signals.number), Interest(transforms?.descriptor ?? -1),
      Interest(searching?.descriptor ?? -1), Interest(boots?.descriptor ?? -1),
      Interest(addressNews.descriptor), Interest(transforms?.policyDescriptor ?? -1),
    ]
    let fixed = interests.count
    let connections = self.connections
    let orders = self.orders
    for connection in connections { interests.append(Interest(connection.socket.number, connection.interest)) }
    for order in orders { interests.append(Interest(order.socket.number)) }
    let calls = metrics?.calls ?? []
    let asking = interests.count
    interests += metrics?.interests ?? []
    var milliseconds = Int(clamping: due > now ? due &- now : 0)
    if let longest = signals.longestWait { milliseconds = min(milliseconds, longest) }
    let ready = waitReady(interests, milliseconds: milliseconds)
    let then = millisecondsSinceStart()
    if !ready[9].isEmpty { takePolicyNews() }
    if !ready[5].isEmpty { takeTransformEvents(then) }
    if !ready[1].isEmpty { takeGossip(then) }
    if !ready[0].isEmpty { acceptConnections(then) }
    if !ready[2].isEmpty { answerQuestions() }
    if !ready[6].isEmpty { takeDiscoveryAnswers(then) }
    if !ready[3].isEmpty { acceptOrders(then) }
    if !ready[7].isEmpty { takeBootNews(then) }
    if !ready[8].isEmpty {
      addressNews.take()
      nextReading = then
    }
    var handshakes = 0
    for (index, connection) in connections.enumerated() where !ready[fixed + index].isEmpty {
      // It may have given way to one that has just come.
      guard self.connections.contains(where: { $0 === connection }) else { continue }
      if connection.isHandshaking {
        handshakes += 1
        if handshakes > Node.handshakesPerTurn { continue }
      }
      advance(connection, ready[fixed + index], then)
    }
    for (index, order) in orders.enumerated() where !ready[fixed + connections.count + index].isEmpty {
      take(order, then)
    }
    for (index, call) in calls.enumerated() where !ready[asking + 1 + index].isEmpty {
      call.advance(then, metricsText)
    }
    if let metrics, !ready[asking].isEmpty { metrics.accept(then) }
    while let signal = signals.next() { take(signal, then) }
  }

  private func step(_ now: UInt64) {
    for connection in connections where connection.deadline <= now {
      connection.expire()
      advance(connection, [], now)
    }
    connections.removeAll { $0.isOver }
    metrics?.step(now)
    orders.removeAll { $0.call.isOver(at: now) }
    if membership.nextWakeUp <= now { carryOut(membership.tick(now: now), now) }
    if let due = tunnels.nextDue, due <= now { tunnels.step(at: now) }
    carryOutTunnels(now)
    stepProcesses(now)
    if nextReading <= now { readMachine(now) }
    if let due = joining?.due, due <= now { continueJoining(now) }
    if let due = keepDue, due <= now { keepMap(now) }
    if let due = boots?.due, due <= now { startBootServer(now) }
  }

  private func take(_ signal: Int32, _ now: UInt64) {
    switch Signal(rawValue: signal) {
    case .terminate, .interrupt: end = now
    default: break
    }
  }

  /// Everything that this node put into the kernel is taken out again; the filter goes back to what it was after boot.
  private func restoreKernel() {
    for peer in tunnels.peers { release(peer.address, id: peer.id) }
    if command.isEncrypted { filter?.close() } else { (try? Filter())?.close() }
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
