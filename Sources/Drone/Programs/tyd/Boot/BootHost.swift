import Addresses
import BootServer
import Bytes
import ControlChannel
import Linux
import Membership
import NodeCore
import PacketFilter
import ProcessControl
import Reporting

/// One end of a pipe that can stand in an optional.
final class PipeEnd {
  let descriptor: Descriptor
  init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

  /// Writes without waiting. False when the other end has left the pipe full, or is gone.
  func send(_ text: [UInt8]) -> Bool {
    var sent = 0
    while sent < text.count {
      // Writable is a pipe with room for a page (pipe(7), PIPE_BUF): such a write does not wait.
      let part = [UInt8](text[sent...].prefix(4096))
      guard waitReady([Interest(descriptor.number, .writable)], milliseconds: 0)[0].contains(.writable),
        let went = try? descriptor.writeSome(part)
      else { return false }
      sent += went
    }
    return true
  }
}

/// The boot server as the node sees it: a process that is started again when it ends, and what it tells.
final class BootHost {
  private let plan: BootPlan
  private let core: NodeCore
  private let kernel: Kernel
  private let places: Places
  private let report: Report
  private(set) var table = BootTable()
  private(set) var role: ServingRole
  private(set) var isReady = false
  /// Due only once this node is in.
  private var kept = KeptProcess()
  private var orders: PipeEnd?
  private var news: PipeEnd?
  private var line: [UInt8] = []
  /// When the table is written to its file; nil when it is there.
  private var saveDue: UInt64?
  /// Whoever is on the network can make computers of any number ask.
  private var notes = NoteAllowance()
  /// What the server has been told.
  private var sent: [KnownAddress] = []
  private var source: Loop.Source?

  init(_ plan: BootPlan, _ core: NodeCore, _ kernel: Kernel, _ places: Places, _ report: Report, _ now: UInt64) {
    self.plan = plan
    role = plan.role
    try? replaceFile(places.bootRole, role.text, permissions: 0o600)
    self.core = core
    self.kernel = kernel
    self.places = places
    self.report = report
    // Of a run that crashed.
    if let lines = try? readFile(places.boots, limit: 1 << 14) { table.remember(lines, at: now) }
  }

  var network: ServedNetwork { plan.network }
  /// Where the files are.
  var filesText: [UInt8] { plan.files.text }

  func register(in loop: Loop) {
    source = loop.add(
      { [self] in news.map { Interest($0.descriptor.number) } }, isReady: { [self] _, now in receiveNews(now) },
      due: { [self] in due }, isDue: { [self] now in step(now) })
  }

  // MARK: The process

  /// Starts the boot server once this node is in, and again after it ended.
  func start(_ now: UInt64) {
    guard kept.process == nil else { return }
    kept.begin(at: now)
    let empty = places.run / "empty"
    let arguments = BootServiceArguments(
      card: plan.interface, network: plan.network, folders: plan.files.folders, cluster: places.cluster,
      empty: empty, role: role, watches: plan.watches)
    do throws(SystemError) {
      try makeDirectory(empty, permissions: 0o555)
      let orders = try Pipe()
      let news = try Pipe()
      var program = Program("/proc/self/exe", arguments: [[UInt8]("tyd-boot")] + arguments.words)
      program.input = orders.input.number
      program.output = news.output.number
      kept.run(as: try program.start())
      self.orders = PipeEnd(orders.keepingOutput())
      self.news = PipeEnd(news.keepingInput())
    } catch {
      report.step(.failed, "pxe", error.text)
      return kept.schedule(at: now)
    }
    sent = []
    openFilter()
    send(table.boots.map { KnownAddress($0.hardware, $0.address) })
    sendKnownAddresses()
  }

  private func openFilter() {
    do throws(NetlinkSocketError) { try kernel.setServing(role == .alone ? .alone : .besideServer) } catch {
      report.step(.failed, "pxe", [UInt8]("the packet filter: ") + error.text)
    }
  }

  /// Nobody is booted from here any longer.
  func end() {
    source?.end()
    source = nil
    if let process = kept.process {
      sendSignal(.kill, to: process)
      _ = waitForChild(process)
      report.note("pxe", [UInt8]("nobody boots from here any longer"))
    }
    removeFile(places.boots)
    removeFile(places.bootRole)
    try? kernel.setServing(.nobody)
  }

  /// What it needs now: to be started, or its table to be kept.
  private func step(_ now: UInt64) {
    if let due = kept.dueAt, due <= now { start(now) }
    if let count = notes.step(at: now) { report.noteOmitted(count) }
    if let due = saveDue, due <= now {
      saveDue = nil
      try? replaceFile(places.boots, table.known, permissions: 0o600)
    }
  }

  private var due: UInt64? {
    var due = kept.dueAt
    for time in [saveDue, notes.nextDue] {
      if let time { due = min(time, due ?? time) }
    }
    return due
  }

  // MARK: What it is told

  /// Members keep the addresses that the cluster knows them by when they boot again.
  func sendKnownAddresses() {
    guard kept.process != nil else { return }
    var known: [KnownAddress] = []
    core.membership.forEach { record, _ in
      if record.mac != core.membership.ownMAC { known.append(KnownAddress(record.mac, record.addresses.primary)) }
    }
    send(known)
  }

  /// The pipe holds far more than a map of a network that one node can serve: a server that leaves it full has stopped reading.
  private func send(_ known: [KnownAddress]) {
    guard let orders else { return }
    var text: [UInt8] = []
    for one in known.prefix(BootTable.most) where !sent.contains(one) {
      sent.removeAll { $0.hardware == one.hardware }
      sent.append(one)
      text += one.line
    }
    // Its end is noticed by its output, like any other.
    if !orders.send(text), let process = kept.process { sendSignal(.kill, to: process) }
  }

  // MARK: What it tells

  private func receiveNews(_ now: UInt64) {
    guard let news else { return }
    guard let part = try? news.descriptor.read(upTo: 4096), !part.isEmpty else { return receiveEnd(now) }
    line += part
    while let whole = line.takeLine() {
      if let news = BootNews(line: whole) { receive(news, now) }
    }
    if line.count > 4096 { line = [] }
  }

  private func receive(_ news: BootNews, _ now: UInt64) {
    if news == .ready {
      isReady = true
      report.step(.ok, "pxe", [UInt8]("others may boot from here") + roleText)
    }
    if case .role(let role) = news { follow(role) }
    if let text = table.record(news, at: now), notes.admits(at: now) { report.note("pxe", text) }
    // Not for each lease: a flood of them would keep this node writing.
    if case .leased = news, saveDue == nil { saveDue = now &+ 1000 }
  }

  private var roleText: [UInt8] {
    switch role {
    case .alone: [UInt8](" and get ") + network.first.text + [UInt8](" to ") + network.last.text
    case .beside(let server): [UInt8](", beside the DHCP server ") + server.text
    }
  }

  /// Another server has come, or the one that was there has gone.
  private func follow(_ role: ServingRole) {
    let former = self.role
    self.role = role
    try? replaceFile(places.bootRole, role.text, permissions: 0o600)
    switch (former, role) {
    case (.alone, .beside(let server)):
      report.step(.ok, "pxe", server.text + [UInt8](" serves DHCP now: this node gives no addresses any longer"))
    case (.beside(let server), .alone):
      // A lease would end.
      do throws(Failure) { try ServingCard.keepAddress(of: plan.interface) } catch {
        report.step(.failed, "pxe", error.sentence)
      }
      report.step(
        .ok, "pxe", server.text + [UInt8](" serves DHCP no longer: others may boot from here") + roleText)
    default: return
    }
    openFilter()
  }

  private func receiveEnd(_ now: UInt64) {
    if let process = kept.process {
      // One that only closed its output would have this node wait for ever.
      sendSignal(.kill, to: process)
      _ = waitForChild(process)
    }
    kept.end()
    isReady = false
    orders = nil
    news = nil
    line = []
    report.step(.failed, "pxe", [UInt8]("the boot server ended; it is started again"))
    kept.schedule(at: now)
  }
}
