import Addresses
import Bytes
import DroneLayout

// Items on the wire. Every value fits a length of one byte.

extension Item {
  fileprivate enum Kind {
    static let record: UInt8 = 1
    static let status: UInt8 = 2
    static let vitals: UInt8 = 3
    static let want: UInt8 = 5
    /// 4 was a removal that nobody had signed.
    static let removal: UInt8 = 6
  }

  /// The longest item: type, length, 255 bytes of value.
  static let largest = 257

  /// A record: 1 + 6 + 32 + 2 + 5 + (1 + 16) + 3 + 5 + 5 + 9 + 5 + 1 + 3 + 5 bytes behind type and length, and the appendix.
  static let largestRecord = largestPlainRecord + 2 + 16 * AddressList6.capacity
  private static let largestPlainRecord = 101

  /// The longest encoding of this record; most have no appendix.
  static func largest(_ record: NodeRecord) -> Int {
    largestPlainRecord + (record.hasAppendix ? 2 + 16 * record.addresses6.all.count : 0)
  }

  /// A status: 1 + 6 + 2 + 5 bytes behind type and length.
  static let largestStatus = 16

  /// A removal: 1 + 4 + 6 + 32 + 2 + 64 bytes behind type and length.
  static let removalLength = 111

  /// How many entries one item of vitals holds at most, at 2 + 1 + 3 + 5 bytes each.
  static let vitalsCapacity = 23

  /// How many nodes one item asks for at most, at 6 bytes each.
  static let wantCapacity = 42

  private static let approves: UInt8 = 0x80
  fileprivate static let isInClear: UInt8 = 0x01

  /// Reads one item; nil for a type that this version does not know.
  init?(_ reader: inout WireReader) throws(MembershipDecodeError) {
    let kind = try reader.uint8()
    var value = try reader.part(Int(try reader.uint8()))
    switch kind {
    case Kind.record: self = try Item.record(&value)
    case Kind.status:
      let state = try Item.state(&value).state
      self = .status(
        NodeStatus(
          mac: try value.mac(), state: state, tag: try value.uint16(),
          incarnation: try value.varint(upTo: NodeRecord.largestIncarnation)))
    case Kind.vitals:
      var list: [Vitals] = []
      while !value.isAtEnd {
        list.append(
          Vitals(
            id: try Item.id(&value), sequence: try value.uint8(), load: try value.uint16Varint(),
            memoryFree: try value.varint()))
      }
      self = .vitals(list)
    case Kind.removal:
      let start = value.offset
      let flag = try value.uint8()
      guard flag <= 1 else { throw .value(offset: start) }
      let counter = try value.uint32()
      guard (1...Removal.largestCounter).contains(counter) else { throw .value(offset: start + 1) }
      self = .removal(
        Removal(
          isInForce: flag == 1, counter: counter, mac: try value.mac(), fingerprint: try value.fingerprint(),
          id: try Item.id(&value), signature: [UInt8](try value.bytes(Removal.signatureLength))))
    case Kind.want:
      var list: [MACAddress] = []
      while !value.isAtEnd { list.append(try value.mac()) }
      self = .want(list)
    default: return nil
    }
  }

  private static func id(_ value: inout WireReader) throws(MembershipDecodeError) -> NodeID {
    let start = value.offset
    let id = try value.uint16()
    guard id != 0 else { throw .value(offset: start) }
    return id
  }

  private static func state(
    _ value: inout WireReader
  ) throws(MembershipDecodeError) -> (state: NodeState, mayApprove: Bool) {
    let start = value.offset
    let byte = try value.uint8()
    guard let state = NodeState(rawValue: byte & ~approves) else { throw .value(offset: start) }
    return (state, byte & approves != 0)
  }

  private static func record(_ value: inout WireReader) throws(MembershipDecodeError) -> Item {
    let (state, mayApprove) = try state(&value)
    let mac = try value.mac()
    let fingerprint = try value.fingerprint()
    let id = try id(&value)
    let incarnation = try value.varint(upTo: NodeRecord.largestIncarnation)
    let start = value.offset
    let count = Int(try value.uint8())
    guard count <= AddressList.capacity else { throw .value(offset: start) }
    var list: [IPv4Address] = []
    for _ in 0..<count { list.append(try value.ipv4Address()) }
    guard let addresses = AddressList(list) else { throw .value(offset: start) }
    let cpus = try value.uint16Varint()
    let speed = try value.varint()
    let memoryTotal = try value.varint()
    let version = SoftwareVersion(try value.uint16Varint(), try value.uint16Varint(), try value.uint16Varint())
    let uptime = try value.varint()
    let sequence = try value.uint8()
    let load = try value.uint16Varint()
    let memoryFree = try value.varint()
    let appendix = try value.isAtEnd ? (flags: 0, addresses: AddressList6()) : appendix(&value)
    return .record(
      NodeRecord(
        fingerprint: fingerprint, mac: mac, id: id, addresses: addresses, addresses6: appendix.addresses,
        isInClear: appendix.flags & isInClear != 0, cpus: cpus, speed: speed,
        memoryTotal: memoryTotal, version: version, mayApprove: mayApprove, incarnation: incarnation, load: load,
        memoryFree: memoryFree, uptime: uptime),
      state, vitals: sequence)
  }

  /// What a record has behind its first form, if it has anything to say there: one byte of flags, of which unknown ones are
  /// passed over, and IPv6 addresses behind their number.
  private static func appendix(
    _ value: inout WireReader
  ) throws(MembershipDecodeError) -> (flags: UInt8, addresses: AddressList6) {
    let flags = try value.uint8()
    let start = value.offset
    let count = Int(try value.uint8())
    guard count <= AddressList6.capacity else { throw .value(offset: start) }
    var list: [IPv6Address] = []
    for _ in 0..<count { list.append(try value.ipv6Address()) }
    let addresses = AddressList6(list)
    guard addresses.all.count == count else { throw .value(offset: start) }
    return (flags, addresses)
  }
}

extension NodeRecord {
  /// Whether it says anything that its first form has no place for.
  fileprivate var hasAppendix: Bool { isInClear || !addresses6.all.isEmpty }
}

extension Array where Element == UInt8 {
  mutating func append(_ item: Item) {
    switch item {
    case .record(let record, let state, let sequence): append(record, state, vitals: sequence)
    case .status(let status): append(status)
    case .vitals(let list): append(vitals: list)
    case .removal(let removal): append(removal)
    case .want(let list):
      withLength(Item.Kind.want) { out in
        for mac in list.prefix(Item.wantCapacity) { out.append(mac) }
      }
    }
  }

  mutating func append(_ record: NodeRecord, _ state: NodeState, vitals sequence: UInt8) {
    withLength(Item.Kind.record) { out in
      out.append(state.rawValue | (record.mayApprove ? 0x80 : 0))
      out.append(record.mac)
      out.append(record.fingerprint)
      out.append(networkOrder: record.id)
      out.append(varint: record.incarnation)
      out.append(UInt8(truncatingIfNeeded: record.addresses.count))
      record.addresses.forEach { out.append($0) }
      out.append(varint: UInt32(record.cpus))
      out.append(varint: record.speed)
      out.append(varint: record.memoryTotal)
      out.append(varint: UInt32(record.version.major))
      out.append(varint: UInt32(record.version.minor))
      out.append(varint: UInt32(record.version.patch))
      out.append(varint: record.uptime)
      out.append(sequence)
      out.append(varint: UInt32(record.load))
      out.append(varint: record.memoryFree)
      guard record.hasAppendix else { return }
      out.append(record.isInClear ? Item.isInClear : 0)
      out.append(UInt8(truncatingIfNeeded: record.addresses6.all.count))
      for address in record.addresses6.all {
        out.append(address)
      }
    }
  }

  mutating func append(_ status: NodeStatus) {
    withLength(Item.Kind.status) { out in
      out.append(status.state.rawValue)
      out.append(status.mac)
      out.append(networkOrder: status.tag)
      out.append(varint: status.incarnation)
    }
  }

  mutating func append(vitals list: [Vitals]) {
    withLength(Item.Kind.vitals) { out in
      for vitals in list.prefix(Item.vitalsCapacity) {
        out.append(networkOrder: vitals.id)
        out.append(vitals.sequence)
        out.append(varint: UInt32(vitals.load))
        out.append(varint: vitals.memoryFree)
      }
    }
  }

  mutating func append(_ removal: Removal) {
    withLength(Item.Kind.removal) { out in
      removal.appendFields(to: &out)
      out += removal.signature
    }
  }

  private mutating func withLength(_ kind: UInt8, _ value: (inout [UInt8]) -> Void) {
    append(kind)
    append(0)
    let start = count
    value(&self)
    self[start - 1] = UInt8(truncatingIfNeeded: count - start)
  }
}
