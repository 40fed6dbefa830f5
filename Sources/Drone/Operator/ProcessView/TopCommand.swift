import Bytes

/// What one call of `mtop` is to do, read from its arguments.
public struct TopCommand: Equatable, Sendable {
  public var isHelp = false
  /// Nil: on the screen until the user quits. Otherwise the number of rounds to print as text.
  public var count: UInt32?
  public var isJSON = false
  /// Processes in a text; nil for the default.
  public var lines: UInt16?
  /// Seconds between two rounds of questions.
  public var delay: UInt16 = 5
  public var ranking = ProcessTop.Ranking.cpu

  public init() {}

  /// Reads the arguments, the program's name left out. Throws a sentence.
  public init(_ arguments: [[UInt8]]) throws(TopCommandError) {
    self.init()
    var rest = arguments[...]
    while let word = rest.popFirst() {
      var option = word
      var attached: [UInt8]?
      if word.starts(with: [UInt8]("--")), let equals = word.firstIndex(of: UInt8(ascii: "=")) {
        option = [UInt8](word[..<equals])
        attached = [UInt8](word[(equals + 1)...])
      }
      func number(_ range: ClosedRange<UInt64>) throws(TopCommandError) -> UInt64 {
        guard let value = attached ?? rest.popFirst(), let number = decimal(value), range.contains(number) else {
          var sentence = option + [UInt8](" needs a number from ")
          appendDecimal(range.lowerBound, to: &sentence)
          sentence += [UInt8](" to ")
          appendDecimal(range.upperBound, to: &sentence)
          throw TopCommandError(sentence: sentence + [UInt8]("."))
        }
        return number
      }
      if option.spells("--count") {
        count = UInt32(clamping: try number(1...1_000_000))
      } else if option.spells("--lines") {
        lines = UInt16(clamping: try number(1...900))
      } else if option.spells("--delay") {
        delay = UInt16(clamping: try number(1...3600))
      } else if option.spells("--sort") {
        guard let value = attached ?? rest.popFirst(), let ranking = ProcessTop.Ranking(value) else {
          throw TopCommandError(sentence: [UInt8]("--sort needs cpu, memory, time or node."))
        }
        self.ranking = ranking
      } else if attached == nil, word.spells("--once") {
        count = count ?? 1
      } else if attached == nil, word.spells("--json") {
        isJSON = true
      } else if attached == nil, word.spells("-h") || word.spells("--help") {
        isHelp = true
      } else {
        let shown = word.prefix(40).map(printable)
        throw TopCommandError(sentence: [UInt8]("there is no option ") + shown + [UInt8]("; see mtop --help."))
      }
    }
    if isJSON && count == nil { count = 1 }
  }

  /// What `mtop --help` prints.
  public static let help: StaticString = """
    mtop: the busiest processes of all nodes of the cluster.

      mtop                     on the whole screen; h shows the keys
      mtop --once              one round, as text
          --json               one round, as JSON
          --count N            N rounds
          --lines N            number of processes in a text (default: 20)
          --delay SECONDS      time between two rounds (default: 5)
          --sort WHAT          cpu (default), memory, time or node
      -h, --help

    Each round asks every node once, spread over a second, and takes about two
    seconds; mtop then names the nodes without an answer. Nothing is sent unless
    mtop runs. With 100 nodes a round takes 28 kB on the wire, ESP included, and
    keeps a tunnel open from here to each of them.

    """
}

/// Why a command line is refused.
public struct TopCommandError: Error, Equatable, Sendable {
  /// With a full stop.
  public let sentence: [UInt8]
}
