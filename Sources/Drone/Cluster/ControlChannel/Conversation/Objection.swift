import Addresses
import Bytes

/// What is wrong with what the other side of a connection said.
public enum Objection: Hashable, Sendable {
  /// No message at all.
  case unreadable
  /// A message that has no place there.
  case unexpected
  /// A member that asks for something before it has said who it is.
  case noHello
  /// It describes itself by no record, by several, or by that of another key than the one that it has proved to have.
  case otherKey
  /// A map that is longer than any.
  case tooMuch
  /// It greets another cluster.
  case otherCluster
  /// An operator threw it out.
  case removed
  /// Another machine with its hardware address is a live member, at this other address: a clone of a virtual machine, say.
  case sameHardware(MACAddress, IPv4Address)
  /// It speaks in clear where this node demands IPsec, or the other way round. `isInClear`: whether this node does.
  case otherProtection(isInClear: Bool)
  /// This node has no map to give yet.
  case notIn

  /// What the other side is told, as a phrase without its full stop; empty when the connection ends without a word.
  public var sentence: [UInt8] {
    switch self {
    case .unreadable, .unexpected, .tooMuch, .otherCluster: []
    case .noHello: [UInt8]("say hello first")
    case .otherKey: [UInt8]("the record is not of the key that this connection has")
    case .removed: [UInt8]("this node was removed from the cluster; tyd --allow on a member lets it join again")
    case .sameHardware(let mac, let address):
      [UInt8]("another machine with this one's hardware address, ") + mac.text + [UInt8](", is in the cluster at ")
        + address.text + [UInt8]("; a node is known by it, so give one of them another")
    case .otherProtection(isInClear: false):
      [UInt8]("the node there demands IPsec and this one runs with -c off; start this one without it")
    case .otherProtection(isInClear: true):
      [UInt8]("the node there runs with -c off, in clear, and this one demands IPsec; start both alike")
    case .notIn: [UInt8]("this node is not in the cluster itself yet; try again")
    }
  }

  /// What this node's own log says; empty for what is only counted, since anybody could fill the log with it.
  public var note: [UInt8] {
    switch self {
    case .removed: [UInt8]("was removed and came back")
    case .sameHardware(let mac, let address):
      [UInt8]("was refused: the node at ") + address.text + [UInt8](" has its hardware address, ") + mac.text
    case .otherProtection(isInClear: false): [UInt8]("runs with -c off and was refused")
    case .otherProtection(isInClear: true): [UInt8]("demands IPsec and was refused: this node runs with -c off")
    default: []
    }
  }
}
