/// Separates the army's own keys from what a person types; the rest is for the drone.
///
/// Ctrl-A begins a key of the army; Ctrl-C alone ends it.
struct KeyReader {
  enum Key: Equatable {
    case kill(Int)
    case reboot(Int)
    case unplug(Int)
    case plug(Int)
    /// The console of this drone.
    case console(Int)
    /// A command on every node, on a drone's console.
    case work
    /// Back to the picture of the cluster.
    case monitor
    case help
    /// Bytes for the drone on the screen.
    case typed([UInt8])
    case end
    /// Something to show instead of the usual line; nil for the usual line.
    case asking(String?)
  }

  private enum State: Equatable {
    case typing
    case prefix
    /// A verb's drone, digit by digit.
    case number(verb: UInt8, digits: [UInt8])
  }

  /// Drones are numbered from 1 to this.
  let count: Int
  private var state = State.typing

  init(count: Int) { self.count = count }

  static let prefix: UInt8 = 1  // Ctrl-A
  private static let interrupt: UInt8 = 3  // Ctrl-C
  private static let escape: UInt8 = 27

  mutating func read(_ bytes: [UInt8]) -> [Key] {
    var keys: [Key] = []
    var typed: [UInt8] = []
    for byte in bytes {
      if state == .typing, byte != Self.prefix, byte != Self.interrupt {
        typed.append(byte)
        continue
      }
      if !typed.isEmpty { keys.append(.typed(typed)) }
      typed = []
      keys += read(byte)
    }
    if !typed.isEmpty { keys.append(.typed(typed)) }
    return keys
  }

  private mutating func read(_ byte: UInt8) -> [Key] {
    switch state {
    case .typing:
      if byte == Self.interrupt { return [.end] }
      state = .prefix
      return [.asking("k kill, r reboot, u unplug, p plug in, c console of a drone; w work; m back; h help")]
    case .prefix: return command(byte)
    case .number(let verb, let digits): return digit(byte, verb, digits)
    }
  }

  private mutating func command(_ byte: UInt8) -> [Key] {
    state = .typing
    switch byte {
    case Self.prefix, UInt8(ascii: "a"): return [.typed([Self.prefix]), .asking(nil)]
    case Self.interrupt: return [.typed([Self.interrupt]), .asking(nil)]
    case UInt8(ascii: "m"): return [.asking(nil), .monitor]
    case UInt8(ascii: "w"): return [.asking(nil), .work]
    case UInt8(ascii: "q"): return [.end]
    case UInt8(ascii: "h"), UInt8(ascii: "?"): return [.help]
    case UInt8(ascii: "k"), UInt8(ascii: "r"), UInt8(ascii: "u"), UInt8(ascii: "p"), UInt8(ascii: "c"):
      state = .number(verb: byte, digits: [])
      return [.asking(question(byte, []))]
    default: return [.asking(nil)]
    }
  }

  private mutating func digit(_ byte: UInt8, _ verb: UInt8, _ digits: [UInt8]) -> [Key] {
    state = .typing
    var digits = digits
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      digits.append(byte)
      // Enter is asked for only where another digit could follow.
      guard let number = number(digits), number * 10 <= count, digits.count < 4 else { break }
      state = .number(verb: verb, digits: digits)
      return [.asking(question(verb, digits))]
    case 13, 10: break
    default: return [.asking(nil)]
    }
    guard let number = number(digits), (1...count).contains(number) else {
      return [.asking("There is no such drone: they are numbered from 1 to \(count).")]
    }
    return [.asking(nil), key(verb, number)]
  }

  private func number(_ digits: [UInt8]) -> Int? { Int(String(decoding: digits, as: UTF8.self)) }

  private func key(_ verb: UInt8, _ number: Int) -> Key {
    switch verb {
    case UInt8(ascii: "k"): .kill(number)
    case UInt8(ascii: "r"): .reboot(number)
    case UInt8(ascii: "u"): .unplug(number)
    case UInt8(ascii: "p"): .plug(number)
    default: .console(number)
    }
  }

  private func question(_ verb: UInt8, _ digits: [UInt8]) -> String {
    let word =
      switch verb {
      case UInt8(ascii: "k"): "Kill"
      case UInt8(ascii: "r"): "Reboot"
      case UInt8(ascii: "u"): "Unplug"
      case UInt8(ascii: "p"): "Plug in"
      default: "Console of"
      }
    let end = count > 9 ? ", then Enter" : ""
    return "\(word) which drone? 1 to \(count)\(end): " + String(decoding: digits, as: UTF8.self)
  }
}
