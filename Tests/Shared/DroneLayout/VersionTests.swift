import DroneLayout
import Foundation
import Testing
import TestSupport

@Suite("the one version")
struct VersionTests {
  @Test("its text has three numbers with points between them")
  func text() {
    #expect(SoftwareVersion(2, 0, 14).text == [UInt8]("2.0.14".utf8))
    #expect(SoftwareVersion(.max, .max, .max).text == [UInt8]("65535.65535.65535".utf8))
  }

  @Test("a system of this version is described as os-release(5) has it")
  func description() {
    #expect(
      SoftwareVersion(1, 2, 3).systemDescription
        == [UInt8]("ID=droneforge\nNAME=droneforge\nPRETTY_NAME=\"droneforge 1.2.3\"\nVERSION_ID=1.2.3\n".utf8))
  }

  @Test(
    "every file of the checkout that people read a version in has this one",
    arguments: [
      ("CHANGELOG.md", "\n## ", "\n"),
      ("master/changelog", "tyd (", ") "),
      ("master/tyd.8", "\"tyd ", "\""),
      ("master/mtop.8", "\"tyd ", "\""),
      ("master/mosmon.8", "\"tyd ", "\""),
      ("master/showmap.8", "\"tyd ", "\""),
    ])
  func files(_ file: String, before: String, after: String) throws {
    let text = try String(contentsOfFile: checkout.appending(file).string, encoding: .utf8)
    let found = text.firstRange(of: before).map { text[$0.upperBound...] } ?? ""
    let current = String(decoding: SoftwareVersion.current.text, as: UTF8.self)
    #expect(found.hasPrefix(current + after))
  }
}
