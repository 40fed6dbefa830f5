import Addresses
import Bytes
import Jobs
import Linux
import NFS

/// What mosd does for the users of its own node: finds a node for a job, and shows that node the user's files while the job runs.
final class HomeSide {
  private let loop: Loop
  private let worker: Worker
  private var clients: [Client] = []
  private var sessions: [FileSession] = []
  private(set) var counts = WorkCounts()
  /// Jobs that were put on a node lately, by its address.
  private var placed: [(address: IPv4Address, at: UInt64)] = []

  /// Users' processes that wait at once.
  private static let mostClients = 1024
  /// Those of one user who is not root.
  private static let mostOfOne = 512
  /// For so long, in milliseconds, a node's told load does not show a job.
  private static let loadLag: UInt64 = 10_000
  /// How long a session stays after its last job, in milliseconds.
  private static let idleTime: UInt64 = 600_000

  /// Process ids of callers that this mosd cannot see stand for nobody: theirs are counted from here.
  private var nextUnseen: UInt32 = 1 << 31

  init(_ loop: Loop, _ worker: Worker) {
    self.loop = loop
    self.worker = worker
  }

  var placedLately: [IPv4Address] { placed.map { $0.address } }

  /// Whose jobs they are that this process of this node waits for, or waited for before its number was another's.
  func owners(ofJob process: UInt32) -> [Identity] {
    clients.filter { $0.process == process && $0.session != nil }.map { $0.identity }
  }

  var isBusy: Bool { !clients.isEmpty }

  /// Its part of what mosd counts.
  func add(to counts: inout WorkCounts) {
    for kind in [WorkCounts.Kind.given, .read, .written] { counts[kind] = self.counts[kind] }
    counts[.elsewhere] = UInt64(clamping: clients.count { $0.session != nil })
    counts[.served] = UInt64(clamping: sessions.count)
  }

  // MARK: Users

  /// Somebody of this node wants to run something: a process of its own looks for a place.
  func receive(_ socket: consuming Descriptor, _ now: UInt64) {
    guard clients.count < HomeSide.mostClients, let who = try? peerCredentials(of: socket),
      who.user == 0 || clients.count(where: { $0.identity.user == who.user }) < HomeSide.mostOfOne,
      let groups = try? peerGroups(of: socket), let pair = try? SocketPair()
    else { return }
    let identity = Identity(user: who.user, group: who.group, groups: groups)
    let client = Client(socket, identity, process: who.process > 0 ? UInt32(who.process) : unseenProcess())
    placed.removeAll { $0.at &+ HomeSide.loadLag < now }
    worker.hearKeepers()
    do throws(SystemError) {
      switch try forkProcess() {
      case .child:
        let caller = LocalCaller(
          client.socket, identity, process: client.process, asking: OpenSocket(pair.keepingOther()))
        LocalCall(caller: caller, home: self, worker: worker).run()
      case .parent(let child):
        client.search = child
        client.questions = OpenSocket(pair.keepingOwn())
      }
    } catch {
      return
    }
    clients.append(client)
    // While its search runs, that reads. Then it says nothing more: what can be read is its end.
    client.source = loop.add({ client.search == nil ? Interest(client.socket.descriptor.number) : nil }) {
      [self] _, now in
      end(client, now)
    }
    client.questionSource = loop.add({ client.questions.map { Interest($0.descriptor.number) } }) { [self] _, now in
      answer(client, now)
    }
  }

  private func unseenProcess() -> UInt32 {
    nextUnseen = nextUnseen == .max ? 1 << 31 : nextUnseen + 1
    return nextUnseen
  }

  private func answer(_ client: Client, _ now: UInt64) {
    guard let socket = client.questions,
      let bytes = (try? socket.descriptor.read(upTo: JobAsk.largest)), !bytes.isEmpty
    else {
      client.questions = nil
      client.questionSource?.end()
      return
    }
    switch MosdQuestion(bytes) {
    case .limit(let slots)?:
      let jobs = UInt16(clamping: worker.limit(to: Int(slots)))
      _ = try? socket.descriptor.sendSome([UInt8(jobs >> 8), UInt8(jobs & 0xFF)])
    case .session(let wish)?: give(client, wish, socket, now)
    case nil: _ = try? socket.descriptor.sendSome([0])
    }
  }

  private func give(_ client: Client, _ wish: SessionWish, _ socket: OpenSocket, _ now: UInt64) {
    guard let session = session(for: client.identity, at: wish.address),
      wish.trees.allSatisfy({ session.offer($0) })
    else {
      _ = try? socket.descriptor.sendSome([0])
      return
    }
    // One whose node went before it heard what to run is counted already.
    if client.session == nil { counts[.given] += 1 }
    leave(client, now)
    session.jobs += 1
    client.session = session
    placed.append((wish.address, now))
    var place = session.secret.bytes
    place.append(networkOrder: session.port)
    _ = try? socket.descriptor.sendSome(place)
  }

  private func leave(_ client: Client, _ now: UInt64) {
    guard let session = client.session else { return }
    session.jobs -= 1
    if session.jobs == 0 { session.idleSince = now }
    client.session = nil
  }

  private func end(_ client: Client, _ now: UInt64) {
    leave(client, now)
    client.end()
    clients.removeAll { $0 === client }
  }

  /// A process that has ended: a search, or a session's server.
  func collect(_ process: Int32, _ now: UInt64) {
    for client in clients where client.search == process {
      client.search = nil
      // One that went away meanwhile, or was refused, is over.
      if client.session == nil { end(client, now) }
    }
    for session in sessions where session.process == process { session.stopListening() }
    sessions.removeAll { $0.process == process }
  }

  /// Tells whoever waits for a job on a node that is dead.
  func follow(_ dead: Set<UInt32>) {
    for client in clients {
      guard let session = client.session, dead.contains(session.address.bits), !client.isTold else { continue }
      client.isTold = true
      _ = try? client.socket.descriptor.sendSome(lengthPrefixed(JobAnswer.lost.bytes))
    }
  }

  // MARK: Sessions

  private func session(for identity: Identity, at address: IPv4Address) -> FileSession? {
    if let session = sessions.first(where: { $0.identity == identity && $0.address == address }) { return session }
    guard let session = FileSession(identity, address) else { return nil }
    sessions.append(session)
    session.source = loop.add({ session.isOver ? nil : Interest(session.number) }) { [self] _, _ in
      guard let news = session.news() else { return session.stopListening() }
      counts[.read] &+= news.read
      counts[.written] &+= news.written
    }
    return session
  }

  var due: UInt64? {
    sessions.compactMap { $0.jobs == 0 ? $0.idleSince &+ HomeSide.idleTime : nil }.min()
  }

  func step(_ now: UInt64) {
    for session in sessions where isOver(session, now) { session.end() }
    sessions.removeAll { isOver($0, now) }
  }

  private func isOver(_ session: FileSession, _ now: UInt64) -> Bool {
    session.jobs == 0 && session.idleSince &+ HomeSide.idleTime <= now
  }

  /// A user's process that waits for its job.
  private final class Client {
    let socket: OpenSocket
    let identity: Identity
    let process: UInt32
    var search: Int32?
    var questions: OpenSocket?
    var session: FileSession?
    var isTold = false
    var source: Loop.Source?
    var questionSource: Loop.Source?

    init(_ socket: consuming Descriptor, _ identity: Identity, process: UInt32) {
      self.socket = OpenSocket(socket)
      self.identity = identity
      self.process = process
    }

    func end() {
      source?.end()
      questionSource?.end()
      source = nil
      questionSource = nil
    }
  }
}

/// A session of a user's with a node, and the folders that it may write below.
struct SessionWish {
  let address: IPv4Address
  let trees: [[UInt8]]

  init(address: IPv4Address, trees: [[UInt8]]) {
    self.address = address
    self.trees = trees
  }

  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 4 else { return nil }
    address = IPv4Address(bits: UInt32(networkOrder: bytes[..<4]))
    trees = bytes[4...].split(separator: 0).map { [UInt8]($0) }
  }

  /// Paths hold no zero byte.
  var bytes: [UInt8] {
    var out: [UInt8] = []
    out.append(networkOrder: address.bits)
    for tree in trees { out += tree + [0] }
    return out
  }
}
