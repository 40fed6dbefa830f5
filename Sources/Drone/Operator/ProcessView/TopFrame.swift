import Addresses
import Bytes
import MachineReadings
import Surveys
import Terminal

extension ProcessTop {
  /// Rows above the first process.
  static let headRows = 4

  /// How many processes a screen shows at once.
  public static func page(_ size: TerminalSize) -> Int { max(0, size.rows - headRows - 1) }

  /// The screen. The same report, choices and size give the same frame; without a report it says that the nodes are asked.
  public func frame(_ report: SurveyReport?, _ size: TerminalSize) -> Frame {
    var frame = Frame(size)
    if showsHelp {
      putHelp(&frame)
      return frame
    }
    guard let report else {
      frame.put("mtop: asking the nodes of the cluster", row: 0, column: 0)
      return frame
    }
    putHead(report, &frame)
    let rows = rows(report)
    let page = ProcessTop.page(size)
    let first = min(self.first, max(0, rows.count - max(page, 1)))
    for (place, row) in rows.dropFirst(first).prefix(page).enumerated() {
      put(row, at: ProcessTop.headRows + place, &frame)
    }
    putLastRow(first, page, rows.count, report, &frame)
    return frame
  }

  /// The same for a file or a pipe: as many processes as `lines` says, and no last row.
  public func page(_ report: SurveyReport, columns: Int, lines: Int) -> Frame {
    let rows = rows(report).prefix(max(0, lines))
    var frame = Frame(TerminalSize(columns: columns, rows: ProcessTop.headRows + rows.count))
    putHead(report, &frame)
    for (place, row) in rows.enumerated() { put(row, at: ProcessTop.headRows + place, &frame) }
    return frame
  }

  // MARK: Parts

  private func putHead(_ report: SurveyReport, _ frame: inout Frame) {
    let totals = Totals(report)
    var text = [UInt8]("mtop  ") + counted(UInt64(report.nodes.count), "node") + [UInt8](", ")
    text += counted(totals.processors, "CPU") + [UInt8](", load ") + decimalText(totals.load, places: 2)
    frame.put(text, row: 0, column: 0, .bold)
    text = counted(totals.processes, "process", "processes") + [UInt8](", ") + decimalText(totals.running)
    text += [UInt8](" running; CPU ") + decimalText(totals.cpu, places: 1) + [UInt8](" of ")
    text += decimalText(totals.answeredProcessors &* 100) + [UInt8]("; memory ")
    text += decimalText(totals.memoryUsed >> 10) + [UInt8](" of ") + decimalText(totals.memory >> 10)
    frame.put(text + [UInt8](" MiB"), row: 1, column: 0)
    putMissing(report, &frame)
    let ranked: (from: Int, to: Int)
    switch ranking {
    case .cpu: ranked = (49, 53)
    case .memory: ranked = (37, 40)
    case .time: ranked = (62, 67)
    case .node: ranked = (4, 6)
    }
    frame.fill(space, row: 3, columns: 0..<frame.size.columns, .reverse)
    var title = [UInt8]("    N#     PID USER   PR  NI  VIRT   RES  SHR S  %CPU %MEM    TIME+ ")
    if ProcessTop.showsJobs(frame) { title += left([UInt8]("JOB"), ProcessTop.jobWidth) }
    title += [UInt8]("COMMAND")
    frame.put(title, row: 3, column: 0, .reverse)
    frame.put([UInt8](title[ranked.from..<ranked.to]), row: 3, column: ranked.from, Style(bold: true, reverse: true))
  }

  /// The nodes that are not in the list, named as far as there is room.
  private func putMissing(_ report: SurveyReport, _ frame: inout Frame) {
    let silent = report.nodes.filter { $0.outcome == .silent }
    let notAsked = report.nodes.reduce(0) { $0 + ($1.outcome == .notAsked ? 1 : 0) }
    var text: [UInt8] = []
    if !silent.isEmpty {
      text = counted(UInt64(silent.count), "node") + [UInt8](" without an answer:")
      var named = 0
      for node in silent {
        // Room for `0x0115`, and for how many more there are.
        guard text.count + 7 + (named + 1 < silent.count ? 10 : 0) + (notAsked > 0 ? 25 : 0) <= frame.size.columns
        else {
          break
        }
        text += [UInt8](" ") + idText(node.id)
        named += 1
      }
      if named < silent.count { text += [UInt8](" +") + decimalText(silent.count - named) }
    }
    if notAsked > 0 {
      text += text.isEmpty ? [] : [UInt8]("; ")
      text += counted(UInt64(notAsked), "node") + [UInt8](" not asked yet")
    }
    frame.put(text, row: 2, column: 0, Style(.yellow))
  }

  private static let jobWidth = 15

  /// Where a command has room all the same.
  private static func showsJobs(_ frame: Frame) -> Bool { frame.size.columns >= 95 }

  private func put(_ row: Row, at place: Int, _ frame: inout Frame) {
    let process = row.process
    let style = process.state == UInt8(ascii: "R") ? Style.bold : .plain
    var text = right(idText(row.node), 6) + right(decimalText(process.process), 8)
    text += [UInt8](" ") + left(process.user == 0 ? [UInt8]("root") : decimalText(process.user), 5)
    text += right(process.priority <= -100 ? [UInt8]("rt") : decimalText(process.priority), 4)
    text += right(decimalText(process.nice), 4)
    text += right(memoryText(process.virtual), 6) + right(memoryText(process.resident), 6)
    text += right(memoryText(process.shared), 5) + [UInt8(ascii: " "), process.state]
    text += right(decimalText(UInt64(process.cpu), places: 1), 6)
    let share = row.memory == 0 ? 0 : UInt64(process.resident) * 1000 / UInt64(row.memory)
    text += right(decimalText(share, places: 1), 5) + right(timeText(process.time), 9)
    text += [UInt8](" ")
    if ProcessTop.showsJobs(frame) { text += left(process.job.map { $0.text } ?? [], ProcessTop.jobWidth) }
    text += process.name
    frame.put(text, row: place, column: 0, style)
  }

  private func putLastRow(_ first: Int, _ page: Int, _ count: Int, _ report: SurveyReport, _ frame: inout Frame) {
    let row = frame.size.rows - 1
    guard row >= ProcessTop.headRows else { return }
    frame.fill(space, row: row, columns: 0..<frame.size.columns, .reverse)
    var text = [UInt8]("by ") + [UInt8](ranking.word) + [UInt8](" | ")
    if page < count {
      text += [UInt8]("processes ") + decimalText(first + 1) + [UInt8]("-")
      text += decimalText(min(first + page, count)) + [UInt8](" of ") + decimalText(count)
    } else {
      text += counted(UInt64(count), "process", "processes")
    }
    let answered = report.nodes.reduce(0) { count, node in
      if case .answered = node.outcome { count + 1 } else { count }
    }
    text += [UInt8](" of ") + counted(UInt64(answered), "node")
    frame.put(text, row: row, column: 0, .reverse)
    let keys = [UInt8](" h help  q quit")
    if text.count + keys.count < frame.size.columns {
      frame.put(keys, row: row, column: frame.size.columns - 1 - keys.count, .reverse)
    }
  }

  private func putHelp(_ frame: inout Frame) {
    let lines = [UInt8](ProcessTop.keys).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (row, line) in lines.enumerated() {
      frame.put([UInt8](line), row: row, column: 0, row == 0 ? .bold : .plain)
    }
  }

  /// The keys, as `h` shows them.
  public static let keys: StaticString = """
    mtop: the busiest processes of all nodes

      P  by use of a processor, now            arrows, PageUp, PageDown,
      M  by memory                             Home, End: other processes
      T  by processor time since the start     space  ask again, now
      N  node by node                          Ctrl-L  draw again
                                               h  help    q  quit
    N# is the node, as showmap has it. %CPU is of one processor, since the node
    was last asked. Memory is in KiB, with m in MiB, with g in GiB. JOB, on
    screens of 95 columns and more, is the home node and number of a job as mps
    shows it. There is no column MGS: no process moves from node to node.
    """
}

/// All nodes that answered together; load and processors of all.
struct Totals {
  var processors: UInt64 = 0
  /// Hundredths.
  var load: UInt64 = 0
  var answeredProcessors: UInt64 = 0
  var processes: UInt64 = 0
  var running: UInt64 = 0
  /// Thousandths, of the processes that were reported.
  var cpu: UInt64 = 0
  /// KiB.
  var memory: UInt64 = 0
  var memoryUsed: UInt64 = 0

  init(_ report: SurveyReport) {
    for node in report.nodes {
      processors &+= UInt64(node.processors)
      load &+= UInt64(node.load)
      guard case .answered(let answer) = node.outcome else { continue }
      answeredProcessors &+= UInt64(answer.processors)
      processes &+= UInt64(answer.total)
      running &+= UInt64(answer.running)
      memory &+= UInt64(answer.memoryTotal)
      if answer.memoryAvailable < answer.memoryTotal {
        memoryUsed &+= UInt64(answer.memoryTotal - answer.memoryAvailable)
      }
      for process in answer.processes { cpu &+= UInt64(process.cpu) }
    }
  }
}

let space = UInt8(ascii: " ")
