import Addresses
import Addressing
import Bytes
import Linux
import Netlink

/// The machine's network cards as the kernel reports them, kept up to date by its events.
struct CardTable {
  private(set) var cards: [Card] = []
  private(set) var loopback: Int32?

  func card(_ index: Int32) -> Card? { cards.first { $0.index == index } }

  func name(_ index: Int32) -> [UInt8] { card(index)?.name ?? [UInt8]("card that is gone") }

  /// Records a card's state; ignores what is not an Ethernet card.
  mutating func update(_ link: Link, now: UInt64) {
    if link.flags.contains(.loopback) { loopback = link.index }
    guard link.isEthernet, let hardware = link.address else { return }
    let position = cards.firstIndex { $0.index == link.index }
    let before = position.flatMap { cards[$0].linkSince }
    // IFF_RUNNING, not the carrier alone: between the two the kernel throws away what is sent.
    let isUsable = link.isUp && link.flags.contains(.running)
    let card = Card(
      index: link.index, name: link.name, hardware: hardware, linkSince: isUsable ? before ?? now : nil)
    if let position { cards[position] = card } else { cards.append(card) }
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
