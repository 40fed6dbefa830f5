import Addresses
import BootServer
import Bytes
import Linux
import Reporting
import TydCommand

/// What this node needs to boot others, found before it becomes a node.
struct BootPlan {
  let interface: [UInt8]
  let network: ServedNetwork
  /// The files, laid out as on the medium.
  let folder: Path

  /// Finds the files, makes sure that nobody else gives addresses away, and that this node has one itself.
  init(_ command: TydCommand, _ places: Places, _ report: Report) throws(Failure) {
    guard case .drone = MachineKind.current else {
      throw Failure(
        "only a drone that was started from its medium boots others; elsewhere serve what make pxe makes by dnsmasq.")
    }
    let files = try BootFiles(places, isResuming: command.isResuming)
    folder = files.folder
    report.step(.ok, "pxe", files.text)
    let card = try ServingCard(command.interface)
    // After a crash the node goes on as it was.
    if !command.isResuming {
      if let other = try card.findServer() {
        let text = [UInt8]("there is a DHCP server already, ") + other.text
        guard command.isForced else {
          throw Failure(
            text
              + [UInt8](
                ": two would get into each other's way. Serve what make pxe makes there, or say tyd -pm --force."))
        }
        report.step(.degraded, "pxe", text + [UInt8]("; this node serves all the same, as --force asks"))
      }
      if card.address == nil {
        let taken = try card.chooseAddress()
        report.step(.ok, "pxe", [UInt8]("nobody serves DHCP here: this node takes ") + taken.text)
      }
    }
    interface = card.name
    network = try card.network(command.range)
  }
}
