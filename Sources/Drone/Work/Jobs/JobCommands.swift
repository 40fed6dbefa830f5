import Addresses
import Bytes

/// `mps`'s command line.
public struct MpsOptions: Equatable, Sendable {
  public var isJSON = false
  public var wantsHelp = false

  public init(_ arguments: [[UInt8]]) throws(WorkUsageError) {
    for word in arguments {
      if word.spells("--json") {
        isJSON = true
      } else if word.spells("--help") || word.spells("-h") {
        wantsHelp = true
      } else {
        throw WorkUsageError(
          sentence: [UInt8]("There is no option ") + word.prefix(60).map(printable) + [UInt8]("; see mps --help."))
      }
    }
  }

  public static let help: StaticString = """
    mps: shows the jobs of all nodes: what mosrun runs on a node for another.

      mps          a line each: its name, whose it is, the node that runs it, for how
                   long, processor time (minutes:seconds), memory (KiB, m or g), command
      mps --json   the same as one line of JSON
      mps --help

    A job's name is its home node and the process there that waits for it; mkill takes
    it. A node that does not answer is named, and the exit status is 1 then.

    """
}

/// `mkill`'s command line.
public struct MkillOptions: Equatable, Sendable {
  public var signal: UInt8 = 15
  public var jobs: [JobName] = []
  public var wantsHelp = false

  /// Those that mosrun passes on, and SIGKILL, with which it and its job end (numbers of signal(7)).
  private static let signals: [(StaticString, UInt8)] = [
    ("HUP", 1), ("INT", 2), ("QUIT", 3), ("KILL", 9), ("USR1", 10), ("USR2", 12), ("ALRM", 14), ("TERM", 15),
    ("CONT", 18), ("TSTP", 20),
  ]

  public init(_ arguments: [[UInt8]]) throws(WorkUsageError) {
    for word in arguments {
      if word.spells("--help") || word.spells("-h") {
        wantsHelp = true
      } else if word.first == UInt8(ascii: "-") {
        guard let signal = MkillOptions.signal(word.dropFirst()) else {
          throw WorkUsageError(
            sentence: word.prefix(60).map(printable)
              + [UInt8](": mkill sends HUP, INT, QUIT, KILL, USR1, USR2, ALRM, TERM, CONT or TSTP, as -INT or -2."))
        }
        self.signal = signal
      } else {
        guard let job = JobName(word) else {
          throw WorkUsageError(
            sentence: word.prefix(60).map(printable)
              + [UInt8](" is no job: one is called as 0x010b.2314; mps lists them."))
        }
        jobs.append(job)
      }
    }
    if jobs.isEmpty, !wantsHelp {
      throw WorkUsageError(sentence: [UInt8]("which job? mkill [-SIGNAL] JOB…; mps lists them."))
    }
  }

  private static func signal(_ text: ArraySlice<UInt8>) -> UInt8? {
    let name = text.starts(with: [UInt8]("SIG")) ? text.dropFirst(3) : text
    for (word, number) in signals where name.spells(word) || decimal(text) == UInt64(number) { return number }
    return nil
  }

  public static let help: StaticString = """
    mkill: sends jobs a signal, wherever they run.

      mkill [-SIGNAL] JOB…   SIGNAL: HUP, INT, QUIT, KILL, USR1, USR2, ALRM, TERM (the
                             usual one), CONT, TSTP, or its number
      mkill --help

    JOB is a job's name as mps shows it. On its home node its user and root may; on the
    node that runs it root may.

    """
}

/// Why a command line is refused, as a sentence.
public struct WorkUsageError: Error, Equatable, Sendable {
  public let sentence: [UInt8]
}
