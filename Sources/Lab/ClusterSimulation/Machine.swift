import Addresses
import Bytes
import DroneLayout
import Membership
import NodeCore
import Tunnels

/// A machine of the simulated cluster, switched on or not.
public struct Machine {
  public let mac: MACAddress
  public internal(set) var address: IPv4Address
  /// How often it was switched on or off: what belongs to an earlier life is of no effect.
  var boots = 0
  /// The node that runs on it; nil while it is off.
  public internal(set) var core: NodeCore?
  var kernel = Kernel()
  /// By which address the node has put things into the kernel; `address` may be a newer one.
  var own: IPv4Address
  /// It has a certificate of the cluster.
  var isMember = true
  /// Machines with the same number reach each other.
  var part = 0
  var pausedUntil: UInt64 = 0
  var scheduled = UInt64.max
  var loadSince: UInt64 = 0
  /// The map that it kept for a run after a crash.
  var map: [UInt8] = []
  /// When each of the last 256 vitals was issued.
  var issued = [UInt64?](repeating: nil, count: 256)
  var lastIssued: UInt8 = 0
  /// Who is called dead and is not, and since when.
  var mistakes: [MACAddress: UInt64] = [:]
  /// Who was called gone, and has an address that no live member has had since.
  var gone: [UInt32: Gone] = [:]
  /// Connections by their channel.
  var lines: [UInt32: UInt64] = [:]

  /// A member that died, left or was removed, as the node was told.
  struct Gone {
    let mac: MACAddress
    let key: Fingerprint
    let at: UInt64
  }

  public var membership: Membership? { core?.membership }
  public var isOn: Bool { core?.membership.isActive == true }

  /// As it would introduce itself.
  var record: NodeRecord {
    let life = Fingerprint((mac.bits << 8 | UInt64(boots & 0xFF)) &* 0x9E37_79B9_7F4A_7C15, 2, 3, 4)
    var record = NodeRecord(fingerprint: life, mac: mac, addresses: AddressList(address))
    record.id = UInt16(truncatingIfNeeded: address.bits)
    record.cpus = 1
    record.speed = 166
    record.memoryTotal = 16_384
    record.memoryFree = 12_000
    record.version = .current
    record.incarnation = 1
    return record
  }
}
