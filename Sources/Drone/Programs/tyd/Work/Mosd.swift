import Addresses
import BootLine
import Bytes
import DroneLayout
import Jobs
import Linux
import ProcessControl
import Supervision

/// `mosd`: lets the users of this node run work on others, and others' users theirs here.
func runMosd(_ arguments: [[UInt8]]) -> Int32 {
  var options = MosdOptions()
  do throws(WorkUsageError) { options = try MosdOptions(arguments) } catch {
    return WorkProgram.mosd.fail(error.sentence, status: 2)
  }
  if options.wantsHelp {
    writeStandardOutput([UInt8](MosdOptions.help))
    return 0
  }
  if options.drains { return drain() }
  if let limit = options.limit { return setLimit(limit) }
  if options.stops { return stopMosd(WorkPlaces()) }
  // A drone's boot line says it for the whole boot.
  if exists(servicesFolder), let line = try? readFile("/proc/cmdline", limit: 1 << 16) {
    let line = BootLine(line)
    options.slots = options.slots ?? line.jobs
    options.homes = options.homes ?? line.workHomes
  }
  let places = WorkPlaces()
  setCreationMask(0o077)
  do throws(SystemError) {
    try makeDirectory(places.run, exactly: 0o755)
    var runs = false
    guard let lock = try lockAfterFormer(places, &runs) else { return runs ? 0 : failToEnd() }
    if let obstacle = obstacleToTrust() { return WorkProgram.mosd.fail(obstacle) }
    // It hears before it goes to the background: who started it hears what hinders it, and may call at once.
    let mosd = try Mosd(options, places)
    if !options.staysInForeground {
      if case .parent(let child) = try forkProcess() {
        try lock.name(child)
        return 0
      }
      leaveSession()
      try? redirectStandardDescriptors(to: "/dev/null")
    } else {
      try lock.name(processID)
    }
    mosd.run()
  } catch {
    return WorkProgram.mosd.fail(error.text)
  }
  return 0
}

/// Looks at a mosd that starts or ends, and the pause between two, in milliseconds: ten seconds in all.
private let looks = (count: 200, pause: 50)

/// One that runs has its socket; one that starts has none yet, one that ends none any more: these are waited for. Nil if one runs,
/// or does not end.
private func lockAfterFormer(_ places: WorkPlaces, _ runs: inout Bool) throws(SystemError) -> ProcessFile? {
  for _ in 0..<looks.count {
    if let lock = try ProcessFile(places.processFile) { return lock }
    if let _ = try? connectLocal(places.socket) {
      runs = true
      return nil
    }
    pause(milliseconds: looks.pause)
  }
  return nil
}

private func failToEnd() -> Int32 {
  WorkProgram.mosd.fail([UInt8]("the mosd that runs here does not end: ps and /run/mosd/pid show it."))
}

/// `mosd --stop`: ends the one that runs, if one does, and waits until it has ended.
private func stopMosd(_ places: WorkPlaces) -> Int32 {
  guard userID == 0 else { return WorkProgram.mosd.fail([UInt8]("only root may end the mosd of this node.")) }
  var ended: Int32?
  for _ in 0..<looks.count {
    guard ProcessFile.isHeld(places.processFile) else { return 0 }
    // One that starts has no number yet.
    if let process = ProcessFile.holder(of: places.processFile) {
      if let ended, process != ended { return 0 }
      if ended == nil { sendSignal(.terminate, to: process) }
      ended = process
    }
    pause(milliseconds: looks.pause)
  }
  return failToEnd()
}

/// Other nodes take the source port for the word of this node's root.
private func obstacleToTrust() -> [UInt8]? {
  guard let text = try? readFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", limit: 16),
    let first = decimal(text.prefix { $0 != UInt8(ascii: "\n") }), first < 1024
  else { return nil }
  return [UInt8](
    "net.ipv4.ip_unprivileged_port_start is \(first), so any user here could speak for any other to the cluster: set it to 1024 with sysctl."
  )
}

/// The process that takes this node's users' wishes and other nodes' jobs.
final class Mosd {
  let options: MosdOptions
  let places: WorkPlaces
  let loop = Loop()
  let home: HomeSide
  let worker: Worker
  private let deaths = DeathWatch()
  private let signals = SignalQueue()
  private var listener: OpenSocket?
  private let local: Descriptor
  private var isOver = false
  /// What stands in the file, and since when.
  private var told = WorkCounts()
  private var toldAt: UInt64 = 0
  /// How often it may change, in milliseconds.
  private static let countingPace: UInt64 = 1000

  private var counts: WorkCounts {
    var counts = WorkCounts()
    home.add(to: &counts)
    worker.add(to: &counts)
    return counts
  }

  init(_ options: MosdOptions, _ places: WorkPlaces) throws(SystemError) {
    self.options = options
    self.places = places
    ignoreBrokenPipes()
    // Two for each user's process that waits, and what else there is.
    descriptorLimit = max(descriptorLimit, 4096)
    // What is mounted for jobs is nobody else's business; certaintyd watches what others see.
    try leaveMountNamespace()
    // Namespaces of users would give a job capabilities in them; a drone needs none.
    if exists(servicesFolder) { try? writeFile("/proc/sys/user/max_user_namespaces", [UInt8]("0")) }
    listener = OpenSocket(try listenStream(on: SocketAddress(.unspecified, port: ClusterPorts.work)))
    local = try listenLocalToAll(places.socket)
    worker = Worker(places, slots: options.slots, for: options.homes)
    home = HomeSide(loop, worker)
  }

  func run() {
    nameService()
    // What a former mosd counted is over.
    try? replaceFile(places.counts, told.text, permissions: 0o644)
    loop.add({ [self] in Interest(signals.number) }) { [self] _, now in takeSignals(now) }
    loop.add({ [self] in Interest(local.number) }) { [self] _, now in
      while let socket = try? acceptStream(local) { home.receive(socket, now) }
    }
    loop.add({ [self] in listener.map { Interest($0.descriptor.number) } }) { [self] _, now in
      while let listener, let socket = try? acceptStream(listener.descriptor) { worker.begin(OpenSocket(socket), now) }
    }
    loop.add(due: { [self] in home.isBusy || worker.isBusy ? deaths.nextAt : nil }) {
      [self] now in
      guard deaths.step(now) else { return }
      home.follow(deaths.lost)
      worker.follow(deaths.lost)
    }
    loop.add(due: { [self] in home.due }) { [self] now in home.step(now) }
    loop.add(due: { [self] in worker.due }) { [self] now in worker.step(now) }
    loop.add(due: { [self] in counts == told ? nil : toldAt &+ Mosd.countingPace }) { [self] now in
      told = counts
      toldAt = now
      try? replaceFile(places.counts, told.text, permissions: 0o644)
    }
    while !isOver { loop.turn() }
    // First, so that a new one knows that this one ends; and the port is free before the lock is.
    removeFile(places.socket)
    listener = nil
    removeFile(places.counts)
    // Servers of files go on for the jobs that run.
    worker.end()
    removeFile(servicesFolder / WorkProgram.mosd.name)
  }

  private func takeSignals(_ now: UInt64) {
    while let signal = signals.next() {
      if signal == Signal.terminate.rawValue || signal == Signal.interrupt.rawValue { isOver = true }
    }
    while let (process, _) = collectChild() {
      home.collect(process, now)
      worker.collect(process, now)
    }
  }

  /// Tells process 1 of a drone to start mosd again if it ends by itself.
  private func nameService() {
    guard exists(servicesFolder) else { return }
    var words = options.slots.map { [[UInt8]("--work"), $0 == 0 ? [UInt8]("off") : decimalText($0)] } ?? []
    // An empty list is the boot line's, which it reads again.
    if let homes = options.homes, !homes.isEmpty { words += [[UInt8]("--work-for"), NodeReference.text(homes)] }
    let text = ServiceRecord(
      process: processID, path: [UInt8](WorkProgram.mosd.link), arguments: words + [[UInt8]("--foreground")]
    ).text
    try? replaceFile(servicesFolder / WorkProgram.mosd.name, text, permissions: 0o600)
  }
}
