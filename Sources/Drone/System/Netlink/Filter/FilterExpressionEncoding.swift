import Bytes

extension FilterExpression {
  /// The kernel's name of the expression.
  var name: [UInt8] {
    switch self {
    case .meta, .setMeta: [UInt8]("meta")
    case .route: [UInt8]("rt")
    case .sourceKind: [UInt8]("fib")
    case .socketGroup: [UInt8]("socket")
    case .connection: [UInt8]("ct")
    case .payload: [UInt8]("payload")
    case .bitwise: [UInt8]("bitwise")
    case .compare: [UInt8]("cmp")
    case .range: [UInt8]("range")
    case .lookup: [UInt8]("lookup")
    case .update, .updateOverLimit: [UInt8]("dynset")
    case .limit: [UInt8]("limit")
    case .log: [UInt8]("log")
    case .counter: [UInt8]("counter")
    case .assignHelper: [UInt8]("objref")
    case .notTracked: [UInt8]("notrack")
    case .reject: [UInt8]("reject")
    case .verdict, .load: [UInt8]("immediate")
    case .unknown(let name): name
    }
  }

  /// Appends the expression as an element of a rule's list: NFTA_LIST_ELEM with name and data.
  func append(to list: inout MessageBody) {
    list.nested(1) { element in
      element.attribute(1, text: name)
      if self != .notTracked { element.nested(2) { appendData(to: &$0) } }
    }
  }

  private func appendData(to data: inout MessageBody) {
    switch self {
    case .meta(let key, let register):
      data.attribute(2, bigEndian: key.rawValue)
      data.attribute(1, bigEndian: register.rawValue)
    case .setMeta(let key, let register):
      data.attribute(2, bigEndian: key.rawValue)
      data.attribute(3, bigEndian: register.rawValue)
    case .load(let value, let register):
      data.attribute(1, bigEndian: register.rawValue)
      data.value(2, value)
    case .route(let key, let register):
      data.attribute(1, bigEndian: register.rawValue)
      data.attribute(2, bigEndian: key.rawValue)
    case .sourceKind(let register):
      data.attribute(1, bigEndian: register.rawValue)
      data.attribute(2, bigEndian: 3 as UInt32)  // NFT_FIB_RESULT_ADDRTYPE
      data.attribute(3, bigEndian: 1 as UInt32)  // NFTA_FIB_F_SADDR
    case .socketGroup(let level, let register):
      data.attribute(1, bigEndian: 3 as UInt32)  // NFT_SOCKET_CGROUPV2
      data.attribute(2, bigEndian: register.rawValue)
      data.attribute(3, bigEndian: UInt32(level))
    case .connection(let key, let register):
      data.attribute(2, bigEndian: key.rawValue)
      data.attribute(1, bigEndian: register.rawValue)
    case .payload(let header, let offset, let count, let register):
      data.attribute(1, bigEndian: register.rawValue)
      data.attribute(2, bigEndian: header.rawValue)
      data.attribute(3, bigEndian: offset)
      data.attribute(4, bigEndian: count)
    case .bitwise(let mask, let flip, let register):
      data.attribute(1, bigEndian: register.rawValue)
      data.attribute(2, bigEndian: register.rawValue)
      data.attribute(3, bigEndian: UInt32(truncatingIfNeeded: mask.count))
      data.value(4, mask)
      data.value(5, flip)
    case .compare(let comparison, let value, let register):
      data.attribute(1, bigEndian: register.rawValue)
      data.attribute(2, bigEndian: comparison.rawValue)
      data.value(3, value)
    case .range(let from, let to, let inverted, let register):
      data.attribute(1, bigEndian: register.rawValue)
      data.attribute(2, bigEndian: inverted ? 1 : 0 as UInt32)
      data.value(3, from)
      data.value(4, to)
    case .lookup(let set, let inverted, let register):
      data.attribute(1, text: set.bytes)
      data.attribute(2, bigEndian: register.rawValue)
      if inverted { data.attribute(5, bigEndian: 1 as UInt32) }
    case .update(let set, let timeout, let key):
      data.attribute(1, text: set.bytes)
      data.attribute(3, bigEndian: 1 as UInt32)  // NFT_DYNSET_OP_UPDATE
      data.attribute(4, bigEndian: key.rawValue)
      if timeout != 0 { data.attribute(6, bigEndian: timeout) }
    case .updateOverLimit(let set, let timeout, let packets, let seconds, let burst, let key):
      FilterExpression.update(set: set, timeout: timeout, in: key).appendData(to: &data)
      data.nested(7) { expression in
        expression.attribute(1, text: [UInt8]("limit"))
        expression.nested(2) { limit in
          FilterExpression.limit(packets: packets, seconds: seconds, burst: burst).appendData(to: &limit)
          limit.attribute(5, bigEndian: 1 as UInt32)  // NFT_LIMIT_F_INV: over it
        }
      }
    case .limit(let packets, let seconds, let burst):
      data.attribute(1, bigEndian: packets)
      data.attribute(2, bigEndian: seconds)
      data.attribute(3, bigEndian: burst)
      data.attribute(4, bigEndian: 0 as UInt32)  // NFT_LIMIT_PKTS
    case .log(let prefix, let level):
      data.attribute(2, text: prefix)
      data.attribute(5, bigEndian: level.rawValue)
    case .counter(let packets, let bytes):
      data.attribute(1, bigEndian: bytes)
      data.attribute(2, bigEndian: packets)
    case .assignHelper(let helper):
      data.attribute(1, bigEndian: ConnectionHelper.objectType)
      data.attribute(2, text: helper.bytes)
    case .reject(let code):
      data.attribute(1, bigEndian: 0 as UInt32)  // NFT_REJECT_ICMP_UNREACH
      data.attribute(2, [code])
    case .verdict(let verdict):
      data.attribute(1, bigEndian: 0 as UInt32)  // NFT_REG_VERDICT
      data.nested(2) { $0.nested(2) { verdict.append(to: &$0) } }
    case .notTracked, .unknown:
      break
    }
  }
}

extension FilterExpression.Verdict {
  /// The verdict's number: the kernel's verdicts on packets, or a negative one of nf_tables' own.
  var code: Int32 {
    switch self {
    case .drop: 0
    case .accept: 1
    case .jump: -3
    case .goto: -4
    case .return: -5
    }
  }

  fileprivate func append(to body: inout MessageBody) {
    body.attribute(1, bigEndian: UInt32(bitPattern: code))
    switch self {
    case .jump(let chain), .goto(let chain): body.attribute(2, text: chain.bytes)
    case .drop, .accept, .return: break
    }
  }
}

extension ConnectionHelper {
  /// NFT_OBJECT_CT_HELPER.
  static let objectType: UInt32 = 3
}

extension MessageBody {
  /// Appends NFTA_DATA_VALUE in an attribute of its own.
  mutating func value(_ type: UInt16, _ bytes: [UInt8]) {
    nested(type) { $0.attribute(1, bytes) }
  }
}
