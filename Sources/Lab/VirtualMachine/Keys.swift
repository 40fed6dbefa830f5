/// Keys of a US keyboard by the emulator's names (QKeyCode of the QEMU Machine Protocol).
enum Keys {
  /// The keys to press together for a character; nil for one that this keyboard does not have.
  static func chord(for character: Character) -> [String]? {
    guard let byte = character.asciiValue else { return nil }
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): return [String(character)]
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): return ["shift", character.lowercased()]
    default:
      if let name = plain[character] { return [name] }
      if let name = shifted[character] { return ["shift", name] }
      return nil
    }
  }

  private static let plain: [Character: String] = [
    "\n": "ret", " ": "spc", "-": "minus", "=": "equal", "[": "bracket_left", "]": "bracket_right",
    ";": "semicolon", "'": "apostrophe", "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot",
    "/": "slash", "\t": "tab",
  ]
  private static let shifted: [Character: String] = [
    "!": "1", "@": "2", "#": "3", "$": "4", "%": "5", "^": "6", "&": "7", "*": "8", "(": "9", ")": "0",
    "_": "minus", "+": "equal", "{": "bracket_left", "}": "bracket_right", ":": "semicolon", "\"": "apostrophe",
    "~": "grave_accent", "|": "backslash", "<": "comma", ">": "dot", "?": "slash",
  ]
}
