import Addresses
import Bytes
import ControlChannel
import DroneLayout
import Linux
import NodeCore
import ProcessControl
import Reporting
import SecureChannel
import Tunnels
import TydCommand

/// One node of the cluster as a program: it hands what happens to `NodeCore`, which decides, and has its parts carry out what that
/// asks for.
final class Node {
  let command: TydCommand
  let arguments: [[UInt8]]
  let places: Places
  let report: Report
  /// To the process that waits in the foreground; nil once it has had its word, or if there is none.
  var foreground: ForegroundWord?

  let core: NodeCore
  let keys: NodeKeys
  let kernel: Kernel
  let connections: Connections
  let search: Search
  let orders: OrderSocket
  /// Nil unless this node boots others.
  var boots: BootHost?
  private let loop = Loop()
  private let addressNews: AddressNews
  private let metrics: MetricsServer?
  private let signals = SignalQueue()
  private var signalsLookedAt: UInt64 = 0
  let gossip: DatagramSocket

  var interface: ClusterInterface
  var nextReading: UInt64 = 0
  /// A former run left demands in the kernel.
  var hasDemandsOfFormerRun = false
  /// It ends by a signal, as when it is started anew: another run goes on.
  private var isPaused = false
  /// The mosd that was started and has not gone to the background yet, and when to look again.
  var workStart: (process: Int32, nextLook: UInt64)?
  /// When the program ends; nil as long as it goes on.
  var end: UInt64?
  var exitStatus: Int32 = 0
  var failure: Failure?

  init(
    _ command: TydCommand, _ arguments: [[UInt8]], _ places: Places, _ report: Report, booting plan: BootPlan?
  ) throws(Failure) {
    self.command = command
    self.arguments = arguments
    self.places = places
    self.report = report
    var contact: IPv4Address?
    if case .join(.address(let address)) = command.task { contact = address }
    let now = millisecondsSinceStart()
    let interface = try ClusterInterface.find(named: command.interface, contact: contact)
    self.interface = interface
    let keys = try NodeKeys(places, isResuming: command.isResuming)
    self.keys = keys
    let kernel = Kernel(.current, isEncrypted: command.isEncrypted, report, places)
    self.kernel = kernel
    let core = try Node.core(command, interface, keys, kernel.machine, contact, now)
    self.core = core
    addressNews = try AddressNews()
    metrics = if let endpoint = command.metrics { try MetricsServer(endpoint) } else { nil }
    let use: TransformUse = command.isEncrypted ? .bypass : .asPoliciesSay
    search = Search(core, kernel, report, on: interface, use)
    boots = plan.map { BootHost($0, core, kernel, places, report, now) }
    do throws(SystemError) {
      connections = try Connections(core, keys, in: loop, use)
      gossip = try DatagramSocket(SocketAddress(.unspecified, port: ClusterPorts.control))
      orders = try OrderSocket(core, at: places.socket)
    } catch  where error.isTaken && error.subject.isEmpty {
      throw Failure(
        "another program holds TCP or UDP 3278 on this computer; `ss -lntup` names it. End it, then start tyd again.")
    } catch {
      throw Failure(error.text)
    }
  }

  private static func core(
    _ command: TydCommand, _ interface: ClusterInterface, _ keys: NodeKeys, _ machine: MachineKind,
    _ contact: IPv4Address?, _ now: UInt64
  ) throws(Failure) -> NodeCore {
    var settings = TunnelSettings()
    if let seconds = command.rekeySeconds { settings.rekeyAfter = UInt64(seconds) &* 1000 }
    if let seconds = command.idleSeconds {
      settings.idle = UInt64(seconds) &* 1000
      settings.linger = settings.idle
      settings.observation = min(settings.observation, settings.idle / 2)
    }
    let credential = keys.credential
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
    let core = NodeCore(
      try record(interface, credential, isInClear: !command.isEncrypted), own, ciphers: ciphers(command),
      settings: settings, now: now, seed: randomNumber(now))
    core.seconds = UInt64(clamping: keys.seconds)
    return core
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

  var view: NodeView {
    NodeView(
      core: core, credential: keys.credential, interface: interface, isEncrypted: command.isEncrypted, kernel: kernel,
      boots: boots)
  }

  // MARK: The loop

  /// Runs until the node is told to end, or fails before it is in.
  func run() throws(Failure) {
    register()
    while true {
      if let failure {
        if !runEnd(exitStatus == 0 ? .failure : .expulsion).leavesDemands { restoreKernel() }
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
    let perform: ([NodeCommand], UInt64) -> Void = { [self] commands, now in self.perform(commands, now) }
    kernel.register(in: loop, core, perform)
    loop.add({ [self] in Interest(gossip.descriptor) }) { [self] _, now in takeDatagrams(now) }
    connections.register(perform)
    search.register(in: loop, perform)
    orders.register(in: loop, perform)
    boots?.register(in: loop)
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
    metrics?.register(in: loop) { [self] in view.metricsText }
    loop.add(due: { [self] in core.nextDue }) { [self] now in
      self.perform(core.step(at: now), now)
    }
    loop.add(due: { [self] in workStart?.nextLook }) { [self] now in lookAfterWork(now) }
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

  // MARK: The end

  private func runEnd(_ cause: RunEnd.Cause) -> RunEnd {
    RunEnd(
      cause: cause, isEncrypted: command.isEncrypted, demands: core.isIn || !core.peers.demanded.isEmpty,
      demanded: hasDemandsOfFormerRun)
  }

  /// Everything that this node put into the kernel is taken out again; the filter goes back to what it was after boot.
  private func restoreKernel() {
    perform(core.end(), millisecondsSinceStart())
    kernel.restore()
  }

  /// What stays is what a crash leaves: in the kernel what is demanded, the filter and associations, in files the map and the key.
  private func shutDown() {
    connections.closeAll()
    search.close()
    endBootServer()
    if runEnd(exitStatus != 0 ? .expulsion : isPaused ? .signal : .order).leavesDemands {
      if core.isIn { keepMap(millisecondsSinceStart()) }
    } else {
      restoreKernel()
      places.forgetRun()
    }
    removeFile(places.socket)
    removeFile(servicesFolder / "tyd")
    report.note("tyd", [UInt8]("ended"))
  }

  func endBootServer() {
    boots?.end()
    boots = nil
  }
}

/// Anything, as far as the kernel can tell at this time of its life.
func randomNumber(_ otherwise: UInt64) -> UInt64 {
  randomBytes(8, wait: true).map { UInt64(networkOrder: $0) } ?? otherwise
}
