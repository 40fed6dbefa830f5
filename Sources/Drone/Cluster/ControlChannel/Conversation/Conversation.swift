import Bytes
import Membership

/// What the driver of `Conversation` has to do, in this order.
public enum ConversationCommand: Equatable, Sendable {
  // For the other side.
  /// Send a `hello`, or a `join`, with this node's own record.
  case sayHello
  case sayJoin
  case say(ControlMessage)
  /// Send the map of the cluster, or this node's own part of it.
  case sayMap
  case sayOwnMap
  /// Count the objection, send its sentence if it has one, and end the connection.
  case refuse(Objection)
  /// End the connection once what was sent has gone.
  case close
  /// End it at once, without a word: it has lasted for too long.
  case drop

  // For this node.
  /// The other side is a member: it is none of the strangers any longer.
  case establish
  /// Tell `Tunnels` that the connection that it wanted stands; that a message came; that an offer did, from a member whose
  /// own description, in case nobody here knows it yet, is this.
  case tunnelOpened
  case tunnel(ControlMessage)
  case offer(TunnelOffer, record: [UInt8])
  /// A member says that it is so late.
  case believe(seconds: UInt64)
  case merge(map: [UInt8])
  /// Enter the cluster with this map; it is done.
  case enter(map: [UInt8])
  case entered
  /// Somebody with a key of his own asks to be admitted, and is to be answered; a member asks, who has what it wants.
  case admit(NodeRecord)
  case confirm
  /// The answers to this node's own request to be admitted.
  case wait(fingerprint: [UInt8])
  case admitted(certificate: [UInt8], authority: [UInt8])
  /// This node cannot join here, and why, as a phrase.
  case giveUp([UInt8])
}

/// What two nodes say over one connection of the control channel: which message may come when, what follows from it, and how
/// long it may all last. It holds no socket, no key and no clock.
///
/// Whoever drives it calls `receivePeer` once the other side has proved who it is, then `receive` for each message, and carries out the
/// commands that these give, in their order, and `step` when `nextDue` has come. What is wrong with what
/// the other side says is an `Objection`, and each is counted by one counter of `Refusals`.
public struct Conversation: Sendable {
  /// What the connection is for.
  public enum Purpose: Equatable, Sendable {
    /// Somebody came.
    case incoming
    /// Ask to be admitted.
    case admission
    /// Enter the cluster: fetch the map, hand in the own record.
    case entry
    /// Compare maps with a node that was thought dead.
    case reunion
    /// One negotiation of a pair of security associations with the node that has this key.
    case tunnel(fingerprint: [UInt8])
  }

  /// Who the other side has proved to be: somebody with this key, which the cluster's authority has certified or not.
  public struct Peer: Equatable, Sendable {
    public let fingerprint: [UInt8]
    public let isMember: Bool

    public init(fingerprint: [UInt8], isMember: Bool) {
      self.fingerprint = fingerprint
      self.isMember = isMember
    }
  }

  /// This node, as far as it matters to what is said.
  public struct Host: Sendable {
    /// The fingerprint of the cluster's authority.
    public let cluster: [UInt8]
    public let identifier: ClusterIdentifier
    public let isInClear: Bool
    /// False while it is still joining itself.
    public let isIn: Bool

    public init(cluster: [UInt8], identifier: ClusterIdentifier, isInClear: Bool, isIn: Bool) {
      self.cluster = cluster
      self.identifier = identifier
      self.isInClear = isInClear
      self.isIn = isIn
    }
  }

  /// How long a connection that came may last before its peer has proved to be a member, in milliseconds: a handshake, which
  /// takes two slow Pentiums a second, and one request.
  public static let strangersPatience: UInt64 = 10_000
  /// How long it may last in all: a map of a large cluster over a slow line.
  public static let membersPatience: UInt64 = 20_000

  public let purpose: Purpose
  /// When `step` is due, in milliseconds: it is given up then, whatever happens.
  public private(set) var nextDue: UInt64
  /// Nil until the other side has proved who it is.
  public private(set) var peer: Peer?
  /// What the other member said first.
  public private(set) var greeting: Hello?
  /// Who the other member is, by its greeting.
  public private(set) var record: NodeRecord?
  /// Nothing that still comes counts.
  public private(set) var isOver = false
  private let start: UInt64
  private var map: [UInt8] = []
  private var hasAskedForMap = false

  /// A connection that somebody made to this node.
  public init(incomingAt now: UInt64) {
    purpose = .incoming
    start = now
    nextDue = now &+ Conversation.strangersPatience
  }

  /// A connection that this node makes.
  public init(_ purpose: Purpose, at now: UInt64, patience: UInt64) {
    self.purpose = purpose
    start = now
    nextDue = now &+ patience
  }

  /// A part of a map is here, and its last one is not.
  public var isReceivingMap: Bool { !map.isEmpty }

  /// How long a message may be (`FrameReader.limit`). Who came has to say hello before it may be a long one: a removed node's
  /// certificate stands as well. Whom this node asked was chosen by it.
  public var frameLimit: Int {
    guard let peer, peer.isMember, purpose != .incoming || greeting != nil else { return ControlFrame.strangerLimit }
    return ControlFrame.memberLimit
  }

  // MARK: What happens

  /// The other side has proved who it is.
  public mutating func receivePeer(_ peer: Peer) -> [ConversationCommand] {
    guard self.peer == nil, !isOver else { return [] }
    self.peer = peer
    switch purpose {
    // A removed node's certificate stands as well: only its record says who it is.
    case .incoming: return []
    case .admission: return [.sayJoin]
    case .entry, .reunion: return [.sayHello, .say(.mapRequest)]
    case .tunnel(let fingerprint):
      guard peer.isMember, peer.fingerprint == fingerprint else { return object(.unexpected) }
      return [.sayHello, .tunnelOpened]
    }
  }

  /// A message came.
  /// - Parameter objection: what this node has against the machine or the key of a record, from what it knows of the cluster.
  public mutating func receive(
    _ message: ControlMessage, _ host: Host, objection: (NodeRecord) -> Objection?
  ) -> [ConversationCommand] {
    guard !isOver, let peer else { return [] }
    guard peer.isMember else { return receiveFromJoiner(message, peer, host, objection) }
    // It may have been removed since.
    if let record, objection(record) == .removed { return object(.removed) }
    if case .hello(let hello) = message { return greet(hello, peer, host, objection) }
    switch purpose {
    case .incoming:
      guard let greeting else { return object(.noHello) }
      return receiveFromMember(message, greeting, host)
    case .admission: return receiveAdmission(message)
    case .entry: return receiveEntry(message)
    case .reunion: return receiveReunion(message)
    case .tunnel: return [.tunnel(message)]
    }
  }

  /// Gives it up if its time is over.
  public mutating func step(at now: UInt64) -> [ConversationCommand] {
    guard nextDue <= now else { return [] }
    nextDue = .max
    return end([.drop])
  }

  /// What came is no message.
  public mutating func receiveNonsense() -> [ConversationCommand] { isOver ? [] : object(.unreadable) }

  // MARK: Members

  private mutating func greet(
    _ hello: Hello, _ peer: Peer, _ host: Host, _ objection: (NodeRecord) -> Objection?
  ) -> [ConversationCommand] {
    guard greeting == nil else { return object(.unexpected) }
    guard hello.cluster == host.cluster else { return object(.otherCluster) }
    guard let record = Conversation.record(of: hello.record, host), record.fingerprint.bytes == peer.fingerprint else {
      return object(.otherKey)
    }
    if let objection = objection(record) {
      // Nobody there would read it.
      if case .sameHardware = objection, purpose == .entry { return end([.giveUp(objection.sentence)]) }
      return object(objection)
    }
    guard record.isInClear == host.isInClear else {
      guard purpose == .entry else { return object(.otherProtection(isInClear: host.isInClear)) }
      return end([.giveUp(Objection.otherProtection(isInClear: record.isInClear).sentence)])
    }
    greeting = hello
    self.record = record
    guard purpose == .incoming else { return [.believe(seconds: hello.time)] }
    nextDue = start &+ Conversation.membersPatience
    return [.establish, .believe(seconds: hello.time), .sayHello]
  }

  /// The one record in a node's description of itself.
  private static func record(of map: [UInt8], _ host: Host) -> NodeRecord? {
    guard let records = try? Membership.records(of: map, cluster: host.identifier), records.count == 1 else {
      return nil
    }
    return records.first
  }

  private mutating func receiveFromMember(_ message: ControlMessage, _ greeting: Hello, _ host: Host)
    -> [ConversationCommand]
  {
    switch message {
    case .mapRequest:
      guard host.isIn else { return object(.notIn) }
      // Each answer is long: one is enough.
      guard !hasAskedForMap else { return object(.unexpected) }
      hasAskedForMap = true
      return [.sayMap]
    case .map(let part, let isLast): return collect(part, isLast) { [.merge(map: $0), .say(.ready)] }
    case .offer(let offer): return [.offer(offer, record: greeting.record)]
    case .accept, .ready, .refuse: return [.tunnel(message)]
    case .join: return end([.confirm])
    // A farewell goes by gossip; this one only ends the connection.
    case .leave: return end([.close])
    case .hello, .pending, .refused, .admitted: return object(.unexpected)
    }
  }

  /// Puts a map together. Gives `steps` of the whole when its last part has come.
  private mutating func collect(_ part: [UInt8], _ isLast: Bool, _ steps: ([UInt8]) -> [ConversationCommand])
    -> [ConversationCommand]
  {
    guard map.count + part.count <= Membership.largestMap else { return object(.tooMuch) }
    map += part
    guard isLast else { return [] }
    defer { map = [] }
    return steps(map)
  }

  // MARK: Joiners

  /// Somebody whose key nobody has certified may ask once to be admitted.
  private mutating func receiveFromJoiner(
    _ message: ControlMessage, _ peer: Peer, _ host: Host, _ objection: (NodeRecord) -> Objection?
  ) -> [ConversationCommand] {
    guard purpose == .incoming, case .join(let map) = message else { return object(.unexpected) }
    guard let record = Conversation.record(of: map, host), record.fingerprint.bytes == peer.fingerprint else {
      return object(.otherKey)
    }
    if let objection = objection(record) { return object(objection) }
    guard record.isInClear == host.isInClear else { return object(.otherProtection(isInClear: host.isInClear)) }
    return end([.admit(record)])
  }

  // MARK: Joining oneself

  private mutating func receiveAdmission(_ message: ControlMessage) -> [ConversationCommand] {
    switch message {
    case .pending(let fingerprint): return end([.wait(fingerprint: fingerprint), .close])
    case .admitted(let certificate, let authority):
      return end([.admitted(certificate: certificate, authority: authority), .close])
    case .refused(let reason): return end([.giveUp(reason), .close])
    default: return end([.giveUp([UInt8]("it answers with something else")), .close])
    }
  }

  private mutating func receiveEntry(_ message: ControlMessage) -> [ConversationCommand] {
    if case .refused(let reason) = message { return end([.giveUp(reason), .close]) }
    guard greeting != nil else { return object(.noHello) }
    switch message {
    case .map(let part, let isLast): return collect(part, isLast) { [.enter(map: $0), .sayOwnMap] }
    case .ready: return end([.close, .entered])
    default: return end([.giveUp([UInt8]("it answers with something else")), .close])
    }
  }

  /// Two parts of what was one cluster compare what they know.
  private mutating func receiveReunion(_ message: ControlMessage) -> [ConversationCommand] {
    guard greeting != nil else { return end([.close]) }
    guard case .map(let part, let isLast) = message else { return end([.close]) }
    // First what the other believes: in the map that goes back this node has objected to being called dead.
    return collect(part, isLast) { [.merge(map: $0), .sayMap] }
  }

  // MARK: Ends

  private mutating func object(_ objection: Objection) -> [ConversationCommand] { end([.refuse(objection)]) }

  private mutating func end(_ steps: [ConversationCommand]) -> [ConversationCommand] {
    isOver = true
    map = []
    return steps
  }
}
