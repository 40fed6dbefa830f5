import DroneLayout
import Addresses
import Bytes
import ControlChannel
import Linux
import LocalOrders
import MachineReadings
import Membership
import NodeCore
import ProcessControl
import SecureChannel
import Tunnels
import TydCommand

/// One node of the cluster as a program: it hands what happens to `NodeCore`, which decides, and carries out what that asks for.
final class Node {
  let command: TydCommand
  let arguments: [[UInt8]]
  let places: Places
  var report: Report
  /// To the process that waits in the foreground; nil once it has had its word, or if there is none.
  var foreground: ForegroundWord?

  let core: NodeCore
  let loop = Loop()
  var interface: ClusterInterface
  var credential: Credential
  var identity: ChannelIdentity
  var time: TimeFloor { didSet { core.seconds = UInt64(clamping: time.seconds) } }
  let machine: MachineKind
  var transforms: Transforms?
  var filter: ClusterFilter?

  let addressNews: AddressNews
  let listener: Descriptor
  let gossip: DatagramSocket
  /// Answers those who search for a member; hears who answers while this node does.
  var discovery: DatagramSocketBox?
  var searching: DatagramSocketBox?
  let local: Descriptor
  let metrics: MetricsServer?
  let signals = SignalQueue()
  private var signalsLookedAt: UInt64 = 0
  var connections: [Connection] = []
  /// How many connections whose other side has not proved who it is went on in a turn of the loop.
  var handshakes = 0
  var handshakeTurn: UInt64 = 0
  var orders: [LocalOrder] = []

  /// Nil unless this node boots others.
  var boots: BootHost?
  var nextReading: UInt64 = 0
  /// It ends by a signal, as when it is started anew: another run goes on.
  private var isPaused = false
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
    var settings = TunnelSettings()
    if let seconds = command.rekeySeconds { settings.rekeyAfter = UInt64(seconds) &* 1000 }
    if let seconds = command.idleSeconds {
      settings.idle = UInt64(seconds) &* 1000
      settings.linger = settings.idle
      settings.observation = min(settings.observation, settings.idle / 2)
    }
    var own = NodeIdentity(
      cluster: credential.clusterFingerprint, key: credential.fingerprint,
      canCertify: credential.authorityKey != nil, isMember: credential.isMember)
    own.keyText = credential.certificate.fingerprint.text
    own.isEncrypted = command.isEncrypted
    if case .host = machine { own.cutsOff = true }
    own.contact = contact
    own.isPatient = command.isPatient
    if let seconds = command.keepSeconds { own.keepFor = UInt64(seconds) &* 1000 }
    own.removalAuthority = credential.removalAuthority
    core = NodeCore(
      try Node.record(interface, credential, isInClear: !command.isEncrypted), own, ciphers: Node.ciphers(command),
      settings: settings, now: now, seed: randomNumber(now))
    core.seconds = UInt64(clamping: time.seconds)
    addressNews = try AddressNews()
    metrics = if let endpoint = command.metrics { try MetricsServer(endpoint) } else { nil }
    do throws(SystemError) {
      let any = SocketAddress(.unspecified, port: ClusterPorts.control)
      let use: TransformUse = command.isEncrypted ? .bypass : .asPoliciesSay
      listener = try listenStream(on: any, transforms: use)
      gossip = try DatagramSocket(SocketAddress(.unspecified, port: ClusterPorts.control))
      local = try listenLocal(places.socket)
    } catch  where error.isTaken && error.subject.isEmpty {
      throw Failure(
        "another program holds TCP or UDP 3278 on this computer; `ss -lntup` names it. End it, then start tyd again.")
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

  /// What this node waits for as long as it runs. Connections, orders and metrics' callers come and go.
  private func register() {
    loop.add({ [self] in transforms.map { Interest($0.policyDescriptor) } }) { [self] _, _ in takePolicyNews() }
    loop.add({ [self] in transforms.map { Interest($0.descriptor) } }) { [self] _, now in takeTransformEvents(now) }
    loop.add({ [self] in Interest(gossip.descriptor) }) { [self] _, now in takeDatagrams(now) }
    loop.add({ [self] in Interest(listener.number) }) { [self] _, now in acceptConnections(now) }
    loop.add({ [self] in discovery.map { Interest($0.descriptor) } }) { [self] _, now in takeQuestions(now) }
    loop.add({ [self] in searching.map { Interest($0.descriptor) } }) { [self] _, now in takeAnswers(now) }
    loop.add({ [self] in core.takesOrders ? Interest(local.number) : nil }) { [self] _, now in acceptOrders(now) }
    loop.add(
      { [self] in boots.map { Interest($0.descriptor) } }, isReady: { [self] _, now in receiveBootNews(now) },
      due: { [self] in bootsDue }, isDue: { [self] now in stepBoots(now) })
    loop.add(
      { [self] in Interest(addressNews.descriptor) },
      isReady: { [self] _, now in
        addressNews.take()
        nextReading = now
      }, due: { [self] in nextReading }, isDue: { [self] now in readMachine(now) })
    loop.add(
      { [self] in Interest(signals.number) }, isReady: { [self] _, now in takeSignals(now) },
      due: { [self] in signals.longestWait.map { signalsLookedAt &+ UInt64($0) } },
      isDue: { [self] now in takeSignals(now) })
    metrics?.register(in: loop) { [self] in metricsText() }
    loop.add(due: { [self] in core.nextDue }) { [self] now in
      perform(core.step(at: now), now)
    }
    loop.add(due: { [self] in end }) { _ in }
  }

  private func takeSignals(_ now: UInt64) {
    signalsLookedAt = now
    while let signal = signals.next() {
      switch Signal(rawValue: signal) {
      case .terminate, .interrupt:
        // Whoever leaves or was removed does so all the same.
        isPaused = isPaused || end == nil
        end = now
      default: break
      }
    }
  }

  private func takeDatagrams(_ now: UInt64) {
    // A bound for each turn: whoever floods this port is a member, but the loop must go on.
    for _ in 0..<64 {
      guard let datagram = try? gossip.receive(upTo: 1500) else { return }
      perform(
        core.receive(
          datagram.bytes, from: datagram.sender.address, isFromPort: datagram.sender.port == ClusterPorts.control,
          to: datagram.destination, at: now), now)
    }
  }

  /// Everything that this node put into the kernel is taken out again; the filter goes back to what it was after boot.
  private func restoreKernel() {
    perform(core.end(), millisecondsSinceStart())
    if command.isEncrypted { filter?.close() } else { (try? ClusterFilter(on: machine))?.close() }
    transforms?.keepOnly([])
    transforms?.removeExceptions()
  }

  /// What programs of this machine send to members must not leave in clear while tyd is started anew, as when its package is
  /// upgraded, or while nobody starts it again. So a signal leaves everything where a crash does: in the kernel what is
  /// demanded, the filter and associations, in files the map and the key. `tyd --leave` and `--stop` clean up.
  private func shutDown() {
    for connection in connections { connection.close() }
    discovery = nil
    endBootServer()
    if isPaused, exitStatus == 0, command.isEncrypted, core.isIn || !core.peers.demanded.isEmpty {
      if core.isIn { keepMap(millisecondsSinceStart()) }
    } else {
      restoreKernel()
      places.forgetRun()
    }
    removeFile(places.socket)
    removeFile(servicesFolder / "tyd")
    report.note("tyd", [UInt8]("ended"))
  }
}

/// Anything, as far as the kernel can tell at this time of its life.
func randomNumber(_ otherwise: UInt64) -> UInt64 {
  randomBytes(8, wait: true).map { UInt64(networkOrder: $0) } ?? otherwise
}
