import DroneLayout
import Bytes
import Linux
import MachineReadings
import Membership
import ProcessView
import Surveys
import Terminal
import TydCommand

/// `mtop`: the busiest processes of all nodes.
func runMtop(_ arguments: [[UInt8]]) -> Int32 {
  let command: TopCommand
  do throws(TopCommandError) { command = try TopCommand(arguments) } catch {
    return ViewProgram.mtop.fail(error.sentence, status: 2)
  }
  if command.isHelp {
    writeStandardOutput([UInt8](TopCommand.help))
    return 0
  }
  if let count = command.count { return printRounds(count, command) }
  let abilities = standardTerminalAbilities()
  guard abilities.movesCursor else {
    return ViewProgram.mtop.fail(
      [UInt8]("this is no terminal whose cursor can be moved (see TERM); mtop --once prints one round."))
  }
  return watch(command, abilities)
}

/// What came of a round.
private enum Round {
  case report(SurveyReport)
  /// Why there is none, as a sentence.
  case none([UInt8])
}

/// Of each node as many as a screen may need, if all that is busy is there.
private let mostProcesses: UInt8 = 40

private func begin(_ top: ProcessTop) -> Inquiry { Inquiry(.processes(top.ranking.order, most: mostProcesses)) }

private func round(_ outcome: OrderOutcome) -> Round {
  switch outcome {
  case .nobody: return .none([UInt8]("not in a cluster: `tyd` starts one, `tyd -m ADDRESS` joins one"))
  case .refused(let sentence): return .none(sentence)
  case .done(let bytes):
    do throws(MembershipDecodeError) {
      return .report(try SurveyReport(bytes))
    } catch {
      return .none([UInt8]("the tyd that runs here answers with something else: ") + error.text)
    }
  }
}

/// Prints so many rounds, one after the other.
private func printRounds(_ count: UInt32, _ command: TopCommand) -> Int32 {
  let top = ProcessTop(command.ranking)
  for number in 0..<count {
    if number > 0 { pause(milliseconds: Int(command.delay) * 1000) }
    let inquiry = begin(top)
    var outcome: OrderOutcome?
    while outcome == nil { outcome = inquiry.outcome(within: 1000) }
    switch round(outcome ?? .nobody) {
    case .none(let sentence): return ViewProgram.mtop.fail(sentence)
    case .report(let report):
      if command.isJSON {
        writeStandardOutput(top.json(report))
      } else {
        let columns = standardTerminalSize()?.columns ?? 80
        let page = top.page(report, columns: columns, lines: Int(command.lines ?? 20))
        writeStandardOutput((number > 0 ? [UInt8]("\n") : []) + page.printed(standardTerminalAbilities()))
      }
    }
  }
  return 0
}

/// Shows the processes until somebody has seen enough.
private func watch(_ command: TopCommand, _ abilities: TerminalAbilities) -> Int32 {
  var top = ProcessTop(command.ranking)
  var report: SurveyReport?
  var screen: FullScreen
  do throws(SystemError) { screen = try FullScreen.open(abilities) } catch { return ViewProgram.mtop.fail(error.text) }
  var inquiry: Inquiry? = begin(top)
  var next = millisecondsSinceStart()
  while true {
    if let outcome = inquiry?.outcome(within: 0) {
      inquiry = nil
      next = millisecondsSinceStart() &+ UInt64(command.delay) &* 1000
      switch round(outcome) {
      case .report(let found): report = found
      case .none(let sentence):
        screen.close()
        return ViewProgram.mtop.fail(sentence)
      }
    }
    screen.show(top.frame(report, screen.size))
    let now = millisecondsSinceStart()
    // While an answer is awaited, it is looked for between keys.
    switch screen.wait(until: inquiry == nil ? next : now &+ 100) {
    case .end:
      screen.close()
      return 0
    case .redraw: break
    case .time: if inquiry == nil { inquiry = begin(top) }
    case .key(let key):
      let count = report.map { top.rows($0).count } ?? 0
      switch top.press(key, page: ProcessTop.page(screen.size), count: count) {
      case .show: break
      case .ask: inquiry = begin(top)
      case .quit:
        screen.close()
        return 0
      }
    }
  }
}
