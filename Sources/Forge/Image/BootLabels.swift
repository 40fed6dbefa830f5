import Workshop

/// What a boot configuration of SYSLINUX says (SYSLINUX, syslinux.txt), as far as another loader needs it: from the CD's one
/// file come the prompt of a BIOS and the menu of UEFI.
struct BootLabels: Equatable {
  struct Label: Equatable {
    var name: String
    var kernel = ""
    var archive = ""
    /// The rest of the kernel's words.
    var words = ""
  }

  /// In the file's order.
  var labels: [Label] = []
  /// The label that starts by itself.
  var standard = ""
  /// Seconds until then.
  var wait = 0
  /// Of the first serial port.
  var speed = 0
  /// Whether the drone is told which card it was booted from (SYSAPPEND 2).
  var namesCard = false

  /// Reads the configuration. Throws one sentence for a word that it does not know, and for a label that cannot be a word
  /// of GRUB's: the menu would lack something of the prompt.
  ///
  /// - Parameter folder: where relative paths begin, with a slash at its end; nil where there must be none.
  init(_ text: String, from file: String, folder: String? = nil) throws {
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.split(separator: " ")
      guard let keyword = words.first, !keyword.hasPrefix("#") else { continue }
      let rest = words.dropFirst()
      func wrong(_ reason: String) -> BuildError {
        .input(
          "\(file) says \(line.debugDescription), and \(reason). UEFI's menu is made of it: change one or the other.")
      }
      switch keyword {
      case "SERIAL":
        guard rest.count == 2, rest.first == "0", let speed = rest.last.flatMap({ Int($0) }), speed > 0 else {
          throw wrong("only the first serial port with its speed is understood")
        }
        self.speed = speed
      case "TIMEOUT":
        // In tenths of a second.
        guard rest.count == 1, let tenths = rest.first.flatMap({ Int($0) }), tenths >= 0 else {
          throw wrong("that is no time")
        }
        wait = tenths / 10
      case "SYSAPPEND":
        guard rest.joined() == "2" else { throw wrong("only the card can be told, which is 2") }
        namesCard = true
      case "DEFAULT": standard = rest.joined(separator: " ")
      case "LABEL":
        guard rest.count == 1, let name = rest.first, Self.isName(name), !labels.contains(where: { $0.name == name })
        else { throw wrong("a label is one word of letters and digits, and each is there once") }
        labels.append(Label(name: String(name)))
      case "KERNEL" where rest.count == 1 && !labels.isEmpty: labels[labels.count - 1].kernel = rest.joined()
      case "APPEND" where !labels.isEmpty:
        let mark = "initrd="
        let archives = rest.filter { $0.hasPrefix(mark) }
        guard archives.count == 1, let archive = archives.first, rest.allSatisfy(Self.isPlain) else {
          throw wrong("it needs one initrd= and words without signs that mean something to GRUB")
        }
        labels[labels.count - 1].archive = String(archive.dropFirst(mark.count))
        labels[labels.count - 1].words = rest.filter { !$0.hasPrefix(mark) }.joined(separator: " ")
      // The screens are named by their keys; the prompt is always there.
      case "PROMPT", "DISPLAY", "F1", "F2", "F3", "F4", "F5", "F6": break
      default: throw wrong("that is not understood")
      }
    }
    if let folder {
      for index in labels.indices {
        labels[index].kernel = Self.path(labels[index].kernel, in: folder)
        labels[index].archive = Self.path(labels[index].archive, in: folder)
      }
    }
    for label in labels where !label.kernel.hasPrefix("/") || !label.archive.hasPrefix("/") {
      throw BuildError.input("The label \(label.name) of \(file) names no kernel or root archive by an absolute path.")
    }
    guard labels.contains(where: { $0.name == standard }) else {
      throw BuildError.input("\(file) has no label \(standard.debugDescription), which DEFAULT names.")
    }
  }

  private static func path(_ name: String, in folder: String) -> String {
    name.isEmpty || name.hasPrefix("/") ? name : folder + name
  }

  /// GRUB's scanner: a function's name begins with a letter.
  private static func isName(_ name: Substring) -> Bool {
    name.first?.isLetter == true
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: false
        }
      }
  }

  /// Whether GRUB passes a word on as it is.
  private static func isPlain(_ word: Substring) -> Bool {
    word.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"\"'\\$&;|<>{}#*?".utf8.contains($0) }
  }
}
