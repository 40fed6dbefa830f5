import Addresses
import Bytes

/// Who may join: joiners that wait, those that an operator approved, and limits on connections from strangers. It knows of
/// keys only their fingerprints (SHA-256, 32 bytes), and of time only what it is told, in milliseconds.
public struct Admission: Sendable {
  /// A joiner that waits for approval.
  public struct Pending: Equatable, Sendable {
    public let fingerprint: [UInt8]
    public var address: IPv4Address
    public let since: UInt64
    /// When it last asked.
    public var asked: UInt64
  }

  /// What to answer to a join request.
  public enum Answer: Equatable, Sendable {
    case admit
    case wait
    case refuse([UInt8])
  }

  /// A key that the operator has approved.
  public struct Approval: Equatable, Sendable {
    public let fingerprint: [UInt8]
    /// Its joiner waits and is admitted at once; any other must ask before `approvalLife` is over.
    public let isWaiting: Bool

    public init(fingerprint: [UInt8], isWaiting: Bool) {
      self.fingerprint = fingerprint
      self.isWaiting = isWaiting
    }
  }

  public enum ApprovalError: Error, Equatable, Sendable {
    /// Nobody with a fingerprint that begins so has asked, and it is not whole.
    case unknown
    /// Several have.
    case ambiguous
    /// Too many approved joiners have not come yet.
    case full
  }

  /// A waiting joiner is forgotten when it has not asked for so long; joiners ask every few seconds.
  public static let pendingLife: UInt64 = 30_000
  /// An approval that nobody used ends after so long.
  public static let approvalLife: UInt64 = 3_600_000
  public static let mostPending = 64
  static let mostPendingPerAddress = 4
  static let mostApproved = 64
  /// Connections at once whose peer has not proved to be a member: from one address, from all that are no member's, and from
  /// all that are.
  public static let strangersPerAddress = 4
  public static let strangers = 32
  public static let memberAddresses = 64
  /// Connections at once whose peer has proved to be a member: of one, and in total. Each may hold half a map.
  public static let perMember = 4
  public static let members = 64

  /// Whether this node can certify keys: it holds the authority's.
  public var canCertify: Bool
  public private(set) var pending: [Pending] = []
  private var approved: [(fingerprint: [UInt8], until: UInt64)] = []
  private var windowEnd: UInt64?
  /// In the order in which they came, or proved to be members.
  private var connections: [(channel: UInt32, holder: Holder)] = []

  public init(canCertify: Bool) { self.canCertify = canCertify }

  // MARK: Connections

  /// Whether a connection that came in may stay.
  public enum Entrance: Equatable, Sendable {
    case free
    /// It may, in place of the one with this channel, which is to be closed.
    case insteadOf(UInt32)
    /// It must be closed at once.
    case full
  }

  /// Whose a connection is. Each kind has places of its own.
  private enum Holder: Equatable, Sendable {
    case stranger(IPv4Address)
    /// A live member has this address.
    case memberAddress(IPv4Address)
    case member(key: [UInt8])

    /// How many places all of its kind have.
    var most: Int {
      switch self {
      case .stranger: Admission.strangers
      case .memberAddress: Admission.memberAddresses
      case .member: Admission.members
      }
    }

    func isRival(of other: Holder) -> Bool {
      switch (self, other) {
      case (.stranger, .stranger), (.memberAddress, .memberAddress), (.member, .member): true
      default: false
      }
    }
  }

  /// A connection came in, whose peer has proved nothing yet.
  ///
  /// So many may stay from one address, and so many in total. Whoever holds most places loses the oldest one to an address
  /// that holds fewer: neither silence from many addresses nor a flood from a few keeps others out for long. Members'
  /// addresses have places of their own, and compete for them in the same way.
  ///
  /// - Parameter isMemberAddress: a live member has this address.
  public mutating func connected(
    _ channel: UInt32, from address: IPv4Address, isMemberAddress: Bool = false
  ) -> Entrance {
    let holder: Holder = isMemberAddress ? .memberAddress(address) : .stranger(address)
    guard held(by: holder) < Admission.strangersPerAddress else { return .full }
    return enter(channel, holder)
  }

  /// The connection's peer has proved to be the member with this key: it leaves its place to others.
  ///
  /// A member that holds as many connections as it may loses its oldest; when all members together do, whoever holds most.
  /// - Returns: the connection that is to be closed for it, which may be this one itself; nil for none.
  public mutating func receiveEstablishment(of channel: UInt32, by key: [UInt8]) -> UInt32? {
    receiveEnd(of: channel)
    let holder = Holder.member(key: key)
    if held(by: holder) >= Admission.perMember, let place = connections.firstIndex(where: { $0.holder == holder }) {
      let former = connections.remove(at: place).channel
      connections.append((channel, holder))
      return former
    }
    switch enter(channel, holder) {
    case .free: return nil
    case .insteadOf(let former): return former
    case .full: return channel
    }
  }

  /// The connection has ended: it does not count any longer.
  public mutating func receiveEnd(of channel: UInt32) { connections.removeAll { $0.channel == channel } }

  private mutating func enter(_ channel: UInt32, _ holder: Holder) -> Entrance {
    let rivals = connections.reduce(0) { $0 + ($1.holder.isRival(of: holder) ? 1 : 0) }
    guard rivals >= holder.most else {
      connections.append((channel, holder))
      return .free
    }
    let holders = connections.map { $0.holder }
    guard let place = oldestOfFullest(holders, above: held(by: holder), { holders[$0].isRival(of: holder) }) else {
      return .full
    }
    let former = connections.remove(at: place).channel
    connections.append((channel, holder))
    return .insteadOf(former)
  }

  private func held(by holder: Holder) -> Int { places(of: holder, in: connections.map { $0.holder }) }

  /// Connections of strangers that count.
  public var halfOpen: Int {
    connections.reduce(0) { if case .stranger = $1.holder { $0 + 1 } else { $0 } }
  }

  // MARK: Join requests

  /// A joiner asks. What is approved once is admitted as often as it asks until the approval ends, since the answer may get
  /// lost.
  public mutating func request(_ fingerprint: [UInt8], from address: IPv4Address, at now: UInt64) -> Answer {
    forget(at: now)
    guard canCertify else {
      return .refuse(
        [UInt8](
          "this member does not hold the cluster's key and cannot admit anybody; join at one that does (tyd --status)"))
    }
    if approved.contains(where: { $0.fingerprint == fingerprint }) || windowEnd != nil {
      pending.removeAll { $0.fingerprint == fingerprint }
      return .admit
    }
    if let place = pending.firstIndex(where: { $0.fingerprint == fingerprint }) {
      pending[place].asked = now
      pending[place].address = address
      return .wait
    }
    guard makeRoom(for: address) else {
      return .refuse([UInt8]("too many joiners are waiting for approval; try again later"))
    }
    pending.append(Pending(fingerprint: fingerprint, address: address, since: now, asked: now))
    return .wait
  }

  /// Whether one more joiner from this address may wait. When all places are taken, the address that has most of them loses its
  /// oldest one to an address that then has no more.
  private mutating func makeRoom(for address: IPv4Address) -> Bool {
    let addresses = pending.map { $0.address }
    let own = places(of: address, in: addresses)
    guard own < Admission.mostPendingPerAddress else { return false }
    guard pending.count >= Admission.mostPending else { return true }
    guard let place = oldestOfFullest(addresses, above: own + 1) else { return false }
    pending.remove(at: place)
    return true
  }

  // MARK: Places

  private func places<Owner: Equatable>(of holder: Owner, in holders: [Owner]) -> Int {
    holders.reduce(0) { $0 + ($1 == holder ? 1 : 0) }
  }

  /// The oldest place of the holder that has most, if it has more than `least`; of the places that may be lost.
  private func oldestOfFullest<Owner: Equatable>(
    _ holders: [Owner], above least: Int, _ mayBeLost: (Int) -> Bool = { _ in true }
  ) -> Int? {
    var most = least
    var place: Int?
    for (index, holder) in holders.enumerated() where mayBeLost(index) {
      let count = places(of: holder, in: holders)
      if count > most {
        most = count
        place = index
      }
    }
    return place
  }

  // MARK: The operator

  /// Approves a key. A whole fingerprint (64 digits) may be approved before its joiner asks; a beginning of
  /// `Fingerprint.fewestDigits` or more must be that of exactly one that waits.
  public mutating func approve(_ digits: [UInt8], at now: UInt64) throws(ApprovalError) -> Approval {
    forget(at: now)
    let matching = pending.filter { Fingerprint(bytes: $0.fingerprint)?.begins(with: digits) == true }
    guard matching.count <= 1 else { throw .ambiguous }
    guard let fingerprint = matching.first?.fingerprint ?? Fingerprint(text: digits)?.bytes else { throw .unknown }
    approved.removeAll { $0.fingerprint == fingerprint }
    guard approved.count < Admission.mostApproved else { throw .full }
    approved.append((fingerprint, now &+ Admission.approvalLife))
    return Approval(fingerprint: fingerprint, isWaiting: !matching.isEmpty)
  }

  /// Admits whoever asks until so many minutes have passed; 0 ends that.
  public mutating func openWindow(minutes: UInt16, at now: UInt64) {
    windowEnd = minutes == 0 ? nil : now &+ UInt64(minutes) &* 60_000
  }

  /// For how many seconds more everybody is admitted; nil if nobody is without approval.
  public func windowSeconds(at now: UInt64) -> UInt64? {
    guard let end = windowEnd, end > now else { return nil }
    return (end &- now &+ 999) / 1000
  }

  /// Takes a key's approval back: its node was removed.
  public mutating func revoke(_ fingerprint: [UInt8]) { approved.removeAll { $0.fingerprint == fingerprint } }

  /// Drops what has lasted too long.
  public mutating func forget(at now: UInt64) {
    pending.removeAll { now &- $0.asked >= Admission.pendingLife }
    approved.removeAll { $0.until <= now }
    if let end = windowEnd, end <= now { windowEnd = nil }
  }
}
