import Addresses
import Linux
import Tunnels

/// Takes away what a tyd left here that was ended by a signal, or crashed: in the kernel the filter's table, what is demanded and
/// excepted, and associations; in files its map and key. False if there is nothing, or a tyd runs after all.
func forgetFormerRun() -> Bool {
  let places = Places()
  let addresses = Transforms.demandingAddresses()
  guard !addresses.isEmpty || exists(places.map) || exists(places.key) else { return false }
  do throws(SystemError) {
    guard let lock = try ProcessFile(places.processFile) else { return false }
    forgetFormerRun(at: addresses, places, lock)
  } catch {
    return false
  }
  return true
}

/// - Parameter lock: no tyd starts meanwhile.
private func forgetFormerRun(at addresses: [IPv4Address], _ places: Places, _ lock: borrowing ProcessFile) {
  (try? ClusterFilter(on: .current))?.close()
  // Without peers there are exceptions alone.
  var own = addresses
  if let found = try? ClusterInterface.find(named: nil, contact: nil), !own.contains(found.address) {
    own.append(found.address)
  }
  for address in own {
    guard let transforms = try? Transforms(own: address, softPackets: nil) else { continue }
    for use in transforms.associations() ?? [] { transforms.remove(use.association) }
    transforms.keepOnly([])
    transforms.removeExceptions()
  }
  places.forgetRun()
  removeFile(places.socket)
  removeFile(servicesFolder / "tyd")
}
