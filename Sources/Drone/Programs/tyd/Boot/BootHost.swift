import Addresses
import BootServer
import Bytes
import Linux
import Membership
import NodeCore
import ProcessControl
import Reporting

/// The boot server as the node sees it: a process that is started again when it ends, and what it tells.
final class BootHost {
  let plan: BootPlan
  var table = BootTable()
  /// Due only once this node is in.
  fileprivate(set) var kept = KeptProcess()
  var isReady = false
  fileprivate var orders: PipeEnd?
  fileprivate var news: PipeEnd?
  fileprivate var line: [UInt8] = []
  /// When the table is written to its file; nil when it is there.
  var saveDue: UInt64?
  /// What the server has been told.
  fileprivate var sent: [KnownAddress] = []

  init(_ plan: BootPlan, _ places: Places, _ now: UInt64) {
    self.plan = plan
    // Of a run that crashed.
    if let lines = try? readFile(places.boots, limit: 1 << 14) { table.remember(lines, at: now) }
  }

  /// Readable when there is news; -1 while there is no server.
  var descriptor: Int32 { news?.descriptor.number ?? -1 }
}

/// One end of a pipe that can stand in an optional.
final class PipeEnd {
  let descriptor: Descriptor
  init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}

extension Node {
  /// Starts the boot server once this node is in, and again after it ended.
  func startBootServer(_ now: UInt64) {
    guard let boots, boots.kept.process == nil else { return }
    boots.kept.begin(at: now)
    let empty = places.run / "empty"
    let arguments = BootServiceArguments(
      card: boots.plan.interface, network: boots.plan.network, folder: boots.plan.folder, cluster: places.cluster,
      empty: empty)
    do throws(SystemError) {
      try makeDirectory(empty, permissions: 0o555)
      let orders = try Pipe()
      let news = try Pipe()
      var program = Program("/proc/self/exe", arguments: [[UInt8]("tyd-boot")] + arguments.words)
      program.input = orders.input.number
      program.output = news.output.number
      boots.kept.run(as: try program.start())
      boots.orders = PipeEnd(orders.keepingOutput())
      boots.news = PipeEnd(news.keepingInput())
    } catch {
      report.step(.failed, "pxe", error.text)
      return boots.kept.schedule(at: now)
    }
    boots.sent = []
    do throws(NetlinkSocketError) { try filter?.setServing(true) } catch {
      report.step(.failed, "pxe", [UInt8]("the packet filter: ") + error.text)
    }
    send(boots.table.boots.map { KnownAddress($0.hardware, $0.address) })
    sendKnownAddresses()
  }

  /// Nobody is booted from here any longer.
  func endBootServer() {
    guard let boots else { return }
    if let process = boots.kept.process {
      sendSignal(.kill, to: process)
      _ = waitForChild(process)
      report.note("pxe", [UInt8]("nobody boots from here any longer"))
    }
    removeFile(places.boots)
    try? filter?.setServing(false)
    self.boots = nil
  }

  /// Members keep the addresses that the cluster knows them by when they boot again.
  func sendKnownAddresses() {
    guard boots?.kept.process != nil else { return }
    var known: [KnownAddress] = []
    core.membership.forEach { record, _ in
      if record.mac != core.membership.ownMAC { known.append(KnownAddress(record.mac, record.addresses.primary)) }
    }
    send(known)
  }

  /// The pipe holds far more than a map of a network that one node can serve: a server that leaves it full has stopped reading.
  private func send(_ known: [KnownAddress]) {
    guard let boots, let orders = boots.orders else { return }
    var text: [UInt8] = []
    for one in known.prefix(BootTable.most) where !boots.sent.contains(one) {
      boots.sent.removeAll { $0.hardware == one.hardware }
      boots.sent.append(one)
      text += one.line
    }
    var sent = 0
    while sent < text.count {
      // Writable is a pipe with room for a page (pipe(7), PIPE_BUF): such a write does not wait.
      let part = [UInt8](text[sent...].prefix(4096))
      guard waitReady([Interest(orders.descriptor.number, .writable)], milliseconds: 0)[0].contains(.writable),
        let went = try? orders.descriptor.writeSome(part)
      else {
        // Its end is noticed by its output, like any other.
        if let process = boots.kept.process { sendSignal(.kill, to: process) }
        return
      }
      sent += went
    }
  }

  /// What the boot server needs now: to be started, or its table to be kept.
  func stepBoots(_ now: UInt64) {
    guard let boots else { return }
    if let due = boots.kept.dueAt, due <= now { startBootServer(now) }
    if let due = boots.saveDue, due <= now {
      boots.saveDue = nil
      try? replaceFile(places.boots, boots.table.known, permissions: 0o600)
    }
  }

  var bootsDue: UInt64? {
    guard let boots else { return nil }
    guard let save = boots.saveDue else { return boots.kept.dueAt }
    return min(save, boots.kept.dueAt ?? save)
  }

  func receiveBootNews(_ now: UInt64) {
    guard let boots, let news = boots.news else { return }
    guard let part = try? news.descriptor.read(upTo: 4096), !part.isEmpty else { return bootServerEnded(boots, now) }
    boots.line += part
    while let end = boots.line.firstIndex(of: UInt8(ascii: "\n")) {
      if let news = BootNews(line: [UInt8](boots.line[..<end])) { receive(news, boots, now) }
      boots.line.removeSubrange(...end)
    }
    if boots.line.count > 4096 { boots.line = [] }
  }

  private func receive(_ news: BootNews, _ boots: BootHost, _ now: UInt64) {
    if news == .ready {
      boots.isReady = true
      let network = boots.plan.network
      report.step(
        .ok, "pxe",
        [UInt8]("others may boot from here and get ") + network.first.text + [UInt8](" to ") + network.last.text)
    }
    if let text = boots.table.record(news, at: now) { report.note("pxe", text) }
    // Not for each lease: a flood of them would keep this node writing.
    if case .leased = news, boots.saveDue == nil { boots.saveDue = now &+ 1000 }
  }

  private func bootServerEnded(_ boots: BootHost, _ now: UInt64) {
    if let process = boots.kept.process {
      // One that only closed its output would have this node wait for ever.
      sendSignal(.kill, to: process)
      _ = waitForChild(process)
    }
    boots.kept.end()
    boots.isReady = false
    boots.orders = nil
    boots.news = nil
    boots.line = []
    report.step(.failed, "pxe", [UInt8]("the boot server ended; it is started again"))
    boots.kept.schedule(at: now)
  }

  // MARK: Status

  /// Nothing on a node that boots nobody.
  func bootsText(_ now: UInt64) -> [UInt8] {
    guard let boots else { return [] }
    let network = boots.plan.network
    var out = [UInt8]("boots    ") + decimalText(boots.table.completed) + [UInt8](" sent whole, from ")
    out +=
      boots.isReady ? network.first.text + [UInt8](" to ") + network.last.text : [UInt8]("nowhere: not serving now")
    out.append(UInt8(ascii: "\n"))
    for boot in boots.table.boots {
      out += [UInt8]("         ") + boot.hardware.text + [UInt8]("  ") + padded(boot.address.text, 17)
      if boot.file.isEmpty {
        out += [UInt8]("has its address")
      } else {
        out += boot.file + [UInt8](" ") + decimalText(boot.percent) + [UInt8](" %")
        if boot.isBroken { out += [UInt8](", stopped") }
      }
      out += [UInt8](", \((now &- boot.heard) / 1000) s ago\n")
    }
    return out
  }
}
