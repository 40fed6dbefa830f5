import Addresses
import Addressing
import Bytes
import Linux
import Netlink

/// The machine's network cards (`MachineNetwork.cards`), kept up to date by the kernel's events, and since when each can be used.
struct CardTable {
  private(set) var cards: [Card] = []
  private(set) var loopback: Int32?

  func card(_ index: Int32) -> Card? { cards.first { $0.index == index } }

  func name(_ index: Int32) -> [UInt8] { card(index)?.name ?? [UInt8]("card that is gone") }

  /// Takes the machine's cards as they are now; gives those that are new.
  mutating func receive(_ network: MachineNetwork, now: UInt64) -> [Link] {
    loopback = network.links.first { $0.flags.contains(.loopback) }?.index
    let known = network.cards
    cards.removeAll { card in !known.contains { $0.index == card.index } }
    return known.filter { update($0, now: now) }
  }

  /// Takes a card's news; true if there was no such card.
  mutating func update(_ link: Link, now: UInt64) -> Bool {
    guard link.isCard, let hardware = link.address else { return false }
    let position = cards.firstIndex { $0.index == link.index }
    let before = position.flatMap { cards[$0].linkSince }
    let card = Card(
      index: link.index, name: link.name, hardware: hardware, linkSince: link.isUsable ? before ?? now : nil)
    if let position { cards[position] = card } else { cards.append(card) }
    return position == nil
  }

  /// Whether one of the machine's cards has this hardware address.
  func isOwn(_ hardware: MACAddress) -> Bool { cards.contains { $0.hardware == hardware } }

  mutating func remove(_ index: Int32) { cards.removeAll { $0.index == index } }

  /// `eth0 (52:54:00:12:34:56), eth1 (…)` for messages.
  var text: [UInt8] {
    var out: [UInt8] = []
    for card in Card.candidates(named: nil, booted: nil, among: cards) {
      if !out.isEmpty { out += [UInt8](", ") }
      out += card.name + [UInt8](" (") + card.hardware.text + [UInt8](")")
    }
    return out
  }
}
