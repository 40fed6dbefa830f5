import Bytes
import NodeStatus
import Terminal

extension Monitor {
  /// The screen: one bar a node, an axis, ids. The same table, choices and size give the same frame.
  public func frame(_ table: ClusterTable, _ size: TerminalSize) -> Frame {
    var frame = Frame(size)
    if showsHelp {
      putHelp(&frame)
      return frame
    }
    let nodes = nodes(of: table)
    let layout = MonitorLayout(self, count: nodes.count, size: size)
    guard layout.isChart else {
      putWords(table, &frame)
      return frame
    }
    let scale = Scale(quantity, nodes)
    putAxis(scale, layout, &frame)
    for place in 0..<layout.shown { putNode(nodes[layout.first + place], place, scale, layout, &frame) }
    if showsTotals { frame.put(totals(table), row: layout.totalsRow, column: 0, .bold) }
    putLastRow(nodes, table, layout, &frame)
    return frame
  }

  // MARK: Parts

  private func putAxis(_ scale: Scale, _ layout: MonitorLayout, _ frame: inout Frame) {
    let column = MonitorLayout.axisColumn
    for row in 0..<layout.axis { frame.put("|", row: row, column: column) }
    frame.put("+", row: layout.axis, column: column)
    frame.fill(UInt8(ascii: "-"), row: layout.axis, columns: column + 1..<frame.size.columns)
    for tick in 0...4 {
      let label = scale.label(quantity, tick: tick)
      frame.put(label, row: layout.row(tick: tick), column: column - label.count)
    }
    // As many letters as there are rows, around the middle.
    let letters = [UInt8](self.letters).prefix(layout.axis)
    let top = (layout.axis - letters.count) / 2
    for (index, letter) in letters.enumerated() { frame.put([letter], row: top + index, column: 0, .bold) }
    frame.put("Node #", row: layout.idRow, column: 0, .bold)
  }

  private func putNode(
    _ node: ClusterTable.Node, _ place: Int, _ scale: Scale, _ layout: MonitorLayout, _ frame: inout Frame
  ) {
    let left = layout.column(place)
    putID(node, left, layout, &frame)
    let bar = left + layout.bar.offset..<left + layout.bar.offset + layout.bar.width
    guard node.state.isLive else {
      for (index, letter) in [UInt8](node.state.barWord).reversed().enumerated() where index < layout.axis {
        frame.put([letter], row: layout.axis - 1 - index, column: bar.lowerBound, Style(.red))
      }
      return
    }
    let value = node.value(quantity)
    let filled = scale.rows(value.filled, of: layout.axis)
    let style = style(node)
    for row in 0..<filled.full { frame.fill(UInt8(ascii: "#"), row: layout.axis - 1 - row, columns: bar, style) }
    var top = filled.full
    if filled.hasHalf, top < layout.axis {
      frame.fill(UInt8(ascii: "_"), row: layout.axis - 1 - top, columns: bar, style)
      top += 1
    }
    // What a node has and does not use.
    let outer = min(scale.rows(value.outer, of: layout.axis).full, layout.axis)
    while top < outer {
      frame.fill(UInt8(ascii: ":"), row: layout.axis - 1 - top, columns: bar, Style(.blue))
      top += 1
    }
    if node.state == .suspect {
      frame.put("?", row: max(0, layout.axis - 1 - top), column: bar.lowerBound, Style(.yellow, bold: true))
    }
  }

  private func putID(_ node: ClusterTable.Node, _ left: Int, _ layout: MonitorLayout, _ frame: inout Frame) {
    var id: [UInt8] = []
    appendID(node.id, to: &id)
    let style = node.state.isLive ? Style(bold: node.isOwn) : Style(.red)
    if layout.idRows == 1 {
      frame.put(id, row: layout.idRow, column: left, style)
    } else {
      for (index, digit) in id.dropFirst(2).enumerated() {
        frame.put([digit], row: layout.idRow + index, column: left, style)
      }
    }
  }

  /// What is shown, of how many, and how to go on.
  private func putLastRow(
    _ nodes: [ClusterTable.Node], _ table: ClusterTable, _ layout: MonitorLayout, _ frame: inout Frame
  ) {
    frame.fill(space, row: layout.lastRow, columns: 0..<frame.size.columns, .reverse)
    let live = table.nodes.reduce(0) { $1.state.isLive ? $0 + 1 : $0 }
    var text = [UInt8](caption) + [UInt8](" | ")
    if layout.shown < nodes.count {
      text += [UInt8]("nodes ") + decimalText(layout.first + 1) + [UInt8]("-")
      text += decimalText(layout.first + layout.shown) + [UInt8](" of ") + decimalText(nodes.count)
    } else {
      text += counted(live, "node")
    }
    let gone = table.nodes.count - live
    if gone > 0 { text += [UInt8](", ") + decimalText(gone) + [UInt8](showsDead ? " gone" : " gone (d)") }
    frame.put(text, row: layout.lastRow, column: 0, .reverse)
    let keys = [UInt8](" h help  q quit")
    if text.count + keys.count < frame.size.columns {
      frame.put(keys, row: layout.lastRow, column: frame.size.columns - 1 - keys.count, .reverse)
    }
  }

  /// Where there is no room for a chart.
  private func putWords(_ table: ClusterTable, _ frame: inout Frame) {
    let totals = totals(table)
    var row = 0
    for part in totals.split(separator: UInt8(ascii: ",")) {
      let text = [UInt8](part.first == space ? part.dropFirst() : part)
      frame.put(text, row: row, column: 0)
      row += 1
    }
    frame.put("(no room for bars)", row: row, column: 0)
  }

  private func putHelp(_ frame: inout Frame) {
    var row = 0
    for line in [UInt8](Monitor.keys).split(separator: newline, omittingEmptySubsequences: false) {
      frame.put([UInt8](line), row: row, column: 0, row == 0 ? .bold : .plain)
      row += 1
    }
  }

  // MARK: Words

  /// All live nodes together.
  func totals(_ table: ClusterTable) -> [UInt8] {
    var (nodes, cpus, load, used, memory): (Int, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
    for node in table.nodes where node.state.isLive {
      nodes += 1
      cpus += UInt64(node.cpus)
      load += UInt64(node.load)
      used += node.value(.rawMemory).filled
      memory += UInt64(node.memoryTotal)
    }
    var out = counted(nodes, "node") + [UInt8](", ") + counted(Int(clamping: cpus), "CPU") + [UInt8](", load ")
    out += shortHundredths(load) + [UInt8](", memory ") + decimalText(used) + [UInt8](" of ") + decimalText(memory)
    out += [UInt8](" MiB")
    let gone = table.nodes.count - nodes
    if gone > 0 { out += [UInt8](", ") + decimalText(gone) + [UInt8](" gone") }
    return out
  }

  private func counted(_ count: Int, _ what: StaticString) -> [UInt8] {
    decimalText(count) + [UInt8](" ") + [UInt8](what) + (count == 1 ? [] : [UInt8]("s"))
  }

  private func style(_ node: ClusterTable.Node) -> Style {
    let value = node.value(quantity).filled
    switch quantity {
    case .load:
      let each = UInt64(max(node.cpus, 1)) * 100
      return Style(value <= each ? .green : value <= each * 2 ? .yellow : .red)
    case .memory: return Style(value < 75 ? .green : value < 90 ? .yellow : .red)
    case .rawMemory, .speed: return Style(.cyan)
    case .utilisability: return Style(value > 25 ? .green : value > 10 ? .yellow : .red)
    }
  }

  private var letters: StaticString {
    switch quantity {
    case .load: "LOAD"
    case .memory: "MEMORY"
    case .rawMemory: "RAW MEM"
    case .speed: "SPEED"
    case .utilisability: "USABLE"
    }
  }

  private var caption: StaticString {
    switch quantity {
    case .load: "load"
    case .memory: "memory in use, %"
    case .rawMemory: "memory, MiB: # in use, : free"
    case .speed: "speed, MHz"
    case .utilisability: "processors free, %"
    }
  }

  /// The keys, as `h` shows them.
  public static let keys: StaticString = """
    mosmon: one bar for every node of the cluster

      l  load: programs that want a processor     d  dead nodes, too, or not
      m  memory in use, in percent                t  totals, or not
      r  raw memory, in MiB: in use and free
      s  speed of a processor, in MHz             w  wide ids
      u  utilisability: processors that are       v  ids from top to bottom
         free, in percent                         V  the same, tightly
                                                  a  what suits the count
      arrows, PageUp, PageDown, Home, End: other nodes
      Ctrl-L  draw again                          h  help    q  quit

    A ? stands over a node that does not answer just now.
    Press any key to go on.
    """
}

extension Frame {
  /// Says over the picture why it is old.
  public mutating func putTrouble(_ sentence: [UInt8]) {
    fill(space, row: 0, columns: 0..<size.columns, .reverse)
    put(sentence, row: 0, column: 0, Style(.red, reverse: true))
  }
}

extension ClusterTable.State {
  /// What stands where a bar would.
  fileprivate var barWord: StaticString {
    switch self {
    case .alive, .suspect: ""
    case .dead: "DEAD"
    case .left: "LEFT"
    case .removed: "OUT"
    }
  }
}
