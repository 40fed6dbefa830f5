/// What a second command asks of the army: one line of text each way.
public enum Order: Equatable, Sendable {
  /// Power cut.
  case kill(Int)
  /// Power cut, and power on again.
  case reboot(Int)
  /// Pulls the drone's cable out of the switch; puts it back.
  case unplug(Int)
  case plug(Int)
  case status(json: Bool)
  /// The connection becomes the drone's console, on a terminal of this size.
  case console(Int, rows: Int, columns: Int)

  /// What was wrong with a line, as a sentence.
  public struct Refusal: Error, Equatable, Sendable {
    public let sentence: String
  }

  /// No order is longer, the newline included.
  public static let longestLine = 64

  /// The order as a line, without its newline.
  public var line: String {
    switch self {
    case .kill(let number): "kill \(number)"
    case .reboot(let number): "reboot \(number)"
    case .unplug(let number): "unplug \(number)"
    case .plug(let number): "plug \(number)"
    case .status(let json): json ? "status json" : "status"
    case .console(let number, let rows, let columns): "console \(number) \(rows) \(columns)"
    }
  }

  /// Reads a line without its newline. Numbers are decimal; the caller checks whether there is such a drone.
  public init(line: some Sequence<UInt8>) throws(Refusal) {
    let words = String(decoding: Array(line), as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
    func number(_ index: Int) throws(Refusal) -> Int {
      let word = words.indices.contains(index) ? words[index] : ""
      guard word.utf8.count <= 4, word.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
        let value = Int(word)
      else { throw Refusal(sentence: "\"\(word)\" is no number of a drone or a size.") }
      return value
    }
    func only(_ count: Int, _ order: Order) throws(Refusal) -> Order {
      guard words.count == count else { throw Refusal(sentence: "\(words[0]) takes other words.") }
      return order
    }
    switch words.first {
    case "kill": self = try only(2, .kill(number(1)))
    case "reboot": self = try only(2, .reboot(number(1)))
    case "unplug": self = try only(2, .unplug(number(1)))
    case "plug": self = try only(2, .plug(number(1)))
    case "status" where words.count == 2 && words[1] == "json": self = .status(json: true)
    case "status": self = try only(1, .status(json: false))
    case "console":
      self = try only(4, .console(number(1), rows: number(2), columns: number(3)))
    default: throw Refusal(sentence: "The army knows no order \"\(words.first ?? "")\".")
    }
  }

  /// What an answer begins with: done, or refused with a sentence.
  static let done = UInt8(ascii: "+")
  static let refused = UInt8(ascii: "-")
}
