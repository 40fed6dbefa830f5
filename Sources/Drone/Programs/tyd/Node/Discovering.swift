import DroneLayout
import Addresses
import Bytes
import ControlChannel
import Linux
import Membership
import Reporting
import SecureChannel
import Tunnels
import TydCommand

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

  func answerQuestions() {
    for _ in 0..<16 {
      guard let datagram = try? discovery?.socket.receive(upTo: 128) else { return }
      // Whoever is not in itself has nothing to offer; other clusters' questions are not this one's. What did not come to the
      // group may come from anywhere.
      guard joining == nil, datagram.interface == interface.index, datagram.destination == ClusterPorts.group,
        let question = Discovery(datagram.bytes),
        question.isAnswered(by: credential.clusterFingerprint, canCertify: admission.canCertify),
        answers.admits(at: millisecondsSinceStart())
      else { continue }
      let answer = Discovery.answer(
        address: interface.address, port: ClusterPorts.control, cluster: credential.clusterFingerprint)
      try? discovery?.socket.send(
        answer.encoded, to: SocketAddress(datagram.sender.address, port: ClusterPorts.discoveryAnswer),
        from: interface.address)
    }
  }

  /// Asks once more whether a member is on this network.
  func search(_ now: UInt64) {
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
      let cluster = credential.clusterFingerprint
      let question: Discovery = credential.isMember ? .question(cluster: cluster) : .admission(cluster: cluster)
      try searching?.socket.send(
        question.encoded,
        to: SocketAddress(ClusterPorts.group, port: ClusterPorts.discovery), from: interface.address,
        interface: interface.index)
    } catch {
      report.note("discovery", error.text)
    }
  }

  /// Only a node's first round is for the console.
  private func tellSearch(_ detail: [UInt8]) {
    if joining?.isQuiet == false { report.step(.ok, "discovery", detail) } else { report.note("discovery", detail) }
  }

  /// A member has answered.
  func endSearch(_ address: IPv4Address) {
    tellSearch(address.text + [UInt8](" answered"))
    searching = nil
    filter?.setSearching(false)
  }

  func takeDiscoveryAnswers(_ now: UInt64) {
    for _ in 0..<16 {
      guard let searching, let datagram = try? searching.socket.receive(upTo: 128) else { return }
      guard case .answer(let address, let port, let cluster)? = Discovery(datagram.bytes),
        cluster == credential.clusterFingerprint, port == ClusterPorts.control
      else { continue }
      carryOut(joining?.found(address, at: now) ?? [], now)
    }
  }
}
