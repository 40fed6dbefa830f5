/// A message of nf_tables about something that is there: an entry of a list, or a part of a batch.
public enum FilterMessage: Equatable, Sendable {
  case table(FilterName)
  /// A chain without its rules, which come as messages of their own.
  case chain(FilterChain, table: FilterName)
  case rule(FilterRule, chain: FilterName, table: FilterName)
  /// A set without its elements, which come as messages of their own.
  case set(FilterSet, table: FilterName)
  case elements([[UInt8]], set: FilterName, table: FilterName)
  case helper(ConnectionHelper, table: FilterName)
  /// Of no interest: another family, another subsystem, or a type not read here.
  case other(type: UInt16)

  public init(_ message: NetlinkMessage, family: FilterFamily = .ipv4) throws(NetlinkParseError) {
    guard let type = FilterMessageType(number: message.type) else {
      self = .other(type: message.type)
      return
    }
    let attributes = try message.attributes(behind: 4)
    guard message.payload.byte(at: 0) == family.rawValue else {
      self = .other(type: message.type)
      return
    }
    switch type {
    case .newTable: self = .table(name(1, attributes))
    case .newChain: self = .chain(try readChain(attributes), table: name(1, attributes))
    case .newRule: self = .rule(try readRule(attributes), chain: name(2, attributes), table: name(1, attributes))
    case .newSet: self = .set(try readSet(attributes), table: name(1, attributes))
    case .newElements:
      self = .elements(try readElements(attributes), set: name(2, attributes), table: name(1, attributes))
    case .newObject: self = try readHelper(attributes) ?? .other(type: message.type)
    default: self = .other(type: message.type)
    }
  }
}

extension FilterMessage {
  /// Table and chain of a rule, whatever is in it; nil for another message.
  public static func ruleNames(_ message: NetlinkMessage) -> (table: FilterName, chain: FilterName)? {
    guard FilterMessageType(number: message.type) == .newRule, let attributes = try? message.attributes(behind: 4)
    else {
      return nil
    }
    return (name(1, attributes), name(2, attributes))
  }
}

extension NetlinkRequest {
  /// All of one kind of the tables of a drone's family; each entry comes as a message that `FilterMessage` reads.
  public static var listFilterTables: NetlinkRequest { listFilterTables(of: .ipv4) }
  public static var listFilterChains: NetlinkRequest { listFilterChains(of: .ipv4) }
  public static var listFilterRules: NetlinkRequest { listFilterRules(of: .ipv4) }
  public static var listFilterSets: NetlinkRequest { listFilterSets(of: .ipv4) }
  public static var listFilterHelpers: NetlinkRequest { filterList(.getObject) }

  /// The same of one family.
  public static func listFilterTables(of family: FilterFamily) -> NetlinkRequest { filterList(.getTable, family) }
  public static func listFilterChains(of family: FilterFamily) -> NetlinkRequest { filterList(.getChain, family) }
  public static func listFilterRules(of family: FilterFamily) -> NetlinkRequest { filterList(.getRule, family) }
  public static func listFilterSets(of family: FilterFamily) -> NetlinkRequest { filterList(.getSet, family) }

  /// The elements of one set.
  public static func listElements(
    of set: FilterName, in table: FilterName, family: FilterFamily = .ipv4
  ) -> NetlinkRequest {
    var request = filterList(.getElements, family)
    request.body.attribute(1, text: table.bytes)
    request.body.attribute(2, text: set.bytes)
    return request
  }

  private static func filterList(_ type: FilterMessageType, _ family: FilterFamily = .ipv4) -> NetlinkRequest {
    NetlinkRequest(
      type: type.number, flags: [.request, .dump], body: MessageBody(filterStructure(family: family.rawValue)))
  }
}

/// The text of the first attribute of a type; empty if there is none.
private func name(_ type: UInt16, _ attributes: [Attribute]) -> FilterName {
  FilterName(attributes.first { $0.type == type }?.text ?? [])
}

private func readChain(_ attributes: [Attribute]) throws(NetlinkParseError) -> FilterChain {
  var chain = FilterChain(name: name(3, attributes), rules: [])
  var policy = FilterChain.Policy.accept
  for attribute in attributes {
    switch attribute.type {
    case 4:
      var hook: FilterChain.Hook?
      var priority: Int32 = 0
      for part in try attribute.nested() {
        switch part.type {
        case 1: hook = FilterChain.Hook(rawValue: try part.bigEndian32())
        case 2: priority = Int32(bitPattern: try part.bigEndian32())
        default: break
        }
      }
      guard let hook else { throw .wrongValue(offset: attribute.value.startIndex) }
      chain.base = FilterChain.Base(hook: hook, priority: priority, policy: policy)
    case 5:
      guard let known = FilterChain.Policy(rawValue: try attribute.bigEndian32()) else {
        throw .wrongValue(offset: attribute.value.startIndex)
      }
      policy = known
    default: break
    }
  }
  chain.base?.policy = policy
  return chain
}

private func readRule(_ attributes: [Attribute]) throws(NetlinkParseError) -> FilterRule {
  var rule = FilterRule([])
  for attribute in attributes {
    switch attribute.type {
    case 4:
      for element in try attribute.nested() where element.type == 1 {
        rule.expressions.append(try FilterExpression(element))
      }
    case 7: rule.comment = readComment(attribute.value)
    default: break
    }
  }
  return rule
}

/// nft's user data: pieces of a type, a length and that many bytes; type 0 is a comment. Anything else has no comment.
private func readComment(_ userData: ArraySlice<UInt8>) -> [UInt8] {
  var rest = userData
  while rest.count >= 2 {
    let length = Int(rest.byte(at: 1))
    let value = rest.dropFirst(2).prefix(length)
    if rest.byte(at: 0) == 0 { return [UInt8](value.prefix { $0 != 0 }) }
    rest = rest.dropFirst(2 + length)
  }
  return []
}

private func readSet(_ attributes: [Attribute]) throws(NetlinkParseError) -> FilterSet {
  var flags = FilterSet.Flags()
  var number: UInt32 = 0
  var size: UInt32 = 0
  var set = FilterSet(name: name(2, attributes), kind: .port)
  for attribute in attributes {
    switch attribute.type {
    case 3: flags = FilterSet.Flags(rawValue: try attribute.bigEndian32())
    case 4: number = try attribute.bigEndian32()
    case 5: size = try attribute.bigEndian32()
    case 9:
      for part in try attribute.nested() where part.type == 1 { set.capacity = try part.bigEndian32() }
    case 11: set.timeout = try attribute.bigEndian64()
    default: break
    }
  }
  set.kind = FilterSet.Kind(number: number, size: size)
  set.flags = flags
  return set
}

private func readElements(_ attributes: [Attribute]) throws(NetlinkParseError) -> [[UInt8]] {
  var found: [[UInt8]] = []
  for attribute in attributes where attribute.type == 3 {
    for element in try attribute.nested() where element.type == 1 {
      for part in try element.nested() where part.type == 1 { found.append(try part.value(1)) }
    }
  }
  return found
}

/// Nil for an object that is not a connection helper.
private func readHelper(_ attributes: [Attribute]) throws(NetlinkParseError) -> FilterMessage? {
  var type: UInt32?
  var tracker = FilterName([])
  var transport: UInt8 = 0
  for attribute in attributes where attribute.type == 3 { type = try attribute.bigEndian32() }
  guard type == ConnectionHelper.objectType else { return nil }
  for attribute in attributes where attribute.type == 4 {
    for part in try attribute.nested() {
      switch part.type {
      case 1: tracker = FilterName(part.text)
      case 3: transport = try part.byte()
      default: break
      }
    }
  }
  let helper = ConnectionHelper(
    name: name(2, attributes), tracker: tracker, transport: TransportProtocol(rawValue: transport))
  return .helper(helper, table: name(1, attributes))
}

extension Attribute {
  /// The bytes of an attribute inside this one, as NFTA_DATA_VALUE; empty if there is none.
  func value(_ type: UInt16) throws(NetlinkParseError) -> [UInt8] {
    for part in try nested() where part.type == type { return [UInt8](part.value) }
    return []
  }
}
