import Bytes

/// One word of the kernel command line.
public struct BootWord: Hashable, Sendable {
  /// What stands before the first `=`; the whole word when there is none.
  public let name: [UInt8]
  /// What stands after the first `=`, without the double quotes around it; nil when there is no `=`.
  public let value: [UInt8]?

  public init(name: [UInt8], value: [UInt8]?) {
    self.name = name
    self.value = value
  }

  /// The word without its quotes: `name=value` or `name`.
  public var text: [UInt8] {
    guard let value else { return name }
    return name + [UInt8(ascii: "=")] + value
  }
}

/// The command line cut into words as the kernel cuts it (lib/cmdline.c, next_arg): at white space outside double
/// quotes. Quotes around a whole word or around its value are taken off, others are kept. `--` ends the kernel's words;
/// what follows are arguments of the first process. A zero byte ends the line.
struct WordSplitter {
  private(set) var words: [BootWord] = []
  /// The words after `--`.
  private(set) var arguments: [BootWord] = []
  /// The last word, when its double quote is never closed.
  private(set) var unclosed: BootWord?

  init(_ line: [UInt8]) {
    let line = line.prefix { $0 != 0 }
    var kernelWords = true
    var position = line.startIndex
    while true {
      while position < line.endIndex, WordSplitter.isSpace(line[position]) { position += 1 }
      guard position < line.endIndex else { return }
      var end = position
      var inQuotes = false
      while end < line.endIndex, inQuotes || !WordSplitter.isSpace(line[end]) {
        if line[end] == WordSplitter.quote { inQuotes.toggle() }
        end += 1
      }
      let word = WordSplitter.word(line[position..<end])
      if inQuotes { unclosed = word }
      if !kernelWords {
        arguments.append(word)
      } else if word.value == nil, word.name.spells("--") {
        kernelWords = false
      } else {
        words.append(word)
      }
      position = end
    }
  }

  private static let quote = UInt8(ascii: "\"")

  /// The kernel's isspace(): ASCII white space, and 0xA0, its Latin-1 no-break space.
  static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte >= 9 && byte <= 13 || byte == 0xA0 }

  private static func word(_ raw: ArraySlice<UInt8>) -> BootWord {
    var raw = raw
    if raw.first == quote {
      raw = raw.dropFirst()
      if raw.last == quote { raw = raw.dropLast() }
    }
    // An equals sign at the very start is part of the name.
    guard let equals = raw.dropFirst().firstIndex(of: UInt8(ascii: "=")) else {
      return BootWord(name: [UInt8](raw), value: nil)
    }
    var value = raw[(equals + 1)...]
    if value.first == quote {
      value = value.dropFirst()
      if value.last == quote { value = value.dropLast() }
    }
    return BootWord(name: [UInt8](raw[..<equals]), value: [UInt8](value))
  }
}
