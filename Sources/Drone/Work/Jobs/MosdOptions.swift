import Addresses
import Bytes

/// `mosd`'s command line.
public struct MosdOptions: Equatable, Sendable {
  /// The most jobs of other nodes at once; nil for twice the processors, 0 for none.
  public var slots: Int?
  /// The home nodes that it works for; nil for all members.
  public var homes: [NodeReference]?
  /// Set for the mosd that runs already.
  public var limit: UInt16?
  /// The mosd that runs already takes no more jobs, and this program waits until the last is over.
  public var drains = false
  /// The mosd that runs already ends, and this program waits until it has.
  public var stops = false
  public var staysInForeground = false
  public var wantsHelp = false

  public init() {}

  public init(_ arguments: [[UInt8]]) throws(WorkUsageError) {
    var rest = arguments[...]
    while let word = rest.popFirst() {
      if word.spells("--foreground") {
        staysInForeground = true
      } else if word.spells("--help") || word.spells("-h") {
        wantsHelp = true
      } else if word.spells("--work") {
        slots = try MosdOptions.slots(word, rest.popFirst())
      } else if word.spells("--work-for") {
        guard let homes = rest.popFirst().flatMap({ NodeReference.list($0) }) else {
          throw WorkUsageError(
            sentence: [UInt8]("--work-for needs home nodes, their ids or addresses with commas between them."))
        }
        self.homes = homes
      } else if word.spells("--limit") {
        limit = UInt16(clamping: try MosdOptions.slots(word, rest.popFirst()))
      } else if word.spells("--drain") {
        drains = true
      } else if word.spells("--stop") {
        stops = true
      } else {
        throw WorkUsageError(
          sentence: [UInt8]("There is no option ") + word.prefix(60).map(printable) + [UInt8]("; see mosd --help."))
      }
    }
    if isContradictory {
      throw WorkUsageError(
        sentence: [UInt8](
          "--limit, --drain and --stop are for the mosd that runs already: say one of them, and nothing else."))
    }
  }

  /// Orders to the mosd that runs already stand alone.
  private var isContradictory: Bool {
    let orders = (limit == nil ? 0 : 1) + (drains ? 1 : 0) + (stops ? 1 : 0)
    return orders > 1 || orders == 1 && (slots != nil || homes != nil || staysInForeground)
  }

  private static func slots(_ option: [UInt8], _ value: [UInt8]?) throws(WorkUsageError) -> Int {
    if value?.spells("off") == true { return 0 }
    guard let number = value.flatMap({ decimal($0) }), (1...1000).contains(number) else {
      throw WorkUsageError(sentence: option + [UInt8](" needs `off` or the most jobs at once, from 1 to 1000."))
    }
    return Int(number)
  }

  public static let help: StaticString = """
    mosd: takes this node's users' work to other nodes, and theirs to this one. mosrun
    asks it; it needs tyd, and root.

      mosd                 goes to the background
      mosd --foreground    stays: for process 1 and systemd
      mosd --work N        at most N jobs of others at once (default: two a processor)
      mosd --work off      none
      mosd --work-for A,B  those of these home nodes alone, ids or addresses
      mosd --limit N       the mosd that runs takes at most N from now on; off: none
      mosd --drain         it takes none from now on; ends when the last is over
      mosd --stop          ends it, and what it runs for others; ends when it has
      mosd --help

    """
}
