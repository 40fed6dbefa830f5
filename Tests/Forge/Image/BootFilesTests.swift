import BootLine
import DroneLayout
import SystemPackage
import Target
import TestSupport
import Testing
import Workshop

@testable import Image

@Suite struct BootFilesTests {
  private func text(_ name: String) throws -> String {
    String(decoding: try contents(of: checkout.appending("isolinux").appending(name)), as: UTF8.self)
  }

  /// The screens by their keys; some are others for computers of 64 bits, for both kinds, or in a menu.
  static let screens =
    (1...6).map { "\($0)" } + [
      "3-x86_64", "3-any", "5-any", "1-uefi", "4-uefi", "1-served", "5-served", "5-served-any",
    ]

  /// A screen's lines without the codes for clearing (0x0C) and colour (0x0F and two digits).
  private func lines(_ key: String) throws -> [Substring] {
    var plain = ""
    var rest = try text("f\(key).txt")[...]
    while let character = rest.popFirst() {
      switch character {
      case "\u{0C}": continue
      case "\u{0F}": rest = rest.dropFirst(2)
      default: plain.append(character)
      }
    }
    return plain.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
  }

  @Test("a screen leaves room for the prompt on 80 columns and 25 lines", arguments: screens)
  func size(key: String) throws {
    let lines = try lines(key)
    #expect(lines.count <= 23)
    for line in lines {
      #expect(line.count < 80)
      #expect(line.utf8.allSatisfy { (0x20..<0x7F).contains($0) }, "\(line)")
    }
  }

  @Test("every screen says what the keys show", arguments: screens)
  func keys(key: String) throws {
    for name in 1...6 { #expect(try lines(key).last?.contains("F\(name)") == true) }
  }

  @Test("F4 shows the HowTo's line")
  func howTo() throws {
    #expect(
      try lines("4").joined(separator: "\n").contains(
        """
        /chaos/bzImage root=/dev/ram0 initrd=/chaos/chaos.rdz rw
         boot=/dev/cdrom:iso9660 ip=192.168.1.21::192.168.1.1:255.255.255.0:::
        """))
  }

  /// What a label hands to the kernel, by the label's name, as a boot loader reads the file.
  private func labels(_ name: String) throws -> [String: String] {
    var found: [String: String] = [:]
    var label = ""
    for line in try text(name).split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      if words.first == "LABEL" { label = words[1] }
      if words.first == "APPEND" {
        #expect(found[label] == nil, "\(label) twice in \(name)")
        found[label] = words.dropFirst().joined(separator: " ")
      }
    }
    return found
  }

  private static let onEveryMedium: [String: (tyd: DroneWords.Membership, hasShell: Bool)] = [
    "drone": (.off, true), "debug": (.off, true), "join": (.joinAny, true),
    "j1": (.joinAny, true), "j2": (.joinAny, true), "j3": (.joinAny, false), "j4": (.joinAny, false),
  ]
  /// A drone from the network has no key of its cluster and cannot begin one.
  private static let onTheCD: [String: (tyd: DroneWords.Membership, hasShell: Bool)] = [
    "first": (.first, true), "n1": (.first, true), "n2": (.first, true), "n3": (.first, false), "n4": (.first, false),
    "n5": (.first, true),
    "pxe": (.firstServingNetboot, true), "l1": (.firstServingNetboot, true), "l3": (.firstServingNetboot, false),
  ]

  @Test("each label asks the drone for what the table says, and there is no other")
  func words() throws {
    for (name, expected) in [
      ("isolinux.cfg", Self.onEveryMedium.merging(Self.onTheCD) { first, _ in first }),
      ("pxelinux.cfg", Self.onEveryMedium),
    ] {
      let labels = try labels(name)
      #expect(Set(labels.keys) == Set(expected.keys), "\(name)")
      for (label, meaning) in expected {
        let line = BootLine(Array((labels[label] ?? "").utf8))
        #expect(line.errors.isEmpty, "\(name): \(label)")
        #expect(line.tyd == meaning.tyd && line.shell == meaning.hasShell, "\(name): \(label)")
        #expect(line.filter == (label != "debug"))
      }
    }
  }

  @Test("F5 names every label and every word that the drone has")
  func table() throws {
    let screen = try lines("5").joined(separator: "\n")
    for label in try labels("isolinux.cfg").keys { #expect(screen.contains(label), "\(label)") }
    for word in [
      "ip=", "tyd=", "filter=", "watchdog=", "certaintyd=", "boot=", "eject", "keymap=", "shell=", "syslog=",
      "netconsole=", "console=",
    ] {
      #expect(screen.contains(word), "\(word)")
    }
  }

  @Test(
    "F5 of a prompt that a drone serves names its labels, and none that it lacks",
    arguments: ["5-served", "5-served-any"])
  func served(key: String) throws {
    // Names of labels are set off, at the beginning of a line.
    let text = try text("f\(key).txt")
    let own = try labels("pxemaster.cfg").keys
    for label in own { #expect(text.contains("\n \u{0F}0b\(label)\u{0F}07 "), "\(label)") }
    for label in try labels("isolinux.cfg").keys where !own.contains(label) {
      #expect(!text.contains("\u{0F}0b\(label)\u{0F}07") && !text.contains("\u{0F}0b\(label) "), "\(label)")
    }
  }

  @Test("a drone finds the second drone of a medium where the build puts it")
  func beside() throws {
    let place = ImageTarget.any.place(of: try #require(ImageTarget.any.wide))
    #expect(place.kernel == "/\(MediumPath.wideKernel)" && place.root == "/\(MediumPath.wideRoot)")
    #expect(place.publicPart == "/\(MediumPath.widePublicPart)")
  }

  @Test("the CD's paths are absolute, and PXELINUX tells the drone its card")
  func paths() throws {
    #expect(try text("isolinux.cfg").contains("KERNEL /chaos/bzImage\n"))
    #expect(try text("pxelinux.cfg").contains("\nSYSAPPEND 2\n"))
  }
}
