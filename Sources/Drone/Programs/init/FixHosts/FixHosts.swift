import Addresses
import BootLine
import Bytes
import Linux
import Netlink

/// Runs `fix_hosts`; returns its exit status: 0 when name and /etc/hosts are right, 1 when they could not be set.
func runFixHosts(_ arguments: [[UInt8]]) -> Int32 {
  switch fixHosts() {
  case .right(let name, let address, _):
    printLine(name + [UInt8](" is ") + address.text)
    return 0
  case .noAddress:
    printError(
      [UInt8]("fix_hosts: no network card has an address yet: set one with ifconfig, then run fix_hosts again."))
    return 1
  case .failed(let reason):
    printError([UInt8]("fix_hosts: ") + reason)
    return 1
  }
}

enum HostsOutcome {
  /// The host's full name stands for the address; whether anything had to be changed for that.
  case right(name: [UInt8], IPv4Address, changed: Bool)
  case noAddress
  case failed([UInt8])
}

/// Sets the host name and writes /etc/hosts for the address that the machine has now. What is right already is not touched.
func fixHosts() -> HostsOutcome {
  let address: InterfaceAddress?
  do throws(NetlinkSocketError) {
    address = try currentAddress()
  } catch {
    return .failed(error.text)
  }
  guard let address,
    let table = HostTable(
      address: address.address, requested: NetworkState.read(NetworkState.requestedName),
      leased: NetworkState.read(NetworkState.leasedName), leasedDomain: NetworkState.read(NetworkState.leasedDomain))
  else { return .noAddress }
  var changed = false
  do throws(SystemError) {
    if hostName() != table.name.name {
      try setHostName(table.name.name)
      changed = true
    }
    if NetworkState.read(NetworkState.hosts) != table.contents {
      try replaceFile(NetworkState.hosts, table.contents)
      changed = true
    }
  } catch {
    return .failed(error.text)
  }
  return .right(name: table.name.full, address.address, changed: changed)
}

private func currentAddress() throws(NetlinkSocketError) -> InterfaceAddress? {
  var socket = try NetlinkSocket(.route)
  return try socket.network().nodeAddress
}

private func printLine(_ text: [UInt8]) { writeLine(text, to: 1) }
private func printError(_ text: [UInt8]) { writeLine(text, to: 2) }

/// Writes a line to a standard descriptor and closes it: nothing is written there afterwards.
private func writeLine(_ text: [UInt8], to number: Int32) {
  guard let descriptor = Descriptor(number) else { return }
  try? descriptor.write(text + [UInt8(ascii: "\n")])
}
