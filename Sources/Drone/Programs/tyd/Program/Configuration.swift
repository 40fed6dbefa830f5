import Addresses
import DroneLayout
import Bytes
import Linux
import TydCommand

/// Runs `tyd -pc`: what a start here and now would use.
func printConfiguration(_ command: TydCommand) -> Int32 {
  let places = Places()
  var out =
    [UInt8]("version     \(SoftwareVersion.current.text)\ncontrol     TCP \(ClusterPorts.control)")
  out += [UInt8]("\ngossip      UDP \(ClusterPorts.control), inside ESP\ndiscovery   ")
  out += ClusterPorts.group.text + [UInt8](" UDP ") + decimalText(ClusterPorts.discovery)
  out += [UInt8](", answers to UDP \(ClusterPorts.discoveryAnswer)\ncrypto      ")
  out += command.isEncrypted ? [UInt8]("IPSEC\ncredential  ") : [UInt8]("off\ncredential  ")
  out += places.cluster.bytes
  if !exists(places.authority) {
    out += [UInt8](" (missing)")
  } else if !exists(places.authorityKey) {
    out += [UInt8](" (certificate only: joiners wait for approval)")
  }
  out += [UInt8]("\ninterface   ")
  do throws(Failure) {
    let interface = try ClusterInterface.find(named: command.interface, contact: nil)
    out += interface.name + [UInt8](" ") + interface.address.text
  } catch {
    out += [UInt8]("none: \(error.sentence)")
  }
  writeStandardOutput(out + [UInt8]("\n"))
  return 0
}
