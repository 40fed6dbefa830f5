import Bytes

/// certaintyd's command line.
public struct WatchOptions: Equatable, Sendable {
  public enum Action: Equatable, Sendable { case watch, once, status, help }

  public var action = Action.watch
  /// Milliseconds between the beginnings of two passes.
  public var interval: UInt64 = 2000
  /// When the first pass begins: milliseconds since the kernel's start.
  public var delay: UInt64 = 30_000
  /// The digest (`ContentDigest`) that the baseline's file must have; nil to accept any.
  public var digest: [UInt8]?

  public init() {}

  /// Why a command line is refused: one phrase.
  public struct ParseError: Error, Equatable {
    public var reason: [UInt8]
  }

  /// Reads the words after the program's name.
  public init(_ words: [[UInt8]]) throws(ParseError) {
    var rest = words[...]
    while let word = rest.popFirst() {
      if word.spells("--help") || word.spells("-h") {
        action = .help
      } else if word.spells("--once") {
        action = .once
      } else if word.spells("--status") {
        action = .status
      } else if word.spells("--interval") {
        interval = try seconds(rest.popFirst(), after: word, allowed: 1...3600) &* 1000
      } else if word.spells("--delay") {
        delay = try seconds(rest.popFirst(), after: word, allowed: 0...86_400) &* 1000
      } else if word.spells("--baseline") {
        guard let text = rest.popFirst(), let bytes = digestBytes(text[...]) else {
          throw ParseError(reason: [UInt8]("--baseline needs a BLAKE3 digest in 64 hexadecimal digits"))
        }
        digest = bytes
      } else {
        throw ParseError(reason: word + [UInt8](" is not one of its options"))
      }
    }
  }

  /// For `--help`, at most 79 columns.
  public static let help: StaticString = """
    certaintyd compares the drone's root with the baseline that is sealed into its
    image, again and again, and restarts the drone when they differ.

      certaintyd             watch; process 1 starts it at boot
      certaintyd --once      compare everything now, print each difference
                             (exit status: 0 none, 1 some, 2 it could not look)
      certaintyd --status    show when it last looked, and what that cost

      --interval SECONDS     from one pass to the next (2)
      --delay SECONDS        first pass, counted from the start of the drone (30)

    To change the root of a running drone, end it first:  killall certaintyd

    """
}

private func seconds(
  _ word: [UInt8]?, after option: [UInt8], allowed: ClosedRange<UInt64>
) throws(WatchOptions.ParseError) -> UInt64 {
  guard let word, let value = decimal(word[...]), allowed.contains(value) else {
    var reason = option + [UInt8](" needs seconds, from ")
    appendDecimal(allowed.lowerBound, to: &reason)
    reason += [UInt8](" to ")
    appendDecimal(allowed.upperBound, to: &reason)
    throw WatchOptions.ParseError(reason: reason)
  }
  return value
}
