import Addresses
import DroneLayout
import Bytes
import Linux
import MachineReadings
import Membership
import NodeCore
import ProcessControl
import Reporting
import SecureChannel
import Supervision
import Tunnels
import TydCommand

extension Node {
  /// Prepares the kernel, and enters the cluster or begins to.
  func start() throws(Failure) {
    let credential = keys.credential
    // It could admit nobody, and would answer all who search for a member.
    if case .start = command.task, !credential.isMember {
      throw Failure(
        "this node's credential has no key of the cluster, so it cannot begin one; join with tyd -m ADDRESS and have its key approved there."
      )
    }
    let now = millisecondsSinceStart()
    report.step(
      .ok, "cluster",
      credential.authority.name + [UInt8](" (") + credential.authority.fingerprint.short + [UInt8](")")
        + (credential.authorityKey == nil ? [UInt8](", this node cannot admit others") : []))
    report.step(
      .ok, "node",
      interface.name + [UInt8](" ") + interface.address.text + [UInt8](", key ")
        + credential.certificate.fingerprint.text)
    try kernel.prepare(interface.address, core.peers.tunnels.ciphers, command)
    if let metrics = command.metrics {
      report.step(
        metrics.isLoopback ? .ok : .degraded, "metrics",
        metrics.address.text + [UInt8](":") + decimalText(metrics.port)
          + (metrics.isLoopback ? [] : [UInt8](": whoever reaches it can read who is in the cluster")))
    }
    search.open()
    readSurroundings(now)
    let hasMap = command.isResuming && resume(now)
    adopt(now, hasMap: hasMap)
    if hasMap { return perform(core.enter(at: now), now) }
    if case .join = command.task { perform(core.join(at: now), now) } else { perform(core.enter(at: now), now) }
  }

  /// This node is in the cluster: whoever waits in the foreground goes on.
  func enter(_ now: UInt64) {
    search.end()
    removeFile(places.failure)
    readMachine(now)
    var text = idText(core.membership.ownID) + [UInt8](" is in, ")
    let count = core.membership.liveCount
    text += count == 1 ? [UInt8]("the first node") : decimalText(count) + [UInt8](" nodes")
    report.step(.ok, "tyd", text)
    nameService()
    startWork(now)
    boots?.start(now)
    guard let word = foreground else { return }
    foreground = nil
    word.say()
    report.isInForeground = false
    leaveSession()
    try? redirectStandardDescriptors(to: "/dev/null")
  }

  /// Tells process 1 of a drone to start tyd again if it ends by itself.
  private func nameService() {
    guard exists(servicesFolder) else { return }
    let file = (try? symbolicLink("/proc/self/exe")) ?? [UInt8](ProgramPath.tyd)
    let words = arguments.dropFirst().filter { !$0.spells("--resume") } + [[UInt8]("--resume")]
    let text = ServiceRecord(process: processID, path: file, arguments: words).text
    try? replaceFile(servicesFolder / "tyd", text, permissions: 0o600)
  }

  /// On a drone work may come and go from now on; on a full Linux its administrator starts mosd. One that runs already stays.
  /// Nobody waits for it: it may wait for a former one, and others for this node.
  private func startWork(_ now: UInt64) {
    guard exists(servicesFolder), workStart == nil else { return }
    var program = Program(Path(WorkProgram.mosd.link), arguments: [[UInt8](WorkProgram.mosd.name)])
    program.newSession = true
    do throws(SystemError) { workStart = (try program.start(), now) } catch {
      report.step(.degraded, "mosd", error.text)
    }
  }

  /// mosd has gone to the background, or has failed, or is on its way yet.
  func lookAfterWork(_ now: UInt64) {
    guard let (process, _) = workStart else { return }
    guard let (_, ending) = collectChild(process) else { return workStart = (process, now &+ 250) }
    workStart = nil
    if ending != .exited(0) { report.step(.degraded, "mosd", [UInt8]("takes no work; mosd says why")) }
  }

  // MARK: After a crash, or a pause

  /// Goes on with the map that a former run left. False if there is none.
  private func resume(_ now: UInt64) -> Bool {
    guard keys.credential.isMember, let map = try? readFile(places.map, limit: Membership.largestMap) else {
      return false
    }
    guard let commands = core.resume(map: map, at: now) else { return false }
    perform(commands, now)
    return true
  }

  /// Goes on with what a former run left in the kernel. Who is no member, or not yet, may be one all the same: nothing goes to it
  /// in clear.
  private func adopt(_ now: UInt64, hasMap: Bool) {
    guard command.isEncrypted else { return }
    let former = kernel.former()
    hasDemandsOfFormerRun = !former.demanded.isEmpty
    perform(core.resume(demanded: former.demanded, cutOff: former.cutOff, at: now), now)
    kernel.keepOnly(core.peers.demanded)
    perform(core.resume(kernel.associations() ?? [], at: now), now)
    guard hasMap || !core.peers.kept.isEmpty else { return }
    report.step(
      .degraded, "tyd",
      [UInt8]("goes on after a crash or a restart, with ") + decimalText(core.peers.tunnels.established)
        + [UInt8](" tunnels"))
  }

  /// Writes what the next run begins with, unless this one ends for good.
  func keepMap(_ now: UInt64) {
    try? replaceFile(places.map, core.membership.map(at: now), permissions: 0o600)
    boots?.sendKnownAddresses()
  }

  // MARK: This node's own record

  static func record(
    _ interface: ClusterInterface, _ credential: Credential, isInClear: Bool
  ) throws(Failure) -> NodeRecord {
    guard let addresses = AddressList(interface.addresses) else {
      throw Failure(interface.address.text + [UInt8](" is no address that a node can have."))
    }
    var record = NodeRecord(
      fingerprint: credential.certificate.fingerprint, mac: interface.mac, addresses: addresses,
      addresses6: AddressList6(interface.addresses6), isInClear: isInClear)
    record.version = .current
    record.mayApprove = credential.authorityKey != nil
    let readings = Linux.readMachine()
    record.update(with: readings)
    return record
  }

  /// Tells the others how this machine is now, and follows a new address.
  func readMachine(_ now: UInt64) {
    nextReading = now &+ 5000
    keys.readClock()
    core.seconds = UInt64(clamping: keys.seconds)
    followAddress(now)
    readSurroundings(now)
    perform(
      core.receive(
        Linux.readMachine(), addresses: AddressList(interface.addresses),
        addresses6: AddressList6(interface.addresses6), at: now), now)
    if core.isIn { kernel.refill() }
  }

  /// Where nothing is cut off nobody asks for them.
  private func readSurroundings(_ now: UInt64) {
    guard case .host = kernel.machine, let surroundings = Surroundings.current else { return }
    perform(core.receive(surroundings), now)
  }

  /// After a new lease. A card that was taken out and put in again has its address, but another number.
  private func followAddress(_ now: UInt64) {
    guard
      let found = try? ClusterInterface.find(named: interface.name, contact: nil, keeping: interface.address),
      found != interface
    else { return }
    let former = interface
    interface = found
    search.follow(found)
    guard found.address != former.address else { return }
    report.step(.degraded, "node", [UInt8]("has another address: ") + found.address.text)
    endBootServer()
    let all = found.addresses.map { InternetAddress.ipv4($0) } + found.addresses6.map { .ipv6($0) }
    perform(core.receiveAddress(found.address, all: all, at: now), now)
  }
}
