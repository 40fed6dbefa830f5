import Addresses
import DroneLayout
import Bytes
import ClusterView
import ControlChannel
import HTTP
import Jobs
import Linux
import Membership
import Metrics
import NodeCore
import SecureChannel
import MachineReadings
import Surveys
import Tunnels
import TydCommand

/// Answers programs that ask for metrics: a small part of HTTP, which never holds up the node.
final class MetricsServer {
  let listener: Descriptor
  private let isForThisComputer: Bool
  private(set) var calls: [MetricsCall] = []
  /// What was answered last, and until when it is answered again: to write of a thousand nodes takes an old processor a while.
  private var kept: (text: [UInt8], until: UInt64)?

  /// More callers wait to be accepted.
  private static let mostCalls = 8
  /// For the request and for the answer, in milliseconds.
  fileprivate static let patience: UInt64 = 5000
  /// In milliseconds.
  private static let freshness: UInt64 = 1000

  init(_ endpoint: TydCommand.Endpoint) throws(Failure) {
    isForThisComputer = endpoint.isLoopback
    do throws(SystemError) {
      listener = try listenStream(on: SocketAddress(endpoint.address, port: endpoint.port), backlog: 8)
    } catch {
      throw Failure(
        [UInt8]("metrics cannot be served at ") + endpoint.address.text + [UInt8](":") + decimalText(endpoint.port)
          + [UInt8](": ") + error.text)
    }
  }

  /// Answers whoever asks with what `text` gives.
  func register(in loop: Loop, _ text: @escaping () -> [UInt8]) {
    loop.add({ [self] in calls.count < MetricsServer.mostCalls ? Interest(listener.number) : nil }) {
      [self] _, now in accept(now, in: loop, text)
    }
  }

  /// What `text` gave within the last second, or gives now.
  func freshText(_ now: UInt64, _ text: () -> [UInt8]) -> [UInt8] {
    if let kept, now < kept.until { return kept.text }
    let new = text()
    kept = (new, now &+ MetricsServer.freshness)
    return new
  }

  private func accept(_ now: UInt64, in loop: Loop, _ text: @escaping () -> [UInt8]) {
    while calls.count < MetricsServer.mostCalls, let socket = try? acceptStream(listener) {
      let call = MetricsCall(socket, isForThisComputer, deadline: now &+ MetricsServer.patience)
      calls.append(call)
      call.source = loop.add(
        { Interest(call.socket.number, call.interest) },
        isReady: { [self] _, now in
          call.advance(now) { freshText(now, text) }
          forget(call)
        }, due: { call.deadline },
        isDue: { [self] now in
          call.expire(now)
          forget(call)
        })
    }
  }

  private func forget(_ call: MetricsCall) {
    guard call.isOver else { return }
    call.source?.end()
    call.source = nil
    calls.removeAll { $0 === call }
  }
}

/// One program that asks.
final class MetricsCall {
  let socket: Descriptor
  private let isForThisComputer: Bool
  private(set) var deadline: UInt64
  private(set) var isOver = false
  /// In the loop, until it is over.
  fileprivate var source: Loop.Source?
  private var request: [UInt8] = []
  private var answer: [UInt8] = []
  private var sent = 0
  /// What still comes is read and thrown away, so that the answer is not: closing with bytes unread resets a connection.
  private var isRefused = false

  init(_ socket: consuming Descriptor, _ isForThisComputer: Bool, deadline: UInt64) {
    self.socket = socket
    self.isForThisComputer = isForThisComputer
    self.deadline = deadline
  }

  var interest: Readiness { sent < answer.count ? .writable : .readable }

  /// Does what can be done without waiting; `text` gives the metrics.
  func advance(_ now: UInt64, _ text: () -> [UInt8]) {
    do throws(SystemError) {
      if answer.isEmpty {
        guard let part = try socket.receiveSome(upTo: 1024) else { return }
        if part.isEmpty { return isOver = true }
        request += part
        switch HTTPRequest(request, isForThisComputer: isForThisComputer) {
        case .incomplete: return
        case .get(let path, let isHead) where path.spells("/metrics"):
          answer = HTTPAnswer.whole(text(), type: ClusterMetrics.mediaType, isHead: isHead)
        case .get(_, let isHead): answer = HTTPAnswer.refusal(.notFound, isHead: isHead)
        case .refused(let status, let isHead): refuse(status, isHead: isHead)
        }
        request = []
        deadline = now &+ MetricsServer.patience
      } else if sent == answer.count {
        if try socket.receiveSome(upTo: 16 << 10)?.isEmpty == true { isOver = true }
        return
      }
      try send()
    } catch {
      isOver = true
    }
  }

  private func refuse(_ status: HTTPStatus, isHead: Bool = false) {
    answer = HTTPAnswer.refusal(status, isHead: isHead)
    isRefused = true
  }

  private func send() throws(SystemError) {
    // A bound for each turn, so that a large cluster's answer does not hold up the node.
    for _ in 0..<16 where sent < answer.count {
      let went = try socket.sendSome(answer, from: sent)
      if went == 0 { return }
      sent += went
    }
    if sent == answer.count && !isRefused { isOver = true }
  }

  fileprivate func expire(_ now: UInt64) {
    guard answer.isEmpty else { return isOver = true }
    refuse(.tooSlow)
    deadline = now &+ 1000
    do throws(SystemError) { try send() } catch { isOver = true }
  }
}

extension NodeView {
  /// What this node knows, in the form in which it is asked for.
  var metricsText: [UInt8] {
    var metrics = ClusterMetrics()
    metrics.nodes = table.nodes
    metrics.id = core.membership.ownID
    metrics.version = SoftwareVersion.current.text
    metrics.cluster = hexadecimalText(credential.authority.fingerprint.bytes)
    metrics.isEncrypted = isEncrypted
    metrics.tunnels = UInt64(clamping: core.peers.tunnels.established)
    metrics.rekeys = core.peers.tunnels.renewed
    metrics.negotiations = [
      ClusterMetrics.Count("completed", core.peers.tunnels.completed),
      ClusterMetrics.Count("failed", core.peers.tunnels.failed),
    ]
    metrics.refused = core.refusals.all.map { ClusterMetrics.Count($0.name, UInt64($0.count)) }
    let counters = core.membership.counters
    metrics.datagrams.append(ClusterMetrics.Count("sent", UInt64(counters.sent)))
    metrics.datagrams.append(ClusterMetrics.Count("received", UInt64(counters.received)))
    metrics.datagrams.append(ClusterMetrics.Count("malformed", UInt64(counters.malformed)))
    metrics.datagrams.append(ClusterMetrics.Count("foreign", UInt64(counters.foreign)))
    metrics.datagrams.append(ClusterMetrics.Count("forbidden", UInt64(counters.forbidden)))
    metrics.surveys.append(ClusterMetrics.Count("answered", UInt64(core.surveys.answered)))
    metrics.surveys.append(ClusterMetrics.Count("refused", UInt64(core.surveys.allowance.refused)))
    if let text = try? readFile(WorkPlaces().counts, limit: 4096) { metrics.add(WorkCounts(text)) }
    return metrics.text
  }
}

extension ClusterMetrics {
  fileprivate mutating func add(_ work: WorkCounts) {
    jobs = [Count("elsewhere", work[.elsewhere]), Count("here", work[.here])]
    startedJobs = [Count("given", work[.given]), Count("taken", work[.taken]), Count("refused", work[.refused])]
    sessions = [Count("served", work[.served]), Count("mounted", work[.mounted])]
    fileBytes = [Count("read", work[.read]), Count("written", work[.written])]
  }
}
