import Bytes

extension FilterExpression {
  /// Reads an element of a rule's list: the expression's name, then its data.
  init(_ element: Attribute) throws(NetlinkParseError) {
    var name: [UInt8] = []
    var fields = Fields([], offset: element.value.startIndex)
    for attribute in try element.nested() {
      switch attribute.type {
      case 1: name = attribute.text
      case 2: fields = Fields(try attribute.nested(), offset: attribute.value.startIndex)
      default: break
      }
    }
    self = try FilterExpression.known(name, fields) ?? .unknown(name: name)
  }

  /// Nil for a name, or a variant of an expression, that has no case here.
  private static func known(_ name: [UInt8], _ data: Fields) throws(NetlinkParseError) -> FilterExpression? {
    switch name {
    case [UInt8]("meta"):
      let key = MetaKey(rawValue: try data.number(2))
      return data.has(3) ? .setMeta(key, from: try data.register(3)) : .meta(key, into: try data.register(1))
    case [UInt8]("rt"):
      return .route(RouteKey(rawValue: try data.number(2)), into: try data.register(1))
    case [UInt8]("fib"):
      // Interfaces, routes and the conditions on them are not encoded here.
      guard try data.number(2) == 3, try data.number(3) == 1 else { return nil }
      return .sourceKind(into: try data.register(1))
    case [UInt8]("socket"):
      // Marks and transparent proxies are not encoded here.
      guard try data.number(1) == 3, let level = UInt8(exactly: try data.number(3)) else { return nil }
      return .socketGroup(level: level, into: try data.register(2))
    case [UInt8]("ct"):
      guard !data.has(4) else { return nil }
      return .connection(ConnectionKey(rawValue: try data.number(2)), into: try data.register(1))
    case [UInt8]("payload"):
      guard !data.has(5), let header = Header(rawValue: try data.number(2)) else { return nil }
      return .payload(header, offset: try data.number(3), count: try data.number(4), into: try data.register(1))
    case [UInt8]("bitwise"):
      // Shifts, and results in another register, are not written here.
      let register = try data.register(1)
      guard try data.register(2) == register, try data.number(6, default: 0) == 0 else { return nil }
      return .bitwise(mask: try data.value(4), flip: try data.value(5), in: register)
    case [UInt8]("cmp"):
      guard let comparison = Comparison(rawValue: try data.number(2)) else { return nil }
      return .compare(comparison, try data.value(3), in: try data.register(1))
    case [UInt8]("range"):
      return .range(
        from: try data.value(3), to: try data.value(4), inverted: try data.number(2) != 0, in: try data.register(1))
    case [UInt8]("lookup"):
      // With a destination register it is a map.
      guard !data.has(3) else { return nil }
      return .lookup(set: data.name(1), inverted: try data.number(5, default: 0) & 1 != 0, in: try data.register(2))
    case [UInt8]("dynset"):
      guard try data.number(3) == 1, !data.has(5) else { return nil }
      let update = (set: data.name(1), timeout: try data.long(6, default: 0), key: try data.register(4))
      guard data.has(7) else { return .update(set: update.set, timeout: update.timeout, in: update.key) }
      let expression = try data.fields(7)
      let limit = try expression.fields(2)
      guard expression.name(1) == "limit", try limit.number(4, default: 0) == 0, try limit.number(5, default: 0) == 1
      else { return nil }
      return .updateOverLimit(
        set: update.set, timeout: update.timeout, packets: try limit.long(1), seconds: try limit.long(2),
        burst: try limit.number(3, default: 0), in: update.key)
    case [UInt8]("limit"):
      // Bytes instead of packets, and "over", are not written here.
      guard try data.number(4, default: 0) == 0, try data.number(5, default: 0) == 0 else { return nil }
      return .limit(packets: try data.long(1), seconds: try data.long(2), burst: try data.number(3, default: 0))
    case [UInt8]("log"):
      guard let level = LogLevel(rawValue: try data.number(5, default: LogLevel.warning.rawValue)) else { return nil }
      return .log(prefix: data.name(2).bytes, level: level)
    case [UInt8]("counter"):
      return .counter(packets: try data.long(2, default: 0), bytes: try data.long(1, default: 0))
    case [UInt8]("objref"):
      guard try data.number(1, default: 0) == ConnectionHelper.objectType else { return nil }
      return .assignHelper(data.name(2))
    case [UInt8]("notrack"):
      return .notTracked
    case [UInt8]("reject"):
      // A TCP reset, or what both versions of IP understand, is not encoded here.
      guard try data.number(1) == 0 else { return nil }
      return .reject(code: try data.byte(2))
    case [UInt8]("immediate"):
      guard try data.number(1) == 0 else { return .load(try data.value(2), into: try data.register(1)) }
      return try verdict(data).map { .verdict($0) }
    default:
      return nil
    }
  }

  private static func verdict(_ data: Fields) throws(NetlinkParseError) -> Verdict? {
    let outer = try data.fields(2)
    let inner = try outer.fields(2)
    return switch Int32(bitPattern: try inner.number(1)) {
    case 0: .drop
    case 1: .accept
    case -3: .jump(inner.name(2))
    case -4: .goto(inner.name(2))
    case -5: .return
    default: nil
    }
  }
}

/// An expression's attributes, looked up by their types.
private struct Fields {
  private let attributes: [Attribute]
  /// Where they stand in the datagram.
  private let offset: Int

  init(_ attributes: [Attribute], offset: Int) {
    self.attributes = attributes
    self.offset = offset
  }

  func has(_ type: UInt16) -> Bool { attributes.contains { $0.type == type } }

  /// A missing one without default is an error.
  func number(_ type: UInt16, default missing: UInt32? = nil) throws(NetlinkParseError) -> UInt32 {
    if let attribute = find(type) { return try attribute.bigEndian32() }
    guard let missing else { throw .wrongValue(offset: offset) }
    return missing
  }

  func byte(_ type: UInt16) throws(NetlinkParseError) -> UInt8 {
    guard let attribute = find(type), let byte = attribute.value.first else { throw .wrongValue(offset: offset) }
    return byte
  }

  func long(_ type: UInt16, default missing: UInt64? = nil) throws(NetlinkParseError) -> UInt64 {
    if let attribute = find(type) { return try attribute.bigEndian64() }
    guard let missing else { throw .wrongValue(offset: offset) }
    return missing
  }

  /// A register of 16 bytes. The kernel calls the first part of each also by a number from 8 on (NFT_REG32_00).
  func register(_ type: UInt16) throws(NetlinkParseError) -> FilterExpression.Register {
    var number = try number(type)
    if number >= 8, number % 4 == 0 { number = number / 4 - 1 }
    guard let register = FilterExpression.Register(rawValue: number) else { throw .wrongValue(offset: offset) }
    return register
  }

  func name(_ type: UInt16) -> FilterName { FilterName(find(type)?.text ?? []) }

  /// The bytes of NFTA_DATA_VALUE inside; empty if there are none.
  func value(_ type: UInt16) throws(NetlinkParseError) -> [UInt8] { try find(type)?.value(1) ?? [] }

  func fields(_ type: UInt16) throws(NetlinkParseError) -> Fields {
    guard let attribute = find(type) else { throw .wrongValue(offset: offset) }
    return Fields(try attribute.nested(), offset: attribute.value.startIndex)
  }

  private func find(_ type: UInt16) -> Attribute? { attributes.first { $0.type == type } }
}
