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
  /// What this node is at first.
  let role: ServingRole
  /// The role follows from who else serves, as long as this node does.
  let watches: Bool
  let files: BootFiles

  /// Finds the files, looks whether somebody else gives addresses away, and makes sure that this node has one itself.
  init(_ command: TydCommand, _ places: Places, _ report: Report) throws(Failure) {
    guard case .drone = MachineKind.current else {
      throw Failure(
        "only a drone that was started from its medium boots others; elsewhere serve what make pxe makes by dnsmasq.")
    }
    files = try BootFiles(places, isResuming: command.isResuming)
    report.step(.ok, "pxe", files.text)
    var card = try ServingCard(command.interface)
    // After a crash the node goes on as it was.
    role = command.isResuming ? BootPlan.formerRole(places) : try BootPlan.role(command, &card, report)
    watches = !command.isForced
    interface = card.name
    network = try card.network(command.range)
  }

  private static func role(
    _ command: TydCommand, _ card: inout ServingCard, _ report: Report
  ) throws(Failure) -> ServingRole {
    let other = try card.findServer()
    if let other, !command.isForced {
      try card.waitForAddress(beside: other)
      report.step(
        .ok, "pxe",
        [UInt8]("there is a DHCP server already, ") + other.address.text + [UInt8](": it gives the addresses"))
      if command.range != nil {
        report.step(.degraded, "pxe", [UInt8]("--range has no use beside it"))
      }
      return .beside(other.address)
    }
    if let other {
      report.step(
        .degraded, "pxe",
        [UInt8]("there is a DHCP server already, ") + other.address.text
          + [UInt8]("; this node serves all the same, as --force asks"))
    }
    if card.address == nil {
      let taken = try card.chooseAddress()
      report.step(.ok, "pxe", [UInt8]("nobody serves DHCP here: this node takes ") + taken.text)
    }
    return .alone
  }

  private static func formerRole(_ places: Places) -> ServingRole {
    (try? readFile(places.bootRole, limit: 64)).flatMap { ServingRole(text: $0) } ?? .alone
  }
}
