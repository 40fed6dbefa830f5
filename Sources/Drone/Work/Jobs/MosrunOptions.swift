import Addresses
import Bytes

/// `mosrun`'s command line.
public struct MosrunOptions: Equatable, Sendable {
  public enum Place: Equatable, Sendable {
    /// The least loaded node that can run it.
    case best
    case here
    /// An id, an address or a host name.
    case node([UInt8])
    case everywhere
  }

  public var place = Place.best
  /// Run it again on another node when its own dies.
  public var isRepeated = false
  public var wantsHelp = false
  /// A job for each of its lines, instead of one.
  public var list: List?
  public var command: [[UInt8]] = []

  /// Why a command line is refused, as a sentence.
  public struct Failure: Error, Equatable, Sendable {
    public let sentence: [UInt8]
  }

  public init(_ arguments: [[UInt8]]) throws(Failure) {
    var list = List(path: [])
    var ofLists: StaticString?
    var rest = arguments[...]
    while let word = rest.first, word.first == UInt8(ascii: "-"), word.count > 1 {
      rest = rest.dropFirst()
      if word.spells("--") { break }
      if word.spells("-h") {
        place = .here
      } else if word.spells("--help") {
        wantsHelp = true
      } else if word.spells("-a") {
        place = .everywhere
      } else if word.spells("-r") {
        isRepeated = true
      } else if word.spells("-n") {
        place = .node(
          try MosrunOptions.value(&rest, "-n needs a node: its id as showmap shows it, its address or its host name."))
      } else if word.spells("-f") {
        list.path = try MosrunOptions.value(&rest, "-f needs a file whose lines are jobs, or - for standard input.")
      } else if word.starts(with: [UInt8]("-j")) {
        ofLists = "-j"
        let number = word.count > 2 ? [UInt8](word.dropFirst(2)) : rest.popFirst() ?? []
        list.slots = try MosrunOptions.number(number, 1...List.mostSlots, "-j needs the most jobs at once")
      } else if word.spells("-t") || word.spells("--tag") {
        ofLists = "--tag"
        list.isTagged = true
      } else if word.spells("--retries") {
        ofLists = "--retries"
        list.retries = try MosrunOptions.number(
          rest.popFirst() ?? [], 0...List.mostRetries, "--retries needs how often a job is tried again")
      } else if word.spells("--joblog") {
        ofLists = "--joblog"
        list.log = try MosrunOptions.value(&rest, "--joblog needs a file.")
      } else {
        throw Failure(
          sentence: [UInt8]("There is no option ") + word.prefix(60).map(printable) + [UInt8]("; see mosrun --help."))
      }
    }
    command = [[UInt8]](rest)
    if !list.path.isEmpty {
      self.list = list
      if place == .everywhere {
        throw Failure(sentence: [UInt8]("-f and -a exclude each other: each job of a list runs on one node."))
      }
    } else if let ofLists {
      throw Failure(
        sentence: [UInt8](ofLists) + [UInt8](" is for a list of jobs: -f LIST, or -f - for standard input."))
    }
    if self.list == nil ? command.first?.isEmpty != false : command.first?.isEmpty == true, !wantsHelp {
      throw Failure(sentence: [UInt8]("what is to be run? mosrun [OPTION…] COMMAND [ARGUMENT…]; see mosrun --help."))
    }
    if place == .everywhere, isRepeated {
      throw Failure(sentence: [UInt8]("-r and -a exclude each other: -a runs the command once on every node."))
    }
  }

  private static func value(_ rest: inout ArraySlice<[UInt8]>, _ sentence: StaticString) throws(Failure) -> [UInt8] {
    guard let value = rest.popFirst(), !value.isEmpty else { throw Failure(sentence: [UInt8](sentence)) }
    return value
  }

  private static func number(
    _ text: [UInt8], _ range: ClosedRange<Int>, _ phrase: StaticString
  ) throws(Failure) -> Int {
    guard let number = decimal(text).flatMap({ Int(exactly: $0) }), range.contains(number) else {
      throw Failure(sentence: [UInt8]("\([UInt8](phrase)), from \(range.lowerBound) to \(range.upperBound)."))
    }
    return number
  }

  // As long as a terminal is high.
  public static let help: StaticString = """
    mosrun: runs a command on a node of the cluster as if it ran here.

      mosrun COMMAND [ARGUMENT…]  on the least loaded node that can run it
      mosrun -n NODE COMMAND …    on that node: an id as showmap shows it, an
                                  address or a host name
      mosrun -h COMMAND …         here
      mosrun -a COMMAND …         on every node; equal answers are shown once
      mosrun -r COMMAND …         once more on another node if its own dies
      mosrun -f LIST [COMMAND …]  for each line of a file (-: standard input), which
                                  is a command, or {} in COMMAND; with -n, -h, -r
        -j N                      at most N at once; else one for each processor
        -t, --tag                 each line as it comes, its job's line in front
        --retries N               what failed is tried again so often
        --joblog FILE             a line for each try, as GNU parallel writes it
      mosrun --help

    The command's files are this node's: its programs to read, your home folder and
    the folder that you are in to read and write. /tmp is the other node's own.

    Exit status: the command's, 128 and the signal's number if a signal ended it,
    126 or 127 if it cannot be run, 255 if its node was lost or mosrun failed; of a
    list how many jobs failed, 101 if more than 100.

    """
}

extension JobAsk.Target {
  /// What `-n` names, if it is an id or an address.
  public init?(_ text: [UInt8]) {
    switch NodeReference(text) {
    case .id(let id)?: self = .id(id)
    case .address(let address)?: self = .address(address)
    case nil: return nil
    }
  }
}
