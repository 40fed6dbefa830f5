import Addresses
import Bytes
import ControlChannel
import DroneLayout
import Linux
import NodeCore
import Reporting

/// A socket that can stand in a copyable value.
final class DatagramSocketBox {
  let socket: DatagramSocket
  init(_ socket: consuming DatagramSocket) { self.socket = socket }
  var descriptor: Int32 { socket.descriptor }
}

/// How nodes on one network find each other: answers those who search for a member, and searches for one itself.
final class Search {
  private let core: NodeCore
  private let kernel: Kernel
  private let report: Report
  private let use: TransformUse
  /// The card.
  private var interface: ClusterInterface
  /// Hears questions; nil when it cannot.
  private var questions: DatagramSocketBox?
  /// Hears answers while this node searches.
  private var answers: DatagramSocketBox?

  init(_ core: NodeCore, _ kernel: Kernel, _ report: Report, on interface: ClusterInterface, _ use: TransformUse) {
    self.core = core
    self.kernel = kernel
    self.report = report
    self.interface = interface
    self.use = use
  }

  func register(in loop: Loop, _ perform: @escaping ([NodeCommand], UInt64) -> Void) {
    loop.add({ [self] in questions.map { Interest($0.descriptor) } }) { [self] _, now in takeQuestions(now, perform) }
    loop.add({ [self] in answers.map { Interest($0.descriptor) } }) { [self] _, now in takeAnswers(now, perform) }
  }

  // MARK: Others' searches

  /// Answers those who search for a member, from now on.
  func open() {
    do throws(SystemError) {
      let socket = try DatagramSocket(SocketAddress(.unspecified, port: ClusterPorts.discovery), transforms: use)
      try socket.join(ClusterPorts.group, interface: interface.index)
      questions = DatagramSocketBox(socket)
    } catch {
      // Nodes that know an address find this one all the same.
      report.step(.degraded, "discovery", error.text)
    }
  }

  /// Another card, or address, is this node's.
  func follow(_ interface: ClusterInterface) {
    let isAnotherCard = interface.index != self.interface.index
    self.interface = interface
    guard isAnotherCard else { return }
    questions = nil
    open()
  }

  func close() { questions = nil }

  private func takeQuestions(_ now: UInt64, _ perform: ([NodeCommand], UInt64) -> Void) {
    for _ in 0..<16 {
      guard let datagram = try? questions?.socket.receive(upTo: 128) else { return }
      // What did not come to the group may come from anywhere.
      guard datagram.interface == interface.index, datagram.destination == ClusterPorts.group else { continue }
      perform(core.receiveQuestion(datagram.bytes, from: datagram.sender.address, at: now), now)
    }
  }

  func answer(_ bytes: [UInt8], to asker: IPv4Address) {
    try? questions?.socket.send(
      bytes, to: SocketAddress(asker, port: ClusterPorts.discoveryAnswer), from: interface.address)
  }

  // MARK: This node's own

  /// Asks once more whether a member is on this network.
  func ask(_ question: [UInt8]) {
    do throws(SystemError) {
      if answers == nil {
        let socket = try DatagramSocket(
          SocketAddress(.unspecified, port: ClusterPorts.discoveryAnswer), transforms: use)
        try socket.setMulticast(interface: interface.index, hops: 1, heardHere: false)
        answers = DatagramSocketBox(socket)
        kernel.setSearching(true)
        tell([UInt8]("asking ") + ClusterPorts.group.text + [UInt8](" for a member"))
      }
      try answers?.socket.send(
        question, to: SocketAddress(ClusterPorts.group, port: ClusterPorts.discovery), from: interface.address,
        interface: interface.index)
    } catch {
      report.note("discovery", error.text)
    }
  }

  /// This node is in.
  func end() {
    answers = nil
    kernel.setSearching(false)
  }

  /// Only a node's first round is for the console.
  func tell(_ detail: [UInt8]) {
    if core.joining?.isQuiet == false {
      report.step(.ok, "discovery", detail)
    } else {
      report.note("discovery", detail)
    }
  }

  private func takeAnswers(_ now: UInt64, _ perform: ([NodeCommand], UInt64) -> Void) {
    for _ in 0..<16 {
      guard let answers, let datagram = try? answers.socket.receive(upTo: 128) else { return }
      // Nobody answers from elsewhere than where the question went.
      guard datagram.interface == interface.index else { continue }
      perform(core.receiveAnswer(datagram.bytes, from: datagram.sender.address, at: now), now)
    }
  }
}
