import Addresses
import Bytes
import FileService
import Jobs
import Linux
import NFS
import ProcessControl

/// A user's files as one other node sees them while it runs that user's work: a process that has the user's rights and no more.
final class FileSession {
  let identity: Identity
  /// The node that it is for.
  let address: IPv4Address
  let secret: SessionSecret
  let process: Int32
  /// Where its server listens. Each has a port of its own: the kernel's client has one connection to a port for all mounts.
  let port: UInt16
  var jobs = 0
  var idleSince: UInt64 = 0
  /// While its server is heard.
  var source: Loop.Source?
  private(set) var isOver = false
  private let control: Descriptor
  private var offered: [[UInt8]] = []

  /// Nil when there is no process, or no chance, to be had.
  init?(_ identity: Identity, _ address: IPv4Address) {
    guard let random = randomBytes(SessionSecret.count, wait: true), let secret = SessionSecret(random),
      let listener = try? listenStream(on: SocketAddress(.unspecified, port: 0)),
      let port = localAddress(of: listener)?.port, let pair = try? SocketPair(), let side = try? forkProcess()
    else { return nil }
    self.identity = identity
    self.address = address
    self.secret = secret
    self.port = port
    switch side {
    case .child: serveFiles(secret, identity, to: address, listener, orders: pair.keepingOther())
    case .parent(let child):
      process = child
      control = pair.keepingOwn()
      // The server's process is its user's, who may stop it: nobody waits for it.
      control.setWaiting(false)
    }
  }

  /// A session shows no more folders.
  private static let mostTrees = 256

  /// Lets the node write below a folder as well; false when that cannot be.
  func offer(_ tree: [UInt8]) -> Bool {
    if offered.contains(tree) { return true }
    guard tree.count < longestPath, offered.count < FileSession.mostTrees, let went = try? control.sendSome(tree),
      went == tree.count
    else { return false }
    offered.append(tree)
    return true
  }

  /// For what its server tells.
  var number: Int32 { control.number }

  /// The bytes that were read of its files and written to them since it told so last; nil when its server has ended.
  func news() -> (read: UInt64, written: UInt64)? {
    guard let bytes = try? control.read(upTo: 64), bytes.count == 16 else { return nil }
    return (UInt64(networkOrder: bytes[..<8]), UInt64(networkOrder: bytes[8...]))
  }

  func stopListening() {
    isOver = true
    source?.end()
    source = nil
  }

  func end() { sendSignal(.kill, to: process) }
}

/// The server's process: root's no longer, it holds the orders, its connections and the user's files.
private func serveFiles(
  _ secret: SessionSecret, _ identity: Identity, to node: IPv4Address, _ listener: consuming Descriptor,
  orders: consuming Descriptor
) -> Never {
  closeDescriptors(but: [orders.number, listener.number])
  setProcessName([UInt8]("mosd-files"))
  FileServer.prepareProcess()
  do throws(SystemError) { try become(identity) } catch { endProcess(1) }
  leaveSession()
  guard let verifier = randomBytes(8, wait: true) else { endProcess(1) }
  FileServerLoop(
    FileServer(secret: secret, verifier: UInt64(networkOrder: verifier)), for: node, listener, orders
  ).run()
}

/// Takes calls and gives replies, connection by connection.
private final class FileServerLoop {
  private let server: FileServer
  private let node: IPv4Address
  private let listener: Descriptor
  private let orders: Descriptor
  private var connections: [Connection] = []
  private var isOrphan = false
  /// What mosd knows of the server's counters.
  private var told: (read: UInt64, written: UInt64) = (0, 0)

  /// A node's kernel has two for each session, and new ones after a cut.
  private static let mostConnections = 64
  /// How long it waits for its node's kernel to come back when nobody else would end it, in milliseconds.
  private static let orphanTime: UInt64 = 60_000
  /// More replies than so many bytes do not wait for one connection.
  private static let mostReplies = 4 << 20

  private final class Connection {
    let socket: OpenSocket
    var records = RecordReader()
    var replies: [UInt8] = []
    var sent = 0
    var isOver = false

    init(_ socket: OpenSocket) {
      self.socket = socket
      socket.descriptor.setWaiting(false)
    }
  }

  init(
    _ server: FileServer, for node: IPv4Address, _ listener: consuming Descriptor, _ orders: consuming Descriptor
  ) {
    self.server = server
    self.node = node
    self.listener = listener
    self.orders = orders
    self.orders.setWaiting(false)
    try? server.offer(.system)
  }

  func run() -> Never {
    var nextSweep = millisecondsSinceStart() &+ 1000
    var lastConnected = millisecondsSinceStart()
    while true {
      var interests = [Interest(isOrphan ? -1 : orders.number), Interest(listener.number)]
      for connection in connections {
        // Whoever does not read gets no more to read.
        interests.append(
          Interest(connection.socket.descriptor.number, connection.replies.isEmpty ? .readable : .writable))
      }
      let ready = waitReady(interests, milliseconds: 1000)
      for (connection, ready) in zip(connections, ready.dropFirst(2)) where !ready.isEmpty { step(connection) }
      connections.removeAll { $0.isOver }
      if !ready[0].isEmpty { takeOrder() }
      if !ready[1].isEmpty { accept() }
      let now = millisecondsSinceStart()
      if now >= nextSweep {
        nextSweep = now &+ 1000
        server.sweep()
        if !isOrphan { tellCounters() }
      }
      if !connections.isEmpty { lastConnected = now }
      if isOrphan, lastConnected &+ FileServerLoop.orphanTime < now { endProcess(0) }
    }
  }

  private func tellCounters() {
    let counters = server.counters
    guard (counters.bytesRead, counters.bytesWritten) != told else { return }
    var news: [UInt8] = []
    news.append(networkOrder: counters.bytesRead &- told.read)
    news.append(networkOrder: counters.bytesWritten &- told.written)
    // A mosd that is busy hears the sum the next time.
    guard let went = try? orders.sendSome(news), went == news.count else { return }
    told = (counters.bytesRead, counters.bytesWritten)
  }

  /// A folder that the node may write below from now on.
  private func takeOrder() {
    let tree = try? orders.read(upTo: longestPath)
    guard let tree, !tree.isEmpty else {
      // mosd has ended, and perhaps another one has begun: jobs that run keep their files.
      isOrphan = true
      return
    }
    try? server.offer(Tree(path: tree, isReadOnly: false))
  }

  /// Only that node's kernel is let in; its users have no port below 1024.
  private func accept() {
    guard let socket = (try? acceptStream(listener)) ?? nil else { return }
    guard let peer = peerAddress(of: socket), peer.address == node, peer.port < 1024,
      connections.count < FileServerLoop.mostConnections
    else { return }
    connections.append(Connection(OpenSocket(socket)))
  }

  private func step(_ connection: Connection) {
    if !connection.replies.isEmpty {
      flush(connection)
      // What had come already and had to wait.
      if connection.replies.isEmpty { serve(connection, []) }
      return
    }
    do throws(SystemError) {
      guard let part = try connection.socket.descriptor.receiveSome(upTo: 256 << 10) else { return }
      if part.isEmpty { connection.isOver = true } else { serve(connection, part) }
    } catch {
      connection.isOver = true
    }
  }

  private func serve(_ connection: Connection, _ part: [UInt8]) {
    connection.records.add(part)
    do throws(RecordError) {
      while connection.replies.count < FileServerLoop.mostReplies, let record = try connection.records.next() {
        guard let reply = server.answer(record) else {
          connection.isOver = true
          return
        }
        connection.replies += reply
      }
    } catch {
      connection.isOver = true
      return
    }
    flush(connection)
  }

  private func flush(_ connection: Connection) {
    while connection.sent < connection.replies.count {
      guard let went = try? connection.socket.descriptor.sendSome(connection.replies, from: connection.sent) else {
        connection.isOver = true
        return
      }
      if went == 0 { return }
      connection.sent += went
    }
    connection.replies = []
    connection.sent = 0
  }
}
