import Addressing
import Bytes
import Linux
import Netlink

/// The variable by which `lease` knows that its client was started by `network`, which reads the client's standard output.
let leaseVariable: StaticString = "NETWORK"

/// Runs `lease`, which udhcpc calls at every event of its lease; returns its exit status.
///
/// It decides nothing: it checks what the server sent and passes it to `network`, the only program that configures cards at
/// boot. Under a client that somebody started by hand it sets the address itself.
func runLease(_ arguments: [[UInt8]]) -> Int32 {
  guard let event = arguments.first, let lease = LeaseEvent(event: event, variable: environmentVariable) else {
    writeStandardError(
      [UInt8]("lease: called by udhcpc as its script, with a lease in the environment; there is none to be used.\n"))
    return 1
  }
  guard environmentVariable(leaseVariable) == nil else {
    guard let output = Descriptor(1), (try? output.write(lease.record)) != nil else { return 1 }
    return 0
  }
  guard case .bound(let configuration) = lease.kind else { return 0 }
  do throws(NetlinkSocketError) {
    var interfaces = try Interfaces()
    guard let link = try interfaces.network().link(lease.interface) else { return 1 }
    try interfaces.configure(link.index, link.name, configuration, origin: 0)
    // What the card cannot send is no reason to go without an address.
    if let mtu = configuration.mtu { try? interfaces.setMTU(link.index, mtu) }
  } catch {
    writeStandardError([UInt8]("lease: ") + error.text + [UInt8]("\n"))
    return 1
  }
  recordNames(configuration)
  return runFixHosts([])
}
