import Addresses
import Bytes
import ClusterView
import Jobs
import Linux
import ProcessControl

let notInCluster: StaticString = "this node is in no cluster: `tyd` starts one, `tyd -m ADDRESS` joins one."

/// A process of this node that wants something of its mosd.
struct LocalCaller {
  let stream: MessageStream
  let identity: Identity
  /// What its jobs are called by.
  let process: UInt32
  private let questions: MessageStream

  init(_ socket: OpenSocket, _ identity: Identity, process: UInt32, asking questions: OpenSocket) {
    stream = MessageStream(socket)
    self.identity = identity
    self.process = process
    self.questions = MessageStream(questions)
  }

  /// What mosd itself answers, which knows what has changed since this process began; nil if it does not.
  func ask(_ question: MosdQuestion) -> [UInt8]? {
    guard questions.send(question.bytes),
      waitReadable([questions.held.descriptor.number], milliseconds: 5000).first == true
    else { return nil }
    return try? questions.held.descriptor.read(upTo: 64)
  }

  /// The lock of the process file is among what others hold.
  func closeOthers() { closeDescriptors(but: [stream.held.descriptor.number, questions.held.descriptor.number]) }
}

/// Hears and answers one local process, in a process of its own: it may wait for tyd and for other nodes. Of mosd it knows what was
/// so when it began.
struct LocalCall {
  let caller: LocalCaller
  let home: HomeSide
  let worker: Worker

  /// How long another node has to tell its jobs, in milliseconds.
  private static let patience = 10_000
  /// So many are asked at once: silent ones hold up nobody else.
  private static let mostAsked = 8

  func run() -> Never {
    caller.closeOthers()
    guard let bytes = caller.stream.receiveMessage(limit: WorkWish.largest, milliseconds: 5000),
      let wish = try? WorkWish(bytes)
    else { endProcess(1) }
    switch wish {
    case .place(let ask): PlaceSearch(caller: caller, placed: home.placedLately).run(ask)
    case .jobs: tellJobs()
    case .signal(let signal, let name): answer(sendSignal(signal, to: name))
    case .limit(let slots): answer(limit(to: slots))
    }
    endProcess(0)
  }

  private func answer(_ answer: WorkAnswer) { _ = caller.stream.sendMessage(answer.bytes) }

  private func refused(_ sentence: StaticString) -> WorkAnswer { .refused([UInt8](sentence)) }

  // MARK: Who runs what

  private func tellJobs() {
    if let nodes = liveNodes(), let own = nodes.first(where: { $0.isOwn }) {
      var rest = nodes[...]
      var asked: [(node: UInt16, question: WorkProcess?)] = []
      while true {
        while asked.count < LocalCall.mostAsked, let node = rest.popFirst() {
          asked.append((node.id, try? WorkProcess(hasErrorApart: false) { listJobs(of: node, own) }))
        }
        guard !asked.isEmpty else { break }
        let (node, question) = asked.removeFirst()
        let list = question.flatMap { try? JobList($0.everything(upTo: JobList.largest)) }
        guard caller.stream.sendMessage(NodeJobs(node: node, list: list).bytes) else { return }
      }
    }
    _ = caller.stream.sendMessage([])
  }

  /// Writes a node's jobs to standard output.
  private func listJobs(of node: ClusterTable.Node, _ own: ClusterTable.Node) -> Int32 {
    guard !node.isOwn else {
      writeStandardOutput(JobList(jobs: worker.records()).bytes)
      return 0
    }
    guard let connection = try? NodeConnection(to: node, from: own, patience: LocalCall.patience),
      let list = connection.jobs(within: LocalCall.patience)
    else { return 1 }
    writeStandardOutput(list.bytes)
    return 0
  }

  // MARK: Orders

  private func sendSignal(_ signal: UInt8, to name: JobName) -> WorkAnswer {
    // The process that waits for a job of this node's passes it on.
    let owners = home.owners(ofJob: name.process)
    if !owners.isEmpty, liveNodes()?.first(where: { $0.isOwn })?.id == name.home {
      let caller = caller.identity.user
      guard let owner = owners.first(where: { caller == 0 || caller == $0.user }) else {
        return refused("it is another user's; its own and root may.")
      }
      // With its user's rights: that process id may be somebody else's by now.
      guard (try? become(owner)) != nil, signalProcess(name.process, signal) else {
        return refused("the process that waits for it is gone.")
      }
      return .done(jobs: 1)
    }
    guard worker.records().contains(where: { $0.name == name }) else {
      return .refused(
        [UInt8]("it does not run here, and no process of this node waits for it: end it on its home node ")
          + idText(name.home) + [UInt8](", or on the node that mps shows."))
    }
    guard caller.identity.user == 0 else {
      return refused("it is another node's: root may end it here, and its user on its home node.")
    }
    return worker.signal(signal, name) ? .done(jobs: 1) : refused("it has just ended.")
  }

  private func limit(to slots: UInt16) -> WorkAnswer {
    guard caller.identity.user == 0 else { return refused("only root says how many jobs this node runs.") }
    guard worker.canRun || slots == 0 else {
      return refused("mosd was started with --work off, and takes no jobs until it is started anew without.")
    }
    guard let answer = caller.ask(.limit(slots)), answer.count == 2 else { return refused("mosd does not answer.") }
    return .done(jobs: UInt16(networkOrder: answer))
  }
}

/// What the process of a call asks its mosd.
enum MosdQuestion {
  /// The secret and the port of a session. Empty if there can be none.
  case session(SessionWish)
  /// No more than so many jobs of others at once: how many there are.
  case limit(UInt16)

  init?(_ bytes: [UInt8]) {
    switch bytes.first {
    case 0:
      guard let wish = SessionWish([UInt8](bytes.dropFirst())) else { return nil }
      self = .session(wish)
    case 1 where bytes.count == 3: self = .limit(UInt16(networkOrder: bytes[1...]))
    default: return nil
    }
  }

  var bytes: [UInt8] {
    switch self {
    case .session(let wish): [0] + wish.bytes
    case .limit(let slots): [1, UInt8(slots >> 8), UInt8(slots & 0xFF)]
    }
  }
}
