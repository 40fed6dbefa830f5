import DroneLayout
import Workshop

/// GRUB's configuration on a medium: the labels of SYSLINUX as a menu, and as words of its prompt.
///
/// A signed GRUB has no module `read`, so a line is typed at GRUB's own prompt, where each label is a function that takes
/// more words.
struct GRUBConfiguration {
  /// Where GRUB reads it.
  static let path = "\(folder)/grub.cfg"
  private static let folder = "/boot/grub"
  private static let prompt = "\(folder)/prompt.cfg"
  private static func screen(_ key: Int) -> String { "\(folder)/f\(key).txt" }

  let medium: Medium
  let labels: BootLabels
  /// The screens of the keys F1 to F6, as SYSLINUX shows them.
  let screens: [[UInt8]]

  /// What lies on the medium.
  var entries: [Entry] {
    let titles = screens.first.map(Self.titles) ?? [:]
    return [
      .file(Self.path, .bytes([UInt8](menu(titles).utf8)), why: "boot menu for UEFI"),
      .file(Self.prompt, .bytes([UInt8](help.utf8)), why: "what its prompt says"),
    ]
      + screens.enumerated().map { index, screen in
        .file(
          Self.screen(index + 1), .bytes([UInt8](Self.plain(screen).utf8)), why: "the boot menu's F\(index + 1)")
      }
  }

  /// What GRUB reads first, and what leads it to the menu.
  static func beginning(on medium: Medium) -> Entry {
    let text =
      switch medium {
      // GRUB lies in the EFI system partition. It finds the CD's file system on the drive that it came from before any other.
      case .cd:
        """
        regexp --set=1:drive '^\\(([^,)]*)' "$cmdpath"
        if search --file --set=root --hint="$drive" /\(MediumPath.root); then
          set prefix=($root)\(folder)
          source \(path)
        else
          echo 'The firmware shows no drive with /\(MediumPath.root) to GRUB.'
          sleep 60
        fi

        """
      // Debian's GRUB for the network looks in another folder of the server that it came from.
      case .network:
        """
        set prefix=($root)\(folder)
        source \(path)

        """
      }
    let path = medium == .cd ? "/BOOT/GRUB/GRUB.CFG" : "/grub/grub.cfg"
    return .file(path, .bytes([UInt8](text.utf8)), why: "finds the boot menu")
  }

  private func menu(_ titles: [Int: String]) -> String {
    """
    # Made from SYSLINUX's configuration. Screen and first serial port, both with keys.
    set serial=
    if serial --unit=0 --speed=\(labels.speed); then set serial=serial; fi
    # GRUB draws on the screen itself: firmware would send what it shows to the serial port as well. The kernel keeps the
    # mode, in which its letters can be read on a large screen, too.
    set gfxmode=1024x768,800x600,auto
    set gfxpayload=keep
    set screen=console
    if loadfont (memdisk)/fonts/unicode.pf2; then set screen=gfxterm; fi
    terminal_input console $serial
    if terminal_output $screen $serial; then true; else terminal_output console $serial; fi
    set timeout=\(labels.wait)
    set default=\(labels.standard)

    # At the prompt a label takes more words, and this takes all of a kernel's line.
    function kernel {
      \(typedKernel)
      initrd \(labels.labels.first?.archive ?? "")
      boot
    }
    \(labels.labels.map(function).joined(separator: "\n"))

    \(labels.labels.filter { !Self.isOfCHAOS($0) }.map(entry).joined(separator: "\n"))
    menuentry 'Type a line (key c)' --id prompt { normal \(Self.prompt) }
    \(screens.indices.map { screenEntry($0 + 1, titles[$0 + 1] ?? "") }.joined(separator: "\n"))
    submenu 'Labels of CHAOS Linux' --id chaos {
    \(labels.labels.filter(Self.isOfCHAOS).map { "  \(entry($0))" }.joined(separator: "\n"))
    }

    """
  }

  /// The kernel of a whole line. The line of 2003 names the first drone's, which UEFI cannot start where it is one of 32 bits.
  private var typedKernel: String {
    let first = DronePlace.standard.kernel
    guard let own = labels.labels.first?.kernel, own != first else { return "linux \"$@\"" }
    return "if [ \"$1\" = \"\(first)\" ]; then shift; linux \(own) \"$@\"; else linux \"$@\"; fi"
  }

  /// A letter and a digit, as in 2003.
  private static func isOfCHAOS(_ label: BootLabels.Label) -> Bool {
    label.name.count == 2 && label.name.last?.isNumber == true
  }

  private func function(_ label: BootLabels.Label) -> String {
    """
    function \(label.name) {
      linux \(label.kernel) \(label.words)\(card) "$@"
      initrd \(label.archive)
      boot
    }
    """
  }

  /// The drone first asks on the card that it came from.
  private var card: String { labels.namesCard ? " BOOTIF=01:$net_default_mac" : "" }

  private func entry(_ label: BootLabels.Label) -> String {
    "menuentry '\(label.name)' --id \(label.name) { \(label.name) }"
  }

  /// Only Esc ends a sleep.
  private func screenEntry(_ key: Int, _ title: String) -> String {
    "menuentry 'F\(key) \(title)' --hotkey=f\(key) --id f\(key) "
      + "{ clear; cat \(Self.screen(key)); sleep --interruptible 3600 }"
  }

  private var help: String {
    let boot = medium == .cd ? " boot=/dev/cdrom:iso9660" : ""
    return """
      echo 'Type a label and boot words, such as'
      echo '  \(labels.standard) ip=192.168.1.21::192.168.1.1:255.255.255.0 keymap=de'
      echo 'or the word kernel and a whole line, such as'
      echo '  kernel \(DronePlace.standard.kernel) root=/dev/ram0 rw\(boot) ip=192.168.1.21:::255.255.255.0'

      """
  }

  // MARK: - Screens

  /// A screen without the codes for clearing (0x0C) and colour (0x0F and two digits; SYSLINUX, syslinux.txt, "DISPLAY FILE
  /// FORMAT"), and with a last line that is true of a menu.
  static func plain(_ screen: [UInt8]) -> String {
    var lines = text(screen).split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    if lines.last.map({ !titles(ofLine: $0).isEmpty }) == true { lines.removeLast() }
    return lines.joined(separator: "\n")
      + "\n Esc shows the menu. There the key c is a prompt for a label and boot words,"
      + "\n or for the word kernel and a whole line.\n"
  }

  private static func text(_ screen: [UInt8]) -> String {
    var plain: [UInt8] = []
    var rest = screen[...]
    while let byte = rest.popFirst() {
      switch byte {
      case 0x0C, 0x0D: continue
      case 0x0F: rest = rest.dropFirst(2)
      default: plain.append((0x20...0x7E).contains(byte) || byte == 0x0A ? byte : UInt8(ascii: "?"))
      }
    }
    return String(decoding: plain, as: UTF8.self)
  }

  /// What the keys show, as a screen's last line names them.
  static func titles(_ screen: [UInt8]) -> [Int: String] {
    text(screen).split(separator: "\n").last.map(titles) ?? [:]
  }

  private static func titles(ofLine line: Substring) -> [Int: String] {
    let words = line.split(separator: " ")
    var titles: [Int: String] = [:]
    for (word, next) in zip(words, words.dropFirst()) {
      guard word.hasPrefix("F"), let key = Int(word.dropFirst()) else { continue }
      titles[key] = String(next.filter { $0.isLetter || $0.isNumber })
    }
    return titles
  }
}
