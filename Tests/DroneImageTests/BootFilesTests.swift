import BuildSteps
import SystemPackage
import Testing

@testable import DroneImage

@Suite struct BootFilesTests {
  private func text(_ name: String) throws -> String {
    String(decoding: try contents(of: checkout.appending("isolinux").appending(name)), as: UTF8.self)
  }

  /// A screen's lines without the codes for clearing (0x0C) and colour (0x0F and two digits).
  private func lines(_ key: Int) throws -> [Substring] {
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

  @Test("a screen leaves room for the prompt on 80 columns and 25 lines", arguments: 1...6)
  func size(key: Int) throws {
    let lines = try lines(key)
    #expect(lines.count <= 23)
    for line in lines {
      #expect(line.count < 80)
      #expect(line.utf8.allSatisfy { (0x20..<0x7F).contains($0) }, "\(line)")
    }
  }

  @Test("every screen says what the keys show", arguments: 1...6)
  func keys(key: Int) throws {
    for name in 1...6 { #expect(try lines(key).last?.contains("F\(name)") == true) }
  }

  @Test("F4 shows the HowTo's line")
  func howTo() throws {
    #expect(
      try lines(4).joined(separator: "\n").contains(
        """
        /chaos/bzImage root=/dev/ram0 initrd=/chaos/chaos.rdz rw
         boot=/dev/cdrom:iso9660 ip=192.168.1.21::192.168.1.1:255.255.255.0:::
        """))
  }

  @Test(
    "both configurations have the same labels, and the CD's paths are absolute", arguments: ["drone", "debug", "j1"])
  func labels(label: String) throws {
    for name in ["isolinux.cfg", "pxelinux.cfg"] { #expect(try text(name).contains("\nLABEL \(label)\n")) }
    #expect(try text("isolinux.cfg").contains("KERNEL /chaos/bzImage\n"))
    #expect(try text("pxelinux.cfg").contains("\nSYSAPPEND 2\n"))
  }
}
