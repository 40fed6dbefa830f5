import Bytes

/// A drone's state in its cluster, for a shell's greeting. tyd sends it as one line of words.
public enum NodeStanding: Equatable, Sendable {
  /// No tyd runs.
  case outside
  /// tyd runs and does not answer.
  case silent
  /// tyd looks for a member or talks to one.
  case joining
  /// A member's operator must approve the key: its fingerprint, 64 hexadecimal digits.
  case pending(key: [UInt8])
  /// In the cluster, with this many live nodes, itself included.
  case member(id: UInt16, nodes: UInt32)

  /// Reads what `text` gives; anything else is `silent`.
  public init(_ line: [UInt8]) {
    let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
    self = .silent
    guard let word = words.first else { return }
    if word.spells("joining") {
      self = .joining
    } else if word.spells("pending"), words.count > 1, words[1].count == 64,
      words[1].allSatisfy({ hexadecimalDigit($0) != nil })
    {
      self = .pending(key: [UInt8](words[1]))
    } else if word.spells("member"), words.count > 2, let id = decimal(words[1]).flatMap({ UInt16(exactly: $0) }),
      let nodes = decimal(words[2]).flatMap({ UInt32(exactly: $0) })
    {
      self = .member(id: id, nodes: nodes)
    }
  }

  /// `member 277 3` and a line feed; empty for what tyd cannot say of itself.
  public var text: [UInt8] {
    switch self {
    case .outside, .silent: return []
    case .joining: return [UInt8]("joining\n")
    case .pending(let key): return [UInt8]("pending ") + key + [UInt8]("\n")
    case .member(let id, let nodes):
      var out = [UInt8]("member ")
      appendDecimal(UInt64(id), to: &out)
      out.append(UInt8(ascii: " "))
      appendDecimal(UInt64(nodes), to: &out)
      out.append(UInt8(ascii: "\n"))
      return out
    }
  }
}
