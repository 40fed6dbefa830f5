import Bytes
import Linux
import MachineReadings
import Netlink
import Reporting

/// Gives the cards that are there numbers in the order of their places, whichever module came first. None of them is up yet. A card that
/// cannot be renamed keeps a name, which is reported.
func numberCards() {
  let folder: Path = "/sys/class/net"
  do throws(NetlinkSocketError) {
    var socket = try NetlinkSocket(.route)
    var cards: [PluggedCard] = []
    for card in try socket.network().cards {
      guard let path = try? symbolicLink(folder / card.name) else { continue }
      cards.append(PluggedCard(index: card.index, name: card.name, path: path))
    }
    let changes = namesInOrder(cards)
    // Two cards may swap their names, so all of them give theirs up first.
    for change in changes {
      try socket.perform(.setLink(index: change.card.index, name: [UInt8]("card") + decimalText(change.card.index)))
    }
    for change in changes {
      do throws(NetlinkSocketError) {
        try socket.perform(.setLink(index: change.card.index, name: change.name))
      } catch {
        // A card that came at this moment has taken the name.
        try socket.perform(.setLink(index: change.card.index, name: [UInt8]("eth%d")))
      }
    }
  } catch {
    report(.degraded, "network", [UInt8]("the cards are not numbered by their places: ") + error.text)
  }
}
