import Addresses
import ControlChannel

/// A live member that packets may go to.
public struct TunnelPeer: Equatable, Sendable {
  public let id: UInt16
  public let address: IPv4Address
  /// SHA-256 of its public key; another one under the same id is a node that was started anew.
  public let fingerprint: [UInt8]

  public init(id: UInt16, address: IPv4Address, fingerprint: [UInt8]) {
    self.id = id
    self.address = address
    self.fingerprint = fingerprint
  }
}

/// One security association in the kernel: packets of one direction between this node and a peer.
public struct TunnelAssociation: Equatable, Sendable {
  public enum Direction: Sendable { case inbound, outbound }

  public let spi: UInt32
  public let direction: Direction
  public let peer: IPv4Address

  public init(spi: UInt32, direction: Direction, peer: IPv4Address) {
    self.spi = spi
    self.direction = direction
    self.peer = peer
  }
}

/// A security association to be installed.
public struct KeyedAssociation: Equatable, Sendable {
  public let association: TunnelAssociation
  public let cipher: TunnelCipher
  /// The key is exported from the channel that the command names, with this context.
  public let context: KeyContext
}

/// What is in the kernel, as it was read.
public struct AssociationUse: Equatable, Sendable {
  public let association: TunnelAssociation
  /// Packets so far.
  public let packets: UInt64
  /// When it was installed, in any unit: only the order counts.
  public let installed: UInt64

  public init(_ association: TunnelAssociation, packets: UInt64, installed: UInt64) {
    self.association = association
    self.packets = packets
    self.installed = installed
  }
}

/// What the driver of `Tunnels` has to do, in this order.
public enum TunnelCommand: Equatable, Sendable {
  /// Open a TLS connection to the peer; answered by `receiveConnection` once the peer has proved to be the one with
  /// this fingerprint, else by `receiveEnd`.
  case connect(channel: UInt32, TunnelPeer)
  case send(channel: UInt32, ControlMessage)
  /// Close the connection when what was sent has gone.
  case close(channel: UInt32)
  /// Install all of these or none; answered by `receiveInstallation`.
  case install(channel: UInt32, [KeyedAssociation])
  /// Remove one; that it is missing is as good.
  case remove(TunnelAssociation)
  /// Remove what the kernel holds in place of a missing association to the peer, so that its next packet asks again.
  case removeLarval(IPv4Address)
  /// Read all associations back; answered by `receiveAssociations`.
  case readAssociations
}
