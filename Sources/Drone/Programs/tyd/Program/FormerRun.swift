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

/// How a run ends, and so whether what is demanded, the filter, associations and the map stay for the next one.
struct RunEnd {
  enum Cause {
    /// A signal, as when it is started anew.
    case signal
    /// An operator's order.
    case order
    /// It did not get in.
    case failure
    /// The cluster goes on without it.
    case expulsion
  }

  var cause: Cause
  var isEncrypted = true
  /// Something is demanded now, or it is in.
  var demands: Bool
  /// Something was demanded when it began, by a former run.
  var demanded: Bool

  /// Nothing leaves in clear while tyd is started anew or nobody starts it. A start that fails leaves a former run's demands as it
  /// found them: of the cluster it has heard nothing. `tyd --leave` and `--stop` clean up.
  var leavesDemands: Bool {
    switch cause {
    case .signal: isEncrypted && demands
    case .failure: isEncrypted && demanded
    case .order, .expulsion: false
    }
  }
}
