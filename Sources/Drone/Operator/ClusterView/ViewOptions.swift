import Bytes

/// Why a view's command line is refused.
public struct ViewOptionError: Error, Equatable, Sendable {
  /// What is wrong and what to do.
  public let sentence: [UInt8]

  init(_ sentence: [UInt8]) { self.sentence = sentence }
}

/// `showmap`'s command line.
public struct ShowmapOptions: Equatable, Sendable {
  public enum Form: Sendable {
    case map
    case json
    /// As tyd sends it: for `mosmon --from`.
    case table
  }

  public var form = Form.map
  public var wantsHelp = false

  public init(_ arguments: [[UInt8]]) throws(ViewOptionError) {
    for word in arguments {
      if word.spells("--json") {
        form = .json
      } else if word.spells("--table") {
        form = .table
      } else if word.spells("--help") || word.spells("-h") {
        wantsHelp = true
      } else {
        throw unknown(word, "showmap")
      }
    }
  }

  public static let help: StaticString = """
    showmap: the nodes of this node's cluster.

      showmap           one line for each node, or for a run of nodes whose ids and
                        addresses follow each other
      showmap --json    everything that is known of every node, for programs
      showmap --table   the same as lines of words: `mosmon --from FILE` shows them
      showmap --help

    Exit status 1 outside a cluster.

    """
}

/// `mosmon`'s command line.
public struct MosmonOptions: Equatable, Sendable {
  public var isOnce = false
  public var wantsHelp = false
  public var columns: Int?
  public var rows: Int?
  /// Keys that count as pressed at the start.
  public var keys: [UInt8] = []
  /// A recorded table instead of the tyd that runs here.
  public var file: [UInt8]?

  public init(_ arguments: [[UInt8]]) throws(ViewOptionError) {
    var rest = arguments[...]
    while let word = rest.popFirst() {
      if word.spells("--once") {
        isOnce = true
      } else if word.spells("--help") || word.spells("-h") {
        wantsHelp = true
      } else if word.spells("--columns") {
        columns = try MosmonOptions.number(word, rest.popFirst())
      } else if word.spells("--rows") {
        rows = try MosmonOptions.number(word, rest.popFirst())
      } else if word.spells("--keys") {
        keys = try MosmonOptions.value(word, rest.popFirst())
      } else if word.spells("--from") {
        file = try MosmonOptions.value(word, rest.popFirst())
      } else {
        throw unknown(word, "mosmon")
      }
    }
    if !isOnce && (columns != nil || rows != nil) {
      throw ViewOptionError([UInt8]("--columns and --rows need --once: a terminal has its own size."))
    }
  }

  private static func value(_ option: [UInt8], _ value: [UInt8]?) throws(ViewOptionError) -> [UInt8] {
    guard let value, !value.isEmpty else {
      throw ViewOptionError(option + [UInt8](" needs a value; see mosmon --help."))
    }
    return value
  }

  private static func number(_ option: [UInt8], _ word: [UInt8]?) throws(ViewOptionError) -> Int {
    guard let number = decimal(try value(option, word)), (1...1000).contains(number) else {
      throw ViewOptionError(option + [UInt8](" needs a number from 1 to 1000."))
    }
    return Int(number)
  }

  public static let help: StaticString = """
    mosmon: the nodes of this node's cluster as bars. h shows the keys, q ends it.

      mosmon                  the whole screen
      mosmon --once           one picture, for scripts
          --columns N --rows N
                              its size (default: the terminal's, else 80 by 24)
      mosmon --keys KEYS      press these keys at the start: `--keys mdt` shows
                              memory, dead nodes, and totals
      mosmon --from FILE      the nodes that `showmap --table` wrote to FILE
      mosmon --help

    Exit status 1 outside a cluster.

    """
}

private func unknown(_ word: [UInt8], _ program: StaticString) -> ViewOptionError {
  let shown = word.prefix(60).map(printable)
  return ViewOptionError(
    [UInt8]("There is no option ") + shown + [UInt8]("; see ") + [UInt8](program) + [UInt8](" --help."))
}
