import Bytes
import DroneLayout
import Linux

/// The files that mosd keeps. `MOSD_RUN` names another folder.
struct WorkPlaces {
  let run: Path

  init() { run = Path(environmentVariable("MOSD_RUN") ?? [UInt8](DronePath.mosd)) }

  var socket: Path { run / MosdFile.socket }
  var processFile: Path { run / MosdFile.process }
  var counts: Path { run / MosdFile.counts }
  var sessions: Path { run / MosdFile.sessions }
  var groups: Path { run / MosdFile.groups }
  var root: Path { run / MosdFile.root }
}
