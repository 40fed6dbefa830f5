import Bytes
import DroneLayout
import ClusterView
import Linux

/// `showmap`: the nodes of the cluster as openMosix shows them.
func runShowmap(_ arguments: [[UInt8]]) -> Int32 {
  let options: ShowmapOptions
  do throws(ViewOptionError) { options = try ShowmapOptions(arguments) } catch {
    return ViewProgram.showmap.fail(error.sentence, status: 2)
  }
  if options.wantsHelp {
    writeStandardOutput([UInt8](ShowmapOptions.help))
    return 0
  }
  switch fetchTable() {
  case .none(let sentence): return ViewProgram.showmap.fail(sentence)
  case .table(let table):
    switch options.form {
    case .map: writeStandardOutput(nodeMapText(table))
    case .json: writeStandardOutput(table.json)
    case .table: writeStandardOutput(table.text)
    }
    return 0
  }
}
