import Terminal

/// Where the parts of `mosmon`'s screen are. Rows and columns count from 0.
///
///         0.50|               <- row 0
///      L  0.38|
///      O  0.25|  ###          <- bars
///      A  0.12|  ###    ###
///      D  0.00+-------------  <- the axis
///      Node #  0x010b 0x0115
///      2 nodes, 3 CPUs, ...   <- totals, if wanted
///      load: ...      q quit  <- the last row
struct MonitorLayout: Equatable {
  let size: TerminalSize
  /// The row with the axis; every row above it is part of bars.
  let axis: Int
  /// How many columns a node takes, and how many digits below each other its id has.
  let step: Int
  let idRows: Int
  /// The node in the first place, and how many are shown.
  let first: Int
  let shown: Int
  /// How many would fit.
  let page: Int

  /// The column of the axis: letters, a space, ticks.
  static let axisColumn = 7

  /// Whether there is room for a chart at all: five ticks, and a few nodes.
  var isChart: Bool { axis >= 4 && size.columns >= 24 }

  init(_ monitor: Monitor, count: Int, size: TerminalSize) {
    self.size = size
    let room = max(0, size.columns - MonitorLayout.axisColumn - 1)
    let numbering: Monitor.Numbering
    switch monitor.numbering {
    case .automatic:
      let isLow = size.rows < 12
      numbering = count * 7 <= room || isLow ? .wide : count * 2 <= room ? .vertical : .tight
    default: numbering = monitor.numbering
    }
    switch numbering {
    case .automatic, .wide: (step, idRows) = (7, 1)
    case .vertical: (step, idRows) = (2, 4)
    case .tight: (step, idRows) = (1, 4)
    }
    page = max(1, room / step)
    first = max(0, min(monitor.first, count - page))
    shown = min(page, count - first)
    axis = max(0, size.rows - 2 - idRows - (monitor.showsTotals ? 1 : 0))
  }

  var idRow: Int { axis + 1 }
  var lastRow: Int { size.rows - 1 }
  var totalsRow: Int { size.rows - 2 }

  /// The row of a tick: 0 is on the axis, 4 in row 0.
  func row(tick: Int) -> Int { axis - axis * tick / 4 }

  /// Where a node's bar and id begin. `place` counts from 0 on the screen.
  func column(_ place: Int) -> Int { MonitorLayout.axisColumn + 1 + place * step }

  /// How wide the bar is, and how far within the node's place it begins.
  var bar: (offset: Int, width: Int) { step == 7 ? (1, 4) : (0, 1) }
}

extension Monitor {
  /// How many nodes are shown at once on a screen of this size.
  public func page(count: Int, size: TerminalSize) -> Int { MonitorLayout(self, count: count, size: size).page }
}
