import Bytes
import Linux
import LocalOrders
import NodeCore
import TydCommand

// What `tyd --status` and its like say to the tyd that runs: one line of words over a local socket that only root can open,
// answered by a digit, the exit status, and text up to the socket's end.

/// Sends an order to the tyd that runs here, prints what it answers, and gives the exit status.
func send(_ order: TydCommand.Order) -> Int32 {
  switch ask(order) {
  case .done(let text):
    writeStandardOutput(text)
    return 0
  case .refused(let sentence): return fail(sentence)
  case .nobody:
    if order == .leave || order == .stop, forgetFormerRun() { return 0 }
    guard let sentence = try? readFile(Places().failure, limit: 4096) else { return fail("no tyd runs on this node.") }
    return fail([UInt8]("no tyd runs on this node; the last one ended: ") + sentence)
  }
}

/// A process that wants something of this node.
private final class LocalOrder {
  let socket: Descriptor
  let number: UInt32
  /// In the loop, until it is over.
  var source: Loop.Source?

  init(_ socket: consuming Descriptor, _ number: UInt32) {
    self.socket = socket
    self.number = number
  }
}

/// The local socket by which root orders, and what is answered.
final class OrderSocket {
  private let core: NodeCore
  private let listener: Descriptor
  private var orders: [LocalOrder] = []

  init(_ core: NodeCore, at path: Path) throws(SystemError) {
    self.core = core
    listener = try listenLocal(path)
  }

  func register(in loop: Loop, _ perform: @escaping ([NodeCommand], UInt64) -> Void) {
    loop.add({ [self] in core.takesOrders ? Interest(listener.number) : nil }) { [self] _, now in
      accept(now, in: loop, perform)
    }
  }

  private func accept(_ now: UInt64, in loop: Loop, _ perform: @escaping ([NodeCommand], UInt64) -> Void) {
    while core.takesOrders, let socket = try? acceptStream(listener) {
      guard let who = try? peerCredentials(of: socket), let number = core.receiveOrderer(user: who.user, at: now)
      else { continue }
      let order = LocalOrder(socket, number)
      orders.append(order)
      order.source = loop.add({ Interest(order.socket.number) }) { [self] _, now in
        guard let part = receive(order) else { return }
        perform(core.receive(part, fromOrder: order.number, at: now), now)
      }
    }
  }

  /// Nil while nothing has come.
  private func receive(_ order: LocalOrder) -> [UInt8]? {
    do throws(SystemError) { return try order.socket.receiveSome(upTo: 512) } catch { return [] }
  }

  /// Whoever asked reads at once; one that does not must not hold up the node for longer than a moment.
  func reply(_ answer: OrderAnswer, to number: UInt32) {
    guard let order = orders.first(where: { $0.number == number }) else { return }
    let bytes = answer.bytes
    var sent = 0
    while sent < bytes.count {
      guard let went = try? order.socket.sendSome(bytes, from: sent) else { return }
      sent += went
      if went == 0, !waitWritable(order.socket.number, milliseconds: 200) { return }
    }
  }

  func end(_ number: UInt32) {
    guard let place = orders.firstIndex(where: { $0.number == number }) else { return }
    let order = orders.remove(at: place)
    order.source?.end()
    order.source = nil
  }
}
