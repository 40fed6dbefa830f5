import DroneLayout
import Bytes
import ClusterView
import Linux
import Terminal

/// `mosmon`: the nodes of the cluster as bars that follow them.
func runMosmon(_ arguments: [[UInt8]]) -> Int32 {
  let options: MosmonOptions
  do throws(ViewOptionError) { options = try MosmonOptions(arguments) } catch {
    return ViewProgram.mosmon.fail(error.sentence, status: 2)
  }
  if options.wantsHelp {
    writeStandardOutput([UInt8](MosmonOptions.help))
    return 0
  }
  let source = options.file
  let table: ClusterTable
  switch source.map(readTable) ?? fetchTable() {
  case .none(let sentence): return ViewProgram.mosmon.fail(sentence)
  case .table(let found): table = found
  }
  var monitor = Monitor()
  let abilities = standardTerminalAbilities()
  if options.isOnce {
    let known = standardTerminalSize() ?? .usual
    let size = TerminalSize(columns: options.columns ?? known.columns, rows: options.rows ?? known.rows)
    for key in options.keys { _ = press(.character(key), &monitor, table, size) }
    writeStandardOutput(monitor.frame(table, size).printed(abilities))
    return 0
  }
  guard abilities.movesCursor else {
    return ViewProgram.mosmon.fail(
      [UInt8]("this is no terminal whose cursor can be moved (see TERM); mosmon --once prints one picture"))
  }
  return watch(table, source, options, monitor, abilities)
}

private func press(_ key: Key, _ monitor: inout Monitor, _ table: ClusterTable, _ size: TerminalSize) -> Monitor.Answer
{
  let count = monitor.nodes(of: table).count
  return monitor.press(key, page: monitor.page(count: count, size: size), count: count)
}

/// Shows the cluster until somebody has seen enough.
private func watch(
  _ first: ClusterTable, _ source: [UInt8]?, _ options: MosmonOptions, _ monitor: Monitor,
  _ abilities: TerminalAbilities
) -> Int32 {
  var table = first
  var monitor = monitor
  /// Why the table is old; nil while it is not.
  var trouble: [UInt8]?
  var screen: FullScreen
  do throws(SystemError) { screen = try FullScreen.open(abilities) } catch {
    return ViewProgram.mosmon.fail(error.text)
  }
  for key in options.keys { _ = press(.character(key), &monitor, table, screen.size) }
  var next = millisecondsSinceStart() &+ 1000
  while true {
    var frame = monitor.frame(table, screen.size)
    if let trouble { frame.putTrouble(trouble) }
    screen.show(frame)
    switch screen.wait(until: next) {
    case .end:
      screen.close()
      return 0
    case .redraw: break
    case .key(let key):
      if press(key, &monitor, table, screen.size) == .quit {
        screen.close()
        return 0
      }
    case .time:
      let start = processorNanoseconds()
      switch source.map(readTable) ?? fetchTable() {
      case .table(let found):
        table = found
        trouble = nil
      case .none(let sentence): trouble = sentence
      }
      // Whoever watches a large cluster from a small node must not be its load: a twentieth of a processor at most, and as
      // much again for the tyd that answers.
      let milliseconds = (processorNanoseconds() &- start) / 1_000_000
      next = millisecondsSinceStart() &+ max(1000, milliseconds &* 20)
    }
  }
}
