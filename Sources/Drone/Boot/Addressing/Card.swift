import Addresses

/// A network card, with what is needed to choose one.
public struct Card: Equatable, Sendable {
  /// The kernel's number for it.
  public let index: Int32
  public let name: [UInt8]
  public let hardware: MACAddress
  /// Since when something is at the other end of its cable, in milliseconds; nil when nothing is.
  public var linkSince: UInt64?

  public init(index: Int32, name: [UInt8], hardware: MACAddress, linkSince: UInt64? = nil) {
    self.index = index
    self.name = name
    self.hardware = hardware
    self.linkSince = linkSince
  }

  /// The cards that a request is about, `eth0` first, `eth2` before `eth10`: the one it names; without a name the one the
  /// machine was booted from; without that, or when no card has that hardware address, all.
  public static func candidates(named name: [UInt8]?, booted: MACAddress?, among cards: [Card]) -> [Card] {
    if let name { return cards.filter { $0.name == name } }
    let bootCards = cards.filter { $0.hardware == booted }
    return bootCards.isEmpty ? cards.sorted { $0.precedes($1) } : bootCards
  }

  private func precedes(_ other: Card) -> Bool {
    name.count == other.name.count ? name.lexicographicallyPrecedes(other.name) : name.count < other.name.count
  }
}

/// The card for a fixed address.
enum CardChoice: Equatable {
  case card(Card)
  /// One has link, but an earlier one may still get it: look again then.
  case wait(until: UInt64)
  case noneHasLink

  /// How long a card's link must stand before cards that come before it are passed over: some take so much longer to agree
  /// with their switch on a speed.
  static let settling: UInt64 = 1000

  /// The first of `candidates` with link.
  init(among candidates: [Card], now: UInt64) {
    guard let position = candidates.firstIndex(where: { $0.linkSince != nil }),
      let since = candidates[position].linkSince
    else {
      self = .noneHasLink
      return
    }
    let settled = since &+ CardChoice.settling
    self = position == 0 || now >= settled ? .card(candidates[position]) : .wait(until: settled)
  }
}
