import DroneLayout
import Bytes
import Netlink

/// A rule of the machine's own that keeps out, or in, what a cluster needs.
public struct FilterObstacle: Equatable, Sendable {
  /// What is dropped.
  public enum Traffic: Equatable, Sendable, CaseIterable {
    /// New TCP connections to the control port, that come or leave.
    case control, controlOut
    /// ESP.
    case esp, espOut
    /// The members' messages about the cluster, after they leave ESP and before they enter it.
    case membership, membershipOut

    fileprivate var leaves: Bool { self == .controlOut || self == .espOut || self == .membershipOut }
  }

  public var traffic: Traffic
  public var family: FilterFamily
  public var table: FilterName
  /// The base chain at which it ends.
  public var chain: FilterName

  /// `table inet filter, chain input drops new connections to TCP port 3278`.
  public var text: [UInt8] {
    let version: [UInt8] =
      switch family {
      case .internet: [UInt8]("inet")
      case .ipv6: [UInt8]("ip6")
      default: [UInt8]("ip")
      }
    let what: [UInt8] =
      switch traffic {
      case .control, .controlOut: [UInt8]("new connections to TCP port 3278")
      case .esp, .espOut: [UInt8]("ESP")
      case .membership: [UInt8]("UDP port 3278 out of ESP, which `meta secpath exists accept` lets in")
      case .membershipOut: [UInt8]("UDP port 3278, which goes into ESP")
      }
    return [UInt8]("table ") + version + [UInt8](" ") + table.bytes + [UInt8](", chain ") + chain.bytes
      + [UInt8](" drops ") + what
  }
}

/// The packet filter of a machine, to be asked whether a packet of the cluster's would come in, or leave.
///
/// The answer is a judgement: conditions on what is not known of the packet (its source, its interface, marks, what other
/// modules of the kernel would say) may hold or not. Only what is dropped in any case is called an obstacle, so one that
/// drops some sources only is not found; and rules outside nf_tables (the old iptables) are not seen at all.
public struct HostRules: Sendable {
  private struct Place: Hashable, Sendable {
    var family: FilterFamily
    var table: FilterName
    var name: FilterName
  }

  private var chains: [Place: FilterChain] = [:]
  /// In the order in which they came.
  private var order: [Place] = []
  private var sets: [Place: FilterSet] = [:]

  public init() {}

  /// Reads the whole filter of the machine.
  /// - Parameter list: asks the kernel for a list.
  public static func read<Failure: Error>(
    _ list: (NetlinkRequest) throws(Failure) -> [NetlinkMessage]
  ) throws(Failure) -> HostRules {
    var found = HostRules()
    for family in [FilterFamily.internet, .ipv4] {
      for request in [
        NetlinkRequest.listFilterChains(of: family), .listFilterRules(of: family), .listFilterSets(of: family),
      ] {
        for message in try list(request) { found.add(message) }
      }
    }
    for place in found.sets.keys {
      // A set that went meanwhile has no elements.
      let elements = NetlinkRequest.listElements(of: place.name, in: place.table, family: place.family)
      for message in (try? list(elements)) ?? [] { found.add(message) }
    }
    return found
  }

  /// Takes an answer to a list of chains, rules, sets or elements of any family, in this order. Rules that cannot be read may
  /// mean anything.
  public mutating func add(_ message: NetlinkMessage) {
    let family = FilterFamily(rawValue: message.payload.first ?? 0)
    guard let read = try? FilterMessage(message, family: family) else { return addUnreadable(message) }
    switch read {
    case .chain(let chain, let table):
      let place = Place(family: family, table: table, name: chain.name)
      if chains.updateValue(chain, forKey: place) == nil { order.append(place) }
    case .rule(let rule, let chain, let table):
      chains[Place(family: family, table: table, name: chain)]?.rules.append(rule)
    case .set(let set, let table): sets[Place(family: family, table: table, name: set.name)] = set
    case .elements(let elements, let set, let table):
      sets[Place(family: family, table: table, name: set)]?.elements += elements
    case .table, .helper, .other: break
    }
  }

  private mutating func addUnreadable(_ message: NetlinkMessage) {
    guard let (table, chain) = FilterMessage.ruleNames(message) else { return }
    let family = FilterFamily(rawValue: message.payload.first ?? 0)
    chains[Place(family: family, table: table, name: chain)]?.rules.append(FilterRule([.unknown(name: [])]))
  }

  /// What would be dropped over IPv4, at which base chains.
  public func obstacles() -> [FilterObstacle] {
    var found: [FilterObstacle] = []
    for place in order where place.family == .internet || place.family == .ipv4 {
      guard let chain = chains[place], let base = chain.base, base.hook != .forward else { continue }
      let isOnWayOut = base.hook == .output || base.hook == .postrouting
      for traffic in FilterObstacle.Traffic.allCases where traffic.leaves == isOnWayOut {
        var packet = ClusterPacket(traffic)
        var fate = judge(chain, at: place, &packet, depth: 0)
        if fate == .goesOn { fate = base.policy == .drop ? .dropped : .accepted }
        if fate == .dropped {
          found.append(
            FilterObstacle(traffic: traffic, family: place.family, table: place.table, chain: place.name))
        }
      }
    }
    return found
  }

  private enum Fate { case dropped, accepted, goesOn, unsure }

  /// - Parameter depth: how many jumps led here; the kernel allows 16.
  private func judge(_ chain: FilterChain, at place: Place, _ packet: inout ClusterPacket, depth: Int) -> Fate {
    guard depth <= 16 else { return .unsure }
    /// A rule that might have accepted, or led to where it might be accepted.
    var doubt = false
    for rule in chain.rules {
      switch rule.fate(of: &packet, set: { sets[Place(family: place.family, table: place.table, name: $0)] }) {
      case .passesBy: continue
      case .unclear(let verdict):
        if verdict == .drop { continue }
        doubt = true
      case .verdict(.accept): return .accepted
      case .verdict(.drop): return doubt ? .unsure : .dropped
      case .verdict(.return): return doubt ? .unsure : .goesOn
      case .verdict(.jump(let name)), .verdict(.goto(let name)):
        let target = Place(family: place.family, table: place.table, name: name)
        guard let next = chains[target] else { return .unsure }
        let fate = judge(next, at: target, &packet, depth: depth + 1)
        if fate == .accepted { return .accepted }
        if fate == .unsure { return .unsure }
        if fate == .dropped { return doubt ? .unsure : .dropped }
      }
    }
    return doubt ? .unsure : .goesOn
  }
}

/// What is known of a packet: the first of a connection from or to a stranger, or any of a member's.
private struct ClusterPacket {
  let transport: TransportProtocol
  let port: UInt16?
  let leaves: Bool
  /// Out of ESP or on the way into it. Both sides send from one port to the same, so what answers and what begins is all one.
  let isMembership: Bool
  /// What the rule has loaded; nil for what is not known.
  var registers: [FilterExpression.Register: [UInt8]] = [:]
  /// Where the rule has loaded the interface that the packet came by, or leaves by: any but the loopback.
  var interface: FilterExpression.Register?

  init(_ traffic: FilterObstacle.Traffic) {
    leaves = traffic.leaves
    isMembership = traffic == .membership || traffic == .membershipOut
    switch traffic {
    case .control, .controlOut: transport = .tcp
    case .esp, .espOut: transport = .esp
    case .membership, .membershipOut: transport = .udp
    }
    port = transport == .esp ? nil : ClusterPorts.control
  }

  var state: [UInt8]? { isMembership ? nil : [UInt8(ConnectionState.new.rawValue), 0, 0, 0] }

  func isInterface(_ key: FilterExpression.MetaKey) -> Bool {
    leaves
      ? key == .outputInterface || key == .outputName : key == .inputInterface || key == .inputName
  }

  func value(_ key: FilterExpression.MetaKey) -> [UInt8]? {
    switch key {
    case .transport: [transport.rawValue]
    case .version: [2]
    case .secured: [isMembership && !leaves ? 1 : 0]
    // Ethernet's number of IPv4, in the packet's order.
    case .protocolNumber: [8, 0]
    default: nil
    }
  }

  func payload(_ header: FilterExpression.Header, _ offset: UInt32, _ count: UInt32) -> [UInt8]? {
    switch (header, offset, count) {
    case (.network, 9, 1): [transport.rawValue]
    case (.transport, 0, 2): isMembership ? port.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } : nil
    case (.transport, 2, 2): port.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    // SYN alone.
    case (.transport, 13, 1): transport == .tcp ? [2] : nil
    default: nil
    }
  }

  mutating func load(_ value: [UInt8]?, into register: FilterExpression.Register) {
    registers[register] = value
    if interface == register { interface = nil }
  }

  /// What a comparison of the interface with this number or name gives; nil for one that it may have come by.
  func comesBy(_ comparison: FilterExpression.Comparison, _ value: [UInt8]) -> Bool? {
    let isNumber = value.count == 4 && value[0] == 1 && value.dropFirst().allSatisfy { $0 == 0 }
    let isLoopback = isNumber || value.count == 16 && value.starts(with: [UInt8]("lo\0"))
    guard isLoopback else { return nil }
    return switch comparison {
    case .equal: false
    case .notEqual: true
    default: nil
    }
  }
}

private enum RuleFate {
  /// It is not for the packet, or decides nothing.
  case passesBy
  case verdict(FilterExpression.Verdict)
  /// It might be for the packet, and would decide so; nil: nobody knows.
  case unclear(FilterExpression.Verdict?)
}

extension FilterRule {
  fileprivate func fate(of packet: inout ClusterPacket, set: (FilterName) -> FilterSet?) -> RuleFate {
    var unclear = false
    packet.registers = [:]
    packet.interface = nil
    for expression in expressions {
      var holds: Bool?
      switch expression {
      case .meta(let key, let register):
        packet.load(packet.value(key), into: register)
        if packet.isInterface(key) { packet.interface = register }
        holds = true
      case .load(let value, let register):
        packet.load(value, into: register)
        holds = true
      case .setMeta: holds = true
      case .connection(let key, let register):
        packet.load(key == .state ? packet.state : nil, into: register)
        holds = true
      case .payload(let header, let offset, let count, let register):
        packet.load(packet.payload(header, offset, count), into: register)
        holds = true
      case .route(_, let register), .sourceKind(let register), .socketGroup(_, let register):
        packet.load(nil, into: register)
        holds = true
      case .bitwise(let mask, let flip, let register):
        if let value = packet.registers[register], value.count == mask.count, mask.count == flip.count {
          packet.load(value.indices.map { value[$0] & mask[$0] ^ flip[$0] }, into: register)
        } else {
          packet.load(nil, into: register)
        }
        holds = true
      case .compare(let comparison, let value, let register):
        holds =
          packet.interface == register
          ? packet.comesBy(comparison, value) : packet.registers[register].flatMap { comparison.holds($0, value) }
      case .range(let from, let to, let inverted, let register):
        if let value = packet.registers[register], value.count == from.count, value.count == to.count {
          let inside = !value.lexicographicallyPrecedes(from) && !to.lexicographicallyPrecedes(value)
          holds = inside != inverted
        }
      case .lookup(let name, let inverted, let register):
        if let value = packet.registers[register], let set = set(name), !set.flags.contains(.ranges) {
          holds = set.elements.contains(value) != inverted
        }
      case .log, .counter, .assignHelper, .notTracked: holds = true
      case .limit, .update, .updateOverLimit, .unknown: holds = nil
      case .reject: return unclear ? .unclear(.drop) : .verdict(.drop)
      case .verdict(let verdict): return unclear ? .unclear(verdict) : .verdict(verdict)
      }
      if holds == false { return .passesBy }
      if holds == nil { unclear = true }
    }
    // What is not read here may decide as well.
    let hasUnknown = expressions.contains { if case .unknown = $0 { true } else { false } }
    return hasUnknown ? .unclear(nil) : .passesBy
  }
}

extension FilterExpression.Comparison {
  /// Nil for values of different sizes.
  fileprivate func holds(_ left: [UInt8], _ right: [UInt8]) -> Bool? {
    guard left.count == right.count else { return nil }
    let less = left.lexicographicallyPrecedes(right)
    return switch self {
    case .equal: left == right
    case .notEqual: left != right
    case .less: less
    case .lessOrEqual: less || left == right
    case .greater: !less && left != right
    case .greaterOrEqual: !less
    }
  }
}
