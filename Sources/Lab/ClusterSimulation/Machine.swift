import Addresses
import Bytes
import DroneLayout
import MachineReadings
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
  var vitals = VitalsLog()
  /// Connections by their channel.
  var lines: [UInt32: UInt64] = [:]

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

  /// The authority of the cluster to which all machines belong.
  static let cluster: [UInt8] = [0xC1, 0xA0, 0x50, 0, 0, 0, 0, 1] + [UInt8](repeating: 7, count: 24)

  /// What it is by when it is switched on.
  func identity(cutsOff: Bool, contact: IPv4Address?, keepFor: UInt64) -> NodeIdentity {
    var identity = NodeIdentity(
      cluster: Machine.cluster, key: record.fingerprint.bytes, canCertify: true, isMember: isMember)
    identity.cutsOff = cutsOff
    identity.contact = contact
    identity.keepFor = keepFor
    identity.removalAuthority = .simulated
    return identity
  }

  /// How it is, by chance.
  static func readings(_ random: inout SplitMix64) -> MachineReadings {
    var readings = MachineReadings()
    readings.processors = 1
    readings.megahertz = 166
    readings.memoryTotal = 16_384 << 10
    readings.memoryAvailable = (random.next() % 20_000) << 10
    readings.load.one = UInt32(random.next() % 400)
    return readings
  }
}

/// When each of a node's last 256 vitals was issued.
struct VitalsLog {
  private var times = [UInt64?](repeating: nil, count: 256)
  private var last: UInt8 = 0

  /// The node's present vitals have this number.
  mutating func note(_ sequence: UInt8, at now: UInt64) {
    guard times[Int(sequence)] == nil || sequence != last else { return }
    last = sequence
    times[Int(sequence)] = now
  }

  func time(of sequence: UInt8) -> UInt64 { times[Int(sequence)] ?? 0 }
}
