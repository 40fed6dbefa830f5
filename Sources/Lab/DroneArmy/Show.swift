import Glibc
import Linux

/// What the person at the terminal sees: lines while the drones start, then a drone's console with a line below it.
struct Show {
  enum Phase: Equatable {
    case lines
    /// The console of this drone, from 0.
    case console(Int)
  }
  var phase = Phase.lines
  var keys: KeyReader
  /// Drones on whose console the picture of the cluster was started.
  var pictured: Set<Int> = []
  var output = OutputState()
  /// Stands in the line below instead of the usual: a question, or something that has just happened.
  var question: String?
  var event: (text: String, until: UInt64)?
  /// The line below has to be written again.
  var isStale = false
  var lastLine = ""
  var writtenAt: UInt64 = 0

  init(count: Int) { keys = KeyReader(count: count) }
}

// The terminal.
extension Army {
  func introduce() {
    terminal.write(
      "\(plan.count) drone\(plan.count == 1 ? "" : "s"), \(min(settings.atATime, plan.count)) at a time, in a cluster of "
        + "their own. Ctrl-C ends them all.\n")
  }

  /// Reports what has happened to a drone.
  func report(_ number: Int, _ what: String, _ now: UInt64) {
    let width = "\(plan.count)".count
    let digits = "\(number)"
    let address = String(decoding: plan.address(of: number).text, as: UTF8.self)
    let line = "drone \(String(repeating: " ", count: width - digits.count))\(digits)  \(address)  \(what)"
    report(show.phase == .lines ? line : "drone \(number) \(what)", now)
  }

  func report(_ line: String, _ now: UInt64) {
    guard show.phase == .lines else {
      show.event = (line, now + 6000)
      show.isStale = true
      return
    }
    terminal.write((terminal.isInteractive ? "\r\u{1B}[K" : "") + line + "\n")
    show.lastLine = ""
  }

  func showDue(_ now: UInt64) {
    guard terminal.isInteractive else { return }
    switch show.phase {
    case .lines:
      if allInAt != nil { return look(at: 0, picture: true, now) }
      showBooting(now)
    case .console(let index):
      if emulators[index] == nil, let other = emulators.indices.first(where: { progress[$0].isMember }) {
        return look(at: other, picture: true, now)
      }
      if let event = show.event, now >= event.until {
        show.event = nil
        show.isStale = true
      }
      if show.isStale, show.output.isBetween, now >= show.writtenAt + 50 { writeLineBelow(now) }
    }
  }

  /// The last line, while drones boot: which, and for how long.
  private func showBooting(_ now: UInt64) {
    let booting = progress.indices.filter { progress[$0].isRunning && !progress[$0].isMember }
    let waiting = progress.filter { $0.starts == 0 }.count
    var line = booting.map { "drone \($0 + 1) \(spoken((progress[$0].sinceStart(now) ?? 0) / 1000 * 1000))" }
      .joined(separator: ", ")
    if waiting > 0 { line += ", \(waiting) to come" }
    line = "… " + line.prefix(max(10, terminal.size.columns - 3))
    guard line != show.lastLine else { return }
    show.lastLine = line
    terminal.write("\r\u{1B}[K\(line)")
  }

  // MARK: A drone's console

  /// Shows the console of a drone; with `picture` the cluster as mosmon draws it, for which the console is used.
  func look(at index: Int, picture: Bool, _ now: UInt64) {
    if show.phase == .lines {
      terminal.takeKeys(whole: true)
      terminal.write("\r\u{1B}[K\u{1B}[?1049h")
    }
    show.phase = .console(index)
    show.output = OutputState()
    let (rows, columns) = terminal.size
    terminal.write("\u{1B}[0m\u{1B}[2J\u{1B}[1;\(rows - 1)r\u{1B}[H")
    if picture, !show.pictured.contains(index) {
      show.pictured.insert(index)
      // Its own shell does it in this order: first the size, then what asks for it.
      let command =
        " stty rows \(rows - 1) cols \(columns); clear; mosmon || while clear; tyd --status; do sleep 2; done\n"
      type([UInt8](command.utf8), on: index)
    } else {
      // A change of size has programs draw all again, and a line's end brings a prompt.
      setSize(index, rows: rows - 2, columns: columns)
      setSize(index, rows: rows - 1, columns: columns)
      if !show.pictured.contains(index) {
        terminal.write(consoles[index].bytes)
        show.output.pass(consoles[index].bytes)
        type([10], on: index)
      }
    }
    writeLineBelow(now)
  }

  func showConsole(_ index: Int, _ piece: [UInt8], _ now: UInt64) {
    guard show.phase == .console(index) else { return }
    terminal.write(piece)
    show.output.pass(piece)
    // It may have cleared the whole screen.
    show.isStale = true
  }

  func resize() {
    guard case .console(let index) = show.phase else { return }
    let (rows, columns) = terminal.size
    terminal.write("\u{1B}[2J")
    setSize(index, rows: rows - 1, columns: columns)
    show.isStale = true
  }

  func leaveView() {
    if case .console = show.phase { terminal.write("\u{1B}[r\u{1B}[0m\u{1B}[?25h\u{1B}[?1049l") }
    if terminal.isInteractive { terminal.write("\r\u{1B}[K") }
    show.phase = .lines
    terminal.takeKeys(whole: false)
  }

  /// Writes the last line of the terminal, outside of what the drone may scroll, and puts the cursor back.
  private func writeLineBelow(_ now: UInt64) {
    let (rows, columns) = terminal.size
    var text = " " + (show.question ?? show.event?.text ?? usualLine)
    text = String(text.prefix(columns))
    text += String(repeating: " ", count: columns - text.count)
    terminal.write("\u{1B}7\u{1B}[1;\(rows - 1)r\u{1B}[\(rows);1H\u{1B}[0;7m\(text)\u{1B}[0m\u{1B}8")
    show.isStale = false
    show.writtenAt = now
  }

  private var usualLine: String {
    let alive = seen.filter { $0?.state == .alive }.count
    var parts = ["\(alive) of \(plan.count) in the cluster"]
    if case .console(let index) = show.phase {
      parts.insert("drone \(index + 1)", at: 0)
    }
    let off = emulators.indices.filter { emulators[$0] == nil }
    let unplugged = emulators.indices.filter { !network.isPlugged($0) }
    if !off.isEmpty { parts.append("off: " + off.map { "\($0 + 1)" }.joined(separator: " ")) }
    if !unplugged.isEmpty { parts.append("unplugged: " + unplugged.map { "\($0 + 1)" }.joined(separator: " ")) }
    return parts.joined(separator: ", ") + "  |  Ctrl-A keys, Ctrl-C ends all"
  }

  // MARK: Keys

  func readKeys(_ now: UInt64) {
    let typed = terminal.typed()
    guard !typed.isEmpty else {
      ending = 128 + SIGHUP
      return
    }
    for key in show.keys.read(typed) { press(key, now) }
  }

  private func press(_ key: KeyReader.Key, _ now: UInt64) {
    func order(_ order: Order) {
      do throws(Order.Refusal) { _ = try perform(order, now) } catch { report(error.sentence, now) }
    }
    switch key {
    case .end: ending = 0
    case .typed(let bytes): if case .console(let index) = show.phase { type(bytes, on: index) }
    case .asking(let text):
      show.question = text
      show.isStale = true
    case .help:
      show.question = "After Ctrl-A, a and Ctrl-C type Ctrl-A and Ctrl-C on the drone, q ends all"
      show.isStale = true
    case .kill(let number): order(.kill(number))
    case .reboot(let number): order(.reboot(number))
    case .unplug(let number): order(.unplug(number))
    case .plug(let number): order(.plug(number))
    case .console(let number):
      if show.phase != .lines { look(at: number - 1, picture: false, now) }
    case .work: if show.phase != .lines { work(now) }
    case .monitor:
      if show.phase != .lines { look(at: progress.firstIndex(where: \.isMember) ?? 0, picture: true, now) }
    }
  }

  /// Has a member run a command on every node, and shows its console.
  private func work(_ now: UInt64) {
    let members = progress.indices.filter { progress[$0].isMember && emulators[$0] != nil }
    // Where the picture is shown, keys go to mosmon.
    guard let index = members.last(where: { !show.pictured.contains($0) }) ?? members.last else { return }
    look(at: index, picture: false, now)
    type([UInt8]((show.pictured.contains(index) ? "q" : "").utf8) + [UInt8]("mosrun -a hostname\n".utf8), on: index)
  }
}
