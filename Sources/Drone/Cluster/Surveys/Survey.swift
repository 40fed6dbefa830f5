import Addresses

/// One round of questions to every member. It holds no socket and no clock.
///
/// The questions are spread over the first second, so that neither the network nor this node meets all answers at once: one
/// in 10 ms up to 100 nodes, a hundredth of them in 10 ms beyond. Nodes with a tunnel come first. A question to a node without
/// one has the kernel ask for keys, a TLS handshake at both ends: of those at most `handshakes` are open at a time, and the next
/// follows when one is done. A node without an answer after `patience` is asked once more. It is over after two seconds, whatever
/// is missing, and later by `handshake` for each tunnel that is to be made: the first round of many nodes takes seven at most.
public struct Survey: Sendable {
  public struct Node: Equatable, Sendable {
    public var address: IPv4Address
    public var hasTunnel: Bool

    public init(address: IPv4Address, hasTunnel: Bool) {
      self.address = address
      self.hasTunnel = hasTunnel
    }
  }

  /// Milliseconds.
  static let duration: UInt64 = 2000
  public static let longest: UInt64 = 7000
  /// Added for each tunnel that is missing: `handshakes` of them at a time take a quarter of a second on a LAN.
  static let handshake: UInt64 = 5
  static let patience: UInt64 = 900
  static let slot: UInt64 = 10
  static let slots = 100
  /// Of a few dozen kilobytes each for as long as they last.
  static let handshakes = 48

  private struct Place {
    var node: Node
    var askedAt: UInt64?
    var questions: UInt8 = 0
    var isAnswered = false
  }

  private var places: [Place]
  private let inSlot: Int
  public let end: UInt64
  private var nextSlot: UInt64

  public init(_ nodes: [Node], at now: UInt64) {
    places = nodes.map { Place(node: $0) }
    inSlot = (nodes.count + Survey.slots - 1) / Survey.slots
    let missing = nodes.reduce(0) { $0 + ($1.hasTunnel ? 0 : 1) }
    end = now &+ min(Survey.duration &+ UInt64(missing) &* Survey.handshake, Survey.longest)
    nextSlot = now
  }

  /// Everybody has answered, or the time is over.
  public func isOver(at now: UInt64) -> Bool { now >= end || places.allSatisfy { $0.isAnswered } }

  /// When `step` has something to do, or `isOver` to be asked; at most one slot off.
  public var nextDue: UInt64 {
    var due = end
    for place in places where !place.isAnswered {
      if let askedAt = place.askedAt {
        if place.questions < 2 { due = min(due, askedAt &+ Survey.patience) }
      } else {
        // One that waits for a handshake's end is looked at in every slot.
        due = min(due, nextSlot)
      }
    }
    return due
  }

  /// To which members there is a tunnel by now.
  public mutating func receiveConnections(_ isConnected: (IPv4Address) -> Bool) {
    for index in places.indices where !places[index].node.hasTunnel {
      if isConnected(places[index].node.address) { places[index].node.hasTunnel = true }
    }
  }

  /// Whom to ask now.
  public mutating func step(at now: UInt64) -> [IPv4Address] {
    guard now < end, now >= nextSlot else { return again(at: now) }
    // After a pause its slots are made up for, those of a tenth of a second at most.
    let missed = min((now - nextSlot) / Survey.slot, 10)
    var room = inSlot * (Int(missed) + 1)
    nextSlot = now &+ Survey.slot
    var open = 0
    for place in places where place.askedAt != nil && !place.isAnswered && !place.node.hasTunnel { open += 1 }
    var asked: [IPv4Address] = []
    for hasTunnel in [true, false] {
      for index in places.indices where places[index].askedAt == nil && places[index].node.hasTunnel == hasTunnel {
        guard room > 0, hasTunnel || open < Survey.handshakes else { break }
        if !hasTunnel { open += 1 }
        room -= 1
        places[index].askedAt = now
        places[index].questions = 1
        asked.append(places[index].node.address)
      }
    }
    return asked + again(at: now)
  }

  private mutating func again(at now: UInt64) -> [IPv4Address] {
    var asked: [IPv4Address] = []
    for index in places.indices where !places[index].isAnswered && places[index].questions == 1 {
      guard let askedAt = places[index].askedAt, now &- askedAt >= Survey.patience, asked.count < max(inSlot, 1) else {
        continue
      }
      places[index].questions = 2
      asked.append(places[index].node.address)
    }
    return asked
  }

  /// Somebody has answered; false for a stranger, for one that was not asked, and for a second answer.
  public mutating func receiveAnswer(from address: IPv4Address) -> Bool {
    guard
      let index = places.firstIndex(where: { $0.node.address == address && $0.askedAt != nil && !$0.isAnswered })
    else { return false }
    places[index].isAnswered = true
    return true
  }

  /// Whether this node was asked at all.
  public func wasAsked(_ address: IPv4Address) -> Bool {
    places.contains { $0.node.address == address && $0.askedAt != nil }
  }
}

/// How often a node answers: so that no member can keep it, or by it another, busy.
public struct AnswerAllowance: Sendable {
  /// Between two answers to one member, in milliseconds.
  static let pause: UInt64 = 200
  /// To all of them in one second.
  static let perSecond = 64

  private var recent: [(asker: IPv4Address, at: UInt64)] = []
  /// Questions that were left without an answer.
  public private(set) var refused: UInt32 = 0

  public init() {}

  /// Whether a question by this member is to be answered; it then counts.
  public mutating func admits(_ asker: IPv4Address, at now: UInt64) -> Bool {
    recent.removeAll { now &- $0.at >= 1000 }
    guard recent.count < AnswerAllowance.perSecond,
      !recent.contains(where: { $0.asker == asker && now &- $0.at < AnswerAllowance.pause })
    else {
      refused &+= 1
      return false
    }
    recent.append((asker, now))
    return true
  }
}
