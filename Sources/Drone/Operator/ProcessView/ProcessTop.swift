import Bytes
import MachineReadings
import Surveys
import Terminal

/// What a user of `mtop` has chosen to see.
public struct ProcessTop: Equatable, Sendable {
  public var ranking = Ranking.cpu
  public var showsHelp = false
  /// The first process that is shown, counted from 0.
  public var first = 0

  public init(_ ranking: Ranking = .cpu) { self.ranking = ranking }

  /// What comes first.
  public enum Ranking: UInt8, CaseIterable, Sendable {
    /// What uses most of a processor now.
    case cpu
    /// What has most memory.
    case memory
    /// What has used most of a processor since it began.
    case time
    /// Node by node; on each what uses most of a processor.
    case node

    /// The order by which each node chooses the processes that it reports.
    public var order: ProcessOrder {
      switch self {
      case .cpu, .node: .cpu
      case .memory: .memory
      case .time: .time
      }
    }

    public init?(_ word: [UInt8]) {
      for ranking in Ranking.allCases where word.spells(ranking.word) {
        self = ranking
        return
      }
      return nil
    }

    var word: StaticString {
      switch self {
      case .cpu: "cpu"
      case .memory: "memory"
      case .time: "time"
      case .node: "node"
      }
    }
  }

  /// What a key asks of the program.
  public enum Answer: Equatable, Sendable {
    /// Draw what is known again.
    case show
    /// Ask the nodes again, now.
    case ask
    case quit
  }

  /// Does what a key says. `page` is how many processes are shown at once, `count` how many there are to show.
  public mutating func press(_ key: Key, page: Int, count: Int) -> Answer {
    if showsHelp, key != .character(UInt8(ascii: "q")) {
      showsHelp = false
      return .show
    }
    if case .character(let byte) = key { return press(byte) }
    first = key.scrolling(from: first, page: page, count: count) ?? first
    return .show
  }

  private mutating func press(_ letter: UInt8) -> Answer {
    switch letter {
    case UInt8(ascii: "P"): return rank(.cpu)
    case UInt8(ascii: "M"): return rank(.memory)
    case UInt8(ascii: "T"): return rank(.time)
    case UInt8(ascii: "N"): return rank(.node)
    case UInt8(ascii: " "): return .ask
    case UInt8(ascii: "h"), UInt8(ascii: "?"): showsHelp = true
    case UInt8(ascii: "q"): return .quit
    default: break
    }
    return .show
  }

  private mutating func rank(_ ranking: Ranking) -> Answer {
    let wasEnough = ranking.order == self.ranking.order
    self.ranking = ranking
    first = 0
    return wasEnough ? .show : .ask
  }

  // MARK: What is shown

  /// A process and where it is.
  public struct Row: Equatable, Sendable {
    public var node: UInt16
    public var process: ListedProcess
    /// Of the node, in KiB.
    public var memory: UInt32
  }

  /// All reported processes, in this order.
  public func rows(_ report: SurveyReport) -> [Row] {
    var rows: [Row] = []
    for node in report.nodes {
      guard case .answered(let answer) = node.outcome else { continue }
      for process in answer.processes {
        rows.append(Row(node: node.id, process: process, memory: answer.memoryTotal))
      }
    }
    return rows.sorted { left, right in
      if ranking == .node, left.node != right.node { return left.node < right.node }
      let (a, b) = (rank(left.process), rank(right.process))
      if a != b { return a > b }
      if left.process.resident != right.process.resident { return left.process.resident > right.process.resident }
      return (left.node, left.process.process) < (right.node, right.process.process)
    }
  }

  private func rank(_ process: ListedProcess) -> UInt32 {
    switch ranking {
    case .cpu, .node: process.cpu
    case .memory: process.resident
    case .time: process.time
    }
  }
}
