import Addresses
import Bytes
import ControlChannel
import DroneLayout
import Linux
import NodeCore
import Reporting
import TydCommand

/// A socket that can stand in a copyable value.
final class DatagramSocketBox {
  let socket: DatagramSocket
  init(_ socket: consuming DatagramSocket) { self.socket = socket }
  var descriptor: Int32 { socket.descriptor }
}

extension Node {
  /// Answers those who search for a member, from now on.
  func openDiscovery() throws(Failure) {
    do throws(SystemError) {
      let socket = try DatagramSocket(
        SocketAddress(.unspecified, port: ClusterPorts.discovery),
        transforms: command.isEncrypted ? .bypass : .asPoliciesSay)
      try socket.join(ClusterPorts.group, interface: interface.index)
      discovery = DatagramSocketBox(socket)
    } catch {
      // Nodes that know an address find this one all the same.
      report.step(.degraded, "discovery", error.text)
    }
  }

  func takeQuestions(_ now: UInt64) {
    for _ in 0..<16 {
      guard let datagram = try? discovery?.socket.receive(upTo: 128) else { return }
      // What did not come to the group may come from anywhere.
      guard datagram.interface == interface.index, datagram.destination == ClusterPorts.group else { continue }
      perform(core.receiveQuestion(datagram.bytes, from: datagram.sender.address, at: now), now)
    }
  }

  /// Asks once more whether a member is on this network.
  func search(_ question: [UInt8]) {
    do throws(SystemError) {
      if searching == nil {
        let socket = try DatagramSocket(
          SocketAddress(.unspecified, port: ClusterPorts.discoveryAnswer),
          transforms: command.isEncrypted ? .bypass : .asPoliciesSay)
        try socket.setMulticast(interface: interface.index, hops: 1, heardHere: false)
        searching = DatagramSocketBox(socket)
        filter?.setSearching(true)
        tellSearch([UInt8]("asking ") + ClusterPorts.group.text + [UInt8](" for a member"))
      }
      try searching?.socket.send(
        question, to: SocketAddress(ClusterPorts.group, port: ClusterPorts.discovery), from: interface.address,
        interface: interface.index)
    } catch {
      report.note("discovery", error.text)
    }
  }

  /// Only a node's first round is for the console.
  func tellSearch(_ detail: [UInt8]) {
    if core.joining?.isQuiet == false {
      report.step(.ok, "discovery", detail)
    } else {
      report.note("discovery", detail)
    }
  }

  func takeAnswers(_ now: UInt64) {
    for _ in 0..<16 {
      guard let searching, let datagram = try? searching.socket.receive(upTo: 128) else { return }
      // Nobody answers for another, nor from elsewhere than where the question went.
      guard datagram.interface == interface.index,
        case .answer(datagram.sender.address, _, _)? = Discovery(datagram.bytes)
      else { continue }
      perform(core.receiveAnswer(datagram.bytes, at: now), now)
    }
  }
}
