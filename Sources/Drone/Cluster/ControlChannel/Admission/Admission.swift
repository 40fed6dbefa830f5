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
  /// Connections at once whose peer has not proved to be a member: from one address, and in total.
  public static let strangersPerAddress = 4
  public static let strangers = 32

  /// Whether this node can certify keys: it holds the authority's.
  public var canCertify: Bool
  public private(set) var pending: [Pending] = []
  private var approved: [(fingerprint: [UInt8], until: UInt64)] = []
  private var windowEnd: UInt64?
  /// In the order in which they came.
  private var connections: [(channel: UInt32, address: IPv4Address, isMemberAddress: Bool)] = []

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

  /// A connection came in, whose peer has proved nothing yet.
  ///
  /// So many may stay from one address, and so many in total. Whoever holds most places loses the oldest one to an address
  /// that holds fewer: neither silence from many addresses nor a flood from a few keeps others out for long. Members have
  /// places of their own.
  ///
  /// - Parameter isMemberAddress: a live member has this address.
  public mutating func connected(
    _ channel: UInt32, from address: IPv4Address, isMemberAddress: Bool = false
  ) -> Entrance {
    let own = held(by: address)
    guard own < Admission.strangersPerAddress else { return .full }
    let connection = (channel, address, isMemberAddress)
    guard !isMemberAddress, halfOpen >= Admission.strangers else {
      connections.append(connection)
      return .free
    }
    let place = oldestOfFullest(connections.map { $0.address }, above: own) { !connections[$0].isMemberAddress }
    guard let place else { return .full }
    let former = connections.remove(at: place).channel
    connections.append(connection)
    return .insteadOf(former)
  }

  private func held(by address: IPv4Address) -> Int {
    places(of: address, in: connections.map { $0.address })
  }

  /// The connection's peer has proved to be a member, or the connection has ended: it does not count any longer.
  public mutating func receiveEstablishment(of channel: UInt32) { connections.removeAll { $0.channel == channel } }

  /// Connections that count in total.
  public var halfOpen: Int { connections.reduce(0) { $0 + ($1.isMemberAddress ? 0 : 1) } }

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

  private func places(of address: IPv4Address, in addresses: [IPv4Address]) -> Int {
    addresses.reduce(0) { $0 + ($1 == address ? 1 : 0) }
  }

  /// The oldest place of the address that holds most, if it holds more than `least`; of the places that may be lost.
  private func oldestOfFullest(
    _ addresses: [IPv4Address], above least: Int, _ mayBeLost: (Int) -> Bool = { _ in true }
  ) -> Int? {
    var most = least
    var place: Int?
    for (index, address) in addresses.enumerated() where mayBeLost(index) {
      let count = places(of: address, in: addresses)
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
