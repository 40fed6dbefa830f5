import Bytes

/// Changes to the packet filter that the kernel makes all at once or not at all (nfnetlink's batch).
public struct FilterBatch: Equatable, Sendable {
  /// The changes in order; the batch's begin and end come on top when it is encoded.
  public private(set) var requests: [NetlinkRequest] = []
  private var nextSet: UInt32 = 1
  private let family: FilterFamily

  /// - Parameter family: of the tables that are changed.
  public init(family: FilterFamily = .ipv4) { self.family = family }

  /// Replaces the table of this name and its contents. There is no moment without a filter: the
  /// old rules count until the new ones do.
  public mutating func replace(_ table: FilterTable) {
    // Deleting fails if there is nothing to delete, adding does not fail if there is something.
    addTable(table.name)
    deleteTable(table.name)
    addTable(table.name)
    for set in table.sets { add(set, to: table.name) }
    for helper in table.helpers { add(helper, to: table.name) }
    // All chains before any rule: rules may jump to them.
    for chain in table.chains { addChain(chain.name, base: chain.base, to: table.name) }
    for chain in table.chains {
      for rule in chain.rules { append(rule, to: chain.name, of: table.name) }
    }
  }

  /// Brings a table into this state, whatever of it is there already: its sets are made or keep their elements, its chains
  /// have these rules and no others. What else is in the table stays. There is no moment without a filter.
  /// - Parameter keeping: chains whose rules stay as they are.
  public mutating func install(_ table: FilterTable, keeping: [FilterName] = []) {
    addTable(table.name)
    for set in table.sets { add(set, to: table.name) }
    for helper in table.helpers { add(helper, to: table.name) }
    for chain in table.chains { addChain(chain.name, base: chain.base, to: table.name) }
    for chain in table.chains where !keeping.contains(chain.name) {
      flush(chain: chain.name, of: table.name)
      for rule in chain.rules { append(rule, to: chain.name, of: table.name) }
    }
  }

  /// Makes a table if there is none of the name.
  public mutating func addTable(_ name: FilterName) {
    request(.newTable, .create) { $0.attribute(1, text: name.bytes) }
  }

  /// Removes a table and its contents; the batch fails if there is none.
  public mutating func deleteTable(_ name: FilterName) {
    request(.deleteTable) { $0.attribute(1, text: name.bytes) }
  }

  /// Makes a chain without rules, or leaves the one that is there.
  public mutating func addChain(_ name: FilterName, base: FilterChain.Base? = nil, to table: FilterName) {
    request(.newChain, .create) { body in
      body.attribute(1, text: table.bytes)
      body.attribute(3, text: name.bytes)
      guard let base else { return }
      body.nested(4) { hook in
        hook.attribute(1, bigEndian: base.hook.rawValue)
        hook.attribute(2, bigEndian: UInt32(bitPattern: base.priority))
      }
      body.attribute(5, bigEndian: base.policy.rawValue)
      body.attribute(7, text: [UInt8]("filter"))
    }
  }

  /// Removes all rules of a chain.
  public mutating func flush(chain: FilterName, of table: FilterName) {
    request(.deleteRule) { body in
      body.attribute(1, text: table.bytes)
      body.attribute(2, text: chain.bytes)
    }
  }

  /// Puts a rule behind the chain's others.
  public mutating func append(_ rule: FilterRule, to chain: FilterName, of table: FilterName) {
    request(.newRule, [.create, .append]) { rule.append(to: &$0, chain, table) }
  }

  /// Puts a rule before the chain's others.
  public mutating func prepend(_ rule: FilterRule, to chain: FilterName, of table: FilterName) {
    request(.newRule, .create) { rule.append(to: &$0, chain, table) }
  }

  /// Makes a set with its elements. If there is one of the name, it must be of the same kind.
  public mutating func add(_ set: FilterSet, to table: FilterName) {
    let number = nextSet
    nextSet &+= 1
    request(.newSet, .create) { body in
      body.attribute(1, text: table.bytes)
      body.attribute(2, text: set.name.bytes)
      body.attribute(3, bigEndian: set.flags.rawValue)
      body.attribute(4, bigEndian: set.kind.number)
      body.attribute(5, bigEndian: set.kind.size)
      // The kernel wants a number that is unique in the batch, even for a set with a name.
      body.attribute(10, bigEndian: number)
      if set.capacity != 0 { body.nested(9) { $0.attribute(1, bigEndian: set.capacity) } }
      if set.timeout != 0 { body.attribute(11, bigEndian: set.timeout) }
    }
    add(set.elements, to: set.name, of: table)
  }

  /// Puts elements in a set; those that are in it already stay.
  public mutating func add(_ elements: [[UInt8]], to set: FilterName, of table: FilterName) {
    change(elements, of: set, in: table, .newElements, .create)
  }

  /// Removes elements from a set; the batch fails if one is not in it.
  public mutating func remove(_ elements: [[UInt8]], from set: FilterName, of table: FilterName) {
    change(elements, of: set, in: table, .deleteElements, [])
  }

  /// Removes all elements of a set.
  public mutating func empty(_ set: FilterName, of table: FilterName) {
    request(.deleteElements) { body in
      body.attribute(1, text: table.bytes)
      body.attribute(2, text: set.bytes)
    }
  }

  /// Makes a helper that rules can give to connections.
  public mutating func add(_ helper: ConnectionHelper, to table: FilterName) {
    request(.newObject, .create) { body in
      body.attribute(1, text: table.bytes)
      body.attribute(2, text: helper.name.bytes)
      body.attribute(3, bigEndian: ConnectionHelper.objectType)
      body.nested(4) { data in
        data.attribute(1, text: helper.tracker.bytes)
        data.attribute(2, UInt16(internetFamily).bigEndianBytes)
        data.attribute(3, [helper.transport.rawValue])
      }
    }
  }

  private mutating func change(
    _ elements: [[UInt8]], of set: FilterName, in table: FilterName, _ message: FilterMessageType, _ flags: MessageFlags
  ) {
    // An attribute holds 64 KiB, of which an element of 16 bytes takes 28.
    let most = 1024
    var rest = elements[...]
    while !rest.isEmpty {
      let part = rest.prefix(most)
      rest = rest.dropFirst(most)
      request(message, flags) { body in
        body.attribute(1, text: table.bytes)
        body.attribute(2, text: set.bytes)
        body.nested(3) { list in
          for element in part { list.nested(1) { $0.value(1, element) } }
        }
      }
    }
  }

  private mutating func request(
    _ message: FilterMessageType, _ flags: MessageFlags = [], _ content: (inout MessageBody) -> Void
  ) {
    var body = MessageBody(filterStructure(family: family.rawValue))
    content(&body)
    requests.append(NetlinkRequest(type: message.number, flags: flags.union(.request), body: body))
  }

  /// Everything as one datagram. The messages are numbered from `sequence` on: the begin has it, the first change the
  /// next, and the end the last. Only the last change asks for an answer: one answer means that all was done, for a change
  /// that fails is answered in any case.
  ///
  /// Nil if the batch is empty or a rule is too long to encode.
  public func encoded(sequence: UInt32) -> [UInt8]? {
    guard !requests.isEmpty, !requests.contains(where: { $0.body.overflowed }) else { return nil }
    let bracket = MessageBody(filterStructure(family: 0, resource: FilterMessageType.subsystem))
    var number = sequence
    var out = NetlinkRequest(type: 0x10, flags: .request, body: bracket).encoded(sequence: number)
    for (index, request) in requests.enumerated() {
      number &+= 1
      var request = request
      if index == requests.count - 1 { request.flags.insert(.acknowledge) }
      out += request.encoded(sequence: number)
    }
    out += NetlinkRequest(type: 0x11, flags: .request, body: bracket).encoded(sequence: number &+ 1)
    return out
  }
}

extension FilterRule {
  fileprivate func append(to body: inout MessageBody, _ chain: FilterName, _ table: FilterName) {
    body.attribute(1, text: table.bytes)
    body.attribute(2, text: chain.bytes)
    body.nested(4) { list in
      for expression in expressions { expression.append(to: &list) }
    }
    // nft's own convention for user data: type 0 is a comment, then its length, then text with the zero that ends it.
    let text = comment.prefix(127)
    if !text.isEmpty { body.attribute(7, [0, UInt8(text.count + 1)] + text + [0]) }
  }
}

/// `struct nfgenmsg`: family (2 is IPv4), version 0, resource in network order.
func filterStructure(family: UInt8 = internetFamily, resource: UInt16 = 0) -> [UInt8] {
  [family, 0] + resource.bigEndianBytes
}

/// Messages of nf_tables (NFT_MSG_).
enum FilterMessageType: UInt16 {
  case newTable = 0
  case getTable, deleteTable
  case newChain, getChain, deleteChain
  case newRule, getRule, deleteRule
  case newSet, getSet, deleteSet
  case newElements, getElements, deleteElements
  case newObject = 18
  case getObject, deleteObject

  /// NFNL_SUBSYS_NFTABLES.
  static let subsystem: UInt16 = 10

  /// The type in the message's header: subsystem and message.
  var number: UInt16 { FilterMessageType.subsystem << 8 | rawValue }

  /// Nil for a type of another subsystem, or one not named here.
  init?(number: UInt16) {
    guard number >> 8 == FilterMessageType.subsystem else { return nil }
    self.init(rawValue: number & 0xFF)
  }
}
