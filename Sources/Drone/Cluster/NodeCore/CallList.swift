import Addresses
import Bytes
import ControlChannel
import Membership

/// A connection of the control channel: what is said over it, and with whom.
struct Call: Sendable {
  let channel: UInt32
  let address: IPv4Address
  var conversation: Conversation
}

/// The connections of the control channel, in the order in which they began, by the numbers of their channels.
struct CallList {
  private var calls: [Call] = []
  private var nextIncoming: UInt32 = 2
  /// For connections of this node's own beside the tunnels': even as well, but from the upper half.
  private var nextOwn: UInt32 = 0x8000_0000
  /// When the first one's time is over, in milliseconds; `UInt64.max` without any.
  private(set) var nextDue = UInt64.max

  /// What was offered by members whose place in the kernel is being made, in the order in which it came.
  var offers: [(channel: UInt32, offer: TunnelOffer)] = []

  subscript(channel: UInt32) -> Call? { place(of: channel).map { calls[$0] } }

  private func place(of channel: UInt32) -> Int? { calls.firstIndex { $0.channel == channel } }

  var channels: [UInt32] { calls.map(\.channel) }

  /// Those whose time is over.
  func due(at now: UInt64) -> [UInt32] {
    var due: [UInt32] = []
    for place in calls.indices where calls[place].conversation.nextDue <= now { due.append(calls[place].channel) }
    return due
  }

  /// Those with a node that has this key, or says that it is this machine.
  func channels(with record: NodeRecord) -> [UInt32] {
    let key = record.fingerprint.bytes
    var found: [UInt32] = []
    for call in calls where call.conversation.peer?.fingerprint == key || call.conversation.record?.mac == record.mac {
      found.append(call.channel)
    }
    return found
  }

  /// Those by which the member of this one is sending a map as well; none while this one brings no map.
  func otherMaps(than channel: UInt32) -> [UInt32] {
    guard let new = self[channel], new.conversation.isReceivingMap else { return [] }
    var found: [UInt32] = []
    for call in calls
    where call.channel != channel && call.conversation.purpose == .incoming && call.conversation.isReceivingMap
      && call.conversation.peer?.fingerprint == new.conversation.peer?.fingerprint
    { found.append(call.channel) }
    return found
  }

  mutating func insert(_ conversation: Conversation, with address: IPv4Address, as channel: UInt32) {
    calls.append(Call(channel: channel, address: address, conversation: conversation))
    nextDue = min(nextDue, conversation.nextDue)
  }

  @discardableResult
  mutating func remove(_ channel: UInt32) -> Call? {
    guard let place = place(of: channel) else { return nil }
    let call = calls.remove(at: place)
    findNextDue()
    return call
  }

  /// Tells a conversation what happens, and gives what it asks for; nothing where there is none.
  mutating func converse(
    over channel: UInt32, _ happens: (inout Conversation) -> [ConversationCommand]
  ) -> [ConversationCommand] {
    guard let place = place(of: channel) else { return [] }
    let asked = happens(&calls[place].conversation)
    findNextDue()
    return asked
  }

  /// Takes the offers of members that have their place, with the keys that they have proved to have. What was offered over a
  /// connection that has ended is forgotten.
  mutating func takeOffers(
    _ hasPlace: (Call, _ key: [UInt8]) -> Bool
  ) -> [(call: Call, key: [UInt8], offer: TunnelOffer)] {
    guard !offers.isEmpty else { return [] }
    var ready: [(call: Call, key: [UInt8], offer: TunnelOffer)] = []
    var waiting: [(channel: UInt32, offer: TunnelOffer)] = []
    for (channel, offer) in offers {
      guard let call = self[channel], let key = call.conversation.peer?.fingerprint else { continue }
      if hasPlace(call, key) { ready.append((call, key, offer)) } else { waiting.append((channel, offer)) }
    }
    offers = waiting
    return ready
  }

  private mutating func findNextDue() {
    nextDue = .max
    for place in calls.indices { nextDue = min(nextDue, calls[place].conversation.nextDue) }
  }

  // MARK: Numbers

  mutating func incomingChannel() -> UInt32 {
    defer { nextIncoming = (nextIncoming &+ 2) & 0x7FFF_FFFE }
    return nextIncoming
  }

  mutating func ownChannel() -> UInt32 {
    defer { nextOwn = (nextOwn &+ 2) | 0x8000_0000 }
    return nextOwn
  }
}

extension ControlMessage {
  /// The messages that carry a map.
  static func parts(of map: [UInt8]) -> [ControlMessage] {
    var parts: [ControlMessage] = []
    var rest = map[...]
    repeat {
      let part = rest.prefix(ControlFrame.mapPartLimit)
      rest = rest.dropFirst(part.count)
      parts.append(.map(part: [UInt8](part), isLast: rest.isEmpty))
    } while !rest.isEmpty
    return parts
  }
}
