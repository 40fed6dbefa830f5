import Bytes
import ClusterView
import DroneLayout
import Linux
import NodeStatus
import TydCommand

extension ViewProgram {
  /// Runs the program and gives its exit status.
  func run(_ arguments: [[UInt8]]) -> Int32 {
    switch self {
    case .showmap: runShowmap(arguments)
    case .mosmon: runMosmon(arguments)
    case .mtop: runMtop(arguments)
    }
  }

  /// Says what went wrong in the program's own name.
  func fail(_ sentence: [UInt8], status: Int32 = 1) -> Int32 {
    writeStandardError([UInt8](name) + [UInt8](": ") + sentence + [UInt8]("\n"))
    return status
  }
}

/// What came of asking for the cluster.
enum TableOutcome {
  case table(ClusterTable)
  /// Why there is none, as a sentence.
  case none([UInt8])
}

/// Asks the tyd that runs here for the cluster. A node that is not in one has nothing to show.
func fetchTable() -> TableOutcome {
  switch ask(.table) {
  case .nobody: return .none([UInt8]("not in a cluster: `tyd` starts one, `tyd -m ADDRESS` joins one"))
  case .refused(let sentence): return .none(sentence)
  case .done(let text): return tableOutcome(text)
  }
}

/// Reads a table that `showmap --table` printed.
func readTable(_ path: [UInt8]) -> TableOutcome {
  do throws(SystemError) {
    return tableOutcome(try readFile(Path(path), limit: ClusterTable.largestText + 1))
  } catch {
    return .none(error.text)
  }
}

private func tableOutcome(_ text: [UInt8]) -> TableOutcome {
  do throws(ClusterTableError) {
    let table = try ClusterTable(text: text)
    switch table.standing {
    case .alone, .in: return .table(table)
    case .joining: return .none([UInt8]("not in a cluster yet: this node is on its way into one (tyd --status)"))
    case .pending:
      return .none(
        [UInt8]("not in a cluster yet: this node waits for a member's approval (tyd --status shows its key)"))
    }
  } catch {
    return .none(error.text)
  }
}
