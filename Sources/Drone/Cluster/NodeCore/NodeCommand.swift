import Addresses
import ControlChannel
import LocalOrders
import MachineReadings
import Membership
import Tunnels

/// One change of what the kernel lets pass between this node and another, and of what it demands. Those of IPsec and of the
/// packet filter stand together because their order is what keeps packets from leaving in clear: see `Peers`.
public enum KernelChange: Equatable, Sendable {
  /// A policy demands ESP both ways.
  case require(IPv4Address)
  /// The filter lets packets to it and from it pass.
  case permit(IPv4Address)
  /// The filter cuts these addresses of a member off: packets to them would go in clear.
  case cutOff([InternetAddress])
  /// The filter lets them pass no longer.
  case forbid(IPv4Address)
  /// Nothing is demanded any longer.
  case release(IPv4Address)
  /// The filter has nothing against these addresses any longer.
  case restore([InternetAddress])
}

/// What a node is to do: whoever drives `NodeCore` carries these out in their order. An answer that one asks for is given at once,
/// and what follows from it is carried out before the next one.
public enum NodeCommand: Equatable, Sendable {
  // MARK: Datagrams

  /// Send this to UDP port 3278.
  case send([UInt8], to: IPv4Address)
  /// Send this to who asked the group for a member.
  case answerQuestion([UInt8], to: IPv4Address)
  /// Ask the group whether a member is there, and listen for answers until this node is in.
  case search([UInt8])

  // MARK: Connections

  /// Open a TLS connection; answered by `receivePeer` or `receiveEnd`, or at once by `receiveRefusedConnection`.
  case connect(channel: UInt32, IPv4Address)
  case say(channel: UInt32, ControlMessage)
  /// Close it when what was said has gone.
  case close(channel: UInt32)
  /// Close it now, without a word. It has no end that is told.
  case drop(channel: UInt32)

  // MARK: The kernel

  /// Do these until one fails; answered by `receiveAdmission`.
  case admit(ticket: UInt32, [KernelChange])
  /// That it fails changes nothing.
  case change(KernelChange)
  /// Install all of these or none, with keys exported from the channel; answered by `receiveInstallation`.
  case install(channel: UInt32, [KeyedAssociation])
  case remove(TunnelAssociation)
  /// Remove what the kernel holds in place of a missing association.
  case removeWaiting(IPv4Address)
  /// Read the associations back; answered by `receiveAssociations`.
  case readAssociations
  /// From now on everything in the kernel is by this own address.
  case changeAddress(IPv4Address)
  /// Take away what is demanded, and excepted, by a former own address.
  case releaseFormer(IPv4Address, peers: [IPv4Address])

  // MARK: Keys

  /// Certify the key of who is at the other end; answered by `receiveCertificate`.
  case certify(channel: UInt32)
  /// The certificate that the other end has shown; answered by `receiveCertificate`.
  case findCertificate(channel: UInt32)
  /// Go on as a member with this certificate if it is one for this node; answered by `receiveAdoption`.
  case adopt(certificate: [UInt8], authority: [UInt8])
  /// A member says that it is so late, in seconds since 1970.
  case believe(seconds: UInt64)

  // MARK: This machine and who is at it

  /// Read how the machine is, and all its processes if they are wanted; answered by `receiveMachine`.
  case readMachine(processes: Bool)
  /// Read what else is to be said of these; answered by `receiveDescriptions`.
  case describeProcesses([ProcessLook.Process])
  /// Keep the map for a run after a crash.
  case keepMap
  /// This node is in the cluster.
  case enter
  /// Answer an order of this machine; with what is shown; end its connection.
  case answer(order: UInt32, OrderAnswer)
  case show(order: UInt32, OrderCall.View)
  case endOrder(UInt32)
  case report(NodeNews)
  /// End the program after so many milliseconds, as an operator wants.
  case end(after: UInt64)
  /// End it: the cluster goes on without this node, for this reason.
  case endWithout(NodeNews)
  /// End it: this node does not get in, and why, as a sentence.
  case fail([UInt8])
}

/// What a node has to tell people.
public enum NodeNews: Equatable, Sendable {
  // Members.
  case joined(NodeRecord)
  /// Address, id or key are others than before.
  case changed(NodeRecord)
  case suspected(NodeRecord)
  case cleared(NodeRecord)
  case died(NodeRecord)
  case left(NodeRecord)
  case removed(NodeRecord)
  // This node.
  /// A member has answered its search.
  case answered(IPv4Address)
  case removedItself
  case replaced
  /// By the order that lets it in.
  case needsApproval([UInt8])
  case isApproved
  /// Why it is not in yet, as a sentence.
  case isWaiting([UInt8])
  // Others at this node.
  case refused(IPv4Address, Objection)
  case admitted(IPv4Address, key: [UInt8])
  case waits(IPv4Address, key: [UInt8])
  /// So many lines about others at this node were left out in a minute.
  case omitted(UInt32)
}
