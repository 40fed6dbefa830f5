import DroneLayout
import Bytes
import Linux

/// The files that tyd reads and writes. Where they are can be changed by the environment, so that several nodes fit on one
/// machine: `TYD_RUN` and `TYD_CLUSTER`.
struct Places {
  /// What this run keeps: /run/tyd, root's alone.
  let run: Path
  /// The cluster's credential: /run/cluster on a drone, /etc/tyd elsewhere.
  let cluster: Path

  init() {
    run = Path(environmentVariable("TYD_RUN") ?? [UInt8](DronePath.tyd))
    if let named = environmentVariable("TYD_CLUSTER") {
      cluster = Path(named)
    } else {
      let usual = Path(DronePath.cluster)
      cluster = exists(usual / CredentialFile.certificate) ? usual : "/etc/tyd"
    }
  }

  var authority: Path { cluster / CredentialFile.certificate }
  var authorityKey: Path { cluster / CredentialFile.key }
  var processFile: Path { run / "pid" }
  var key: Path { run / "node.key" }
  var certificate: Path { run / "node.crt" }
  var map: Path { run / "map" }
  /// Which cards have which addresses from this node's boot server.
  var boots: Path { run / "boots" }
  /// What this node's boot server is, in the words of `ServingRole`.
  var bootRole: Path { run / "boot-role" }
  var log: Path { run / TydFile.log }
  /// Why the last run ended before it was in, as a sentence; not there once one has been in.
  var failure: Path { run / TydFile.failure }
  var socket: Path { run / TydFile.socket }
  /// There after `tyd -f off` on a full Linux, until the filter is closed again.
  var filterOff: Path { run / "filter-off" }
}

extension Places {
  /// Nobody is to go on with this run.
  func forgetRun() {
    for file in [map, key] { removeFile(file) }
  }
}

/// Where process 1 of a drone looks for services that it is to keep alive.
let servicesFolder = Path(DronePath.services)
