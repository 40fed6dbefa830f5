/// A keyboard as it is printed on the keys: the character of each key alone, with Shift and with AltGr.
///
/// `table` gives the file that BusyBox's loadkmap reads.
struct KeyboardLayout {
  /// The value of the boot word `keymap=`.
  let name: String
  let plain: String
  let shift: String
  /// A space where AltGr has no character.
  let altGr: String

  /// The keys that a layout lists, in this order, as Linux numbers them (input-event-codes.h): the digits' row, the two
  /// letter rows below it, the key left of 1, the one beside Enter, the lowest row, the one beside the left Shift.
  static let keys = ([2...13, 16...27, 30...40, 41...41, 43...53, 86...86] as [ClosedRange<Int>]).flatMap(Array.init)

  static let all = [
    KeyboardLayout(
      name: "de",
      plain: "1234567890ß´" + "qwertzuiopü+" + "asdfghjklöä" + "^#" + "yxcvbnm,.-" + "<",
      shift: "!\"§$%&/()=?`" + "QWERTZUIOPÜ*" + "ASDFGHJKLÖÄ" + "°'" + "YXCVBNM;:_" + ">",
      altGr: " ²³   {[]}\\ " + "@          ~" + "           " + "  " + "      µ   " + "|"),
    KeyboardLayout(
      name: "fr",
      plain: "&é\"'(-è_çà)=" + "azertyuiop^$" + "qsdfghjklmù" + "²*" + "wxcvbn,;:!" + "<",
      shift: "1234567890°+" + "AZERTYUIOP¨£" + "QSDFGHJKLM%" + "~µ" + "WXCVBN?./§" + ">",
      altGr: " ~#{[|`\\^@]}" + "           ¤" + "           " + "  " + "          " + " "),
    KeyboardLayout(
      name: "uk",
      plain: "1234567890-=" + "qwertyuiop[]" + "asdfghjkl;'" + "`#" + "zxcvbnm,./" + "\\",
      shift: "!\"£$%^&*()_+" + "QWERTYUIOP{}" + "ASDFGHJKL:@" + "¬~" + "ZXCVBNM<>?" + "|",
      altGr: "            " + "            " + "           " + "¦ " + "          " + " "),
    KeyboardLayout(
      name: "us",
      plain: "1234567890-=" + "qwertyuiop[]" + "asdfghjkl;'" + "`\\" + "zxcvbnm,./" + "<",
      shift: "!@#$%^&*()_+" + "QWERTYUIOP{}" + "ASDFGHJKL:\"" + "~|" + "ZXCVBNM<>?" + ">",
      altGr: "            " + "            " + "           " + "  " + "          " + " "),
  ]
}

extension KeyboardLayout {
  /// The layout in BusyBox's binary form: "bkeymap", a byte for each of 256 combinations of modifiers that says
  /// whether its map follows, and for each such map the 128 keys' actions as the console's KDSKBENT takes them,
  /// 16 bits, low byte first.
  var table: [UInt8] {
    // Modifiers as bits (keyboard.h): Shift 1, AltGr 2, Control 4, Alt 8.
    let maps: [(modifiers: Int, keys: [UInt16])] = [0, 1, 2, 4, 5, 8, 12].map { ($0, map($0)) }
    var bytes = [UInt8]("bkeymap".utf8)
    for modifiers in 0..<256 { bytes.append(maps.contains { $0.modifiers == modifiers } ? 1 : 0) }
    for (_, keys) in maps { for key in keys { bytes += [UInt8(key & 0xFF), UInt8(key >> 8)] } }
    return bytes
  }

  private func map(_ modifiers: Int) -> [UInt16] {
    var actions = editingKeys(modifiers)
    let row = modifiers & 1 != 0 ? shift : modifiers & 2 != 0 ? altGr : plain
    for (key, character) in zip(Self.keys, row.unicodeScalars) where modifiers == 2 ? character != " " : true {
      // Every character of the layouts is in Latin-1.
      let code = UInt16(character.value & 0xFF)
      let letter = character.properties.isAlphabetic
      switch modifiers {
      case 4, 5: actions[key] = control(code) ?? Action.nothing
      case 8: actions[key] = Action.meta | code
      case 12: actions[key] = letter ? Action.meta | code & 0x1F : Action.nothing
      default: actions[key] = letter ? Action.letter | code : code
      }
    }
    return actions
  }
}

/// What a key does: a kind in the high byte, a number in the low one (keyboard.h's KT_ constants). Characters are kind 0.
private enum Action {
  static let nothing: UInt16 = 0x0200
  static let function: UInt16 = 0x0100
  static let enter: UInt16 = 0x0201
  static let capsLock: UInt16 = 0x0207
  static let numLock: UInt16 = 0x0208
  static let scrollLock: UInt16 = 0x0209
  static let scrollForward: UInt16 = 0x020A
  static let scrollBackward: UInt16 = 0x020B
  static let boot: UInt16 = 0x020C
  static let pad: UInt16 = 0x0300
  static let console: UInt16 = 0x0500
  static let cursor: UInt16 = 0x0600
  static let modifier: UInt16 = 0x0700
  static let meta: UInt16 = 0x0800
  static let asciiDigit: UInt16 = 0x0900
  /// A character that Caps Lock turns into the one with Shift.
  static let letter: UInt16 = 0x0B00
}

/// What Control and a key give: the ASCII control characters.
private func control(_ code: UInt16) -> UInt16? {
  switch UInt8(truncatingIfNeeded: code) {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "[")...UInt8(ascii: "_"), UInt8(ascii: "@"):
    code & 0x1F
  case UInt8(ascii: "-"), UInt8(ascii: "7"): 0x1F
  case UInt8(ascii: "2"), UInt8(ascii: "`"): 0x00
  case UInt8(ascii: "3"): 0x1B
  case UInt8(ascii: "4"): 0x1C
  case UInt8(ascii: "5"): 0x1D
  case UInt8(ascii: "6"): 0x1E
  case UInt8(ascii: "8"), UInt8(ascii: "/"), UInt8(ascii: "?"): 0x7F
  default: nil
  }
}

/// The keys that are the same on every keyboard, by Linux's number.
private func editingKeys(_ modifiers: Int) -> [UInt16] {
  let shift = modifiers & 1 != 0
  let alt = modifiers & 8 != 0
  var keys = [UInt16](repeating: Action.nothing, count: 128)
  keys[1] = alt ? Action.meta | 0x1B : 0x1B
  keys[14] = alt ? Action.meta | 0x7F : 0x7F
  keys[15] = alt ? Action.meta | 0x09 : 0x09
  keys[28] = alt ? Action.meta | 0x0D : Action.enter
  keys[57] = modifiers & 4 != 0 ? 0x00 : alt ? Action.meta | 0x20 : 0x20
  for (key, number) in zip([42, 54, 100, 29, 97, 56], [0, 0, 1, 2, 2, 3] as [UInt16]) {
    keys[key] = Action.modifier | number
  }
  keys[58] = Action.capsLock
  keys[69] = Action.numLock
  keys[70] = Action.scrollLock
  // F1 to F12; with Shift the next twelve, of which the first eight are F13 to F20; with Alt the consoles.
  for (number, key) in [59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 87, 88].enumerated() {
    let n = UInt16(number)
    if alt {
      keys[key] = Action.console | n
    } else if shift {
      keys[key] = n < 8 ? Action.function | (n + 12) : Action.nothing
    } else {
      keys[key] = Action.function | n
    }
  }
  // The keypad: its digits by key, then + - * / Enter and the decimal point.
  for (digit, key) in [82, 79, 80, 81, 75, 76, 77, 71, 72, 73].enumerated() {
    keys[key] = (modifiers == 8 ? Action.asciiDigit : Action.pad) | UInt16(digit)
  }
  for (number, key) in [(10, 78), (11, 74), (12, 55), (13, 98), (14, 96), (16, 83)] as [(UInt16, Int)] {
    keys[key] = Action.pad | number
  }
  // Down, left, right, up.
  for (number, key) in [108, 105, 106, 103].enumerated() { keys[key] = Action.cursor | UInt16(number) }
  // Home, Insert, Delete, End, Page Up, Page Down, Pause.
  for (number, key) in [(20, 102), (21, 110), (22, 111), (23, 107), (24, 104), (25, 109), (29, 119)] as [(UInt16, Int)]
  {
    keys[key] = Action.function | number
  }
  if shift {
    keys[104] = Action.scrollBackward
    keys[109] = Action.scrollForward
  }
  if modifiers == 12 {
    keys[83] = Action.boot
    keys[111] = Action.boot
  }
  return keys
}

/// The keyboard maps in the image.
let keyboardEntries: [Entry] = KeyboardLayout.all.map { layout in
  .file("/usr/share/keymaps/\(layout.name).bmap", .bytes(layout.table), why: "keyboard map for keymap=\(layout.name)")
}
