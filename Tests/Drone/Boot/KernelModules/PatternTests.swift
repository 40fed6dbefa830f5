import Testing

@testable import KernelModules

@Suite struct PatternTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var pattern: String
    var text: String
    var isMatch: Bool
    var testDescription: String { "\(pattern) \(isMatch ? "matches" : "does not match") \(text)" }
  }

  private static let e1000e = "pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00"

  @Test(
    "a device's modalias is compared with a module's patterns as fnmatch(3) does",
    arguments: [
      Case(pattern: "pci:v00008086d000010D3sv*sd*bc*sc*i*", text: e1000e, isMatch: true),
      Case(pattern: "pci:v00008086d000010D4sv*sd*bc*sc*i*", text: e1000e, isMatch: false),
      Case(pattern: "pci:v*d*sv*sd*bc02sc00i*", text: e1000e, isMatch: true),
      Case(pattern: "pci:v*d*sv*sd*bc03sc00i*", text: e1000e, isMatch: false),
      // file2alias gives ranges for the releases of a USB device.
      Case(pattern: "usb:v0B95p1790d01[0-4]*dc*", text: "usb:v0B95p1790d0100dcFFdscFFdp00", isMatch: true),
      Case(pattern: "usb:v0B95p1790d01[0-4]*dc*", text: "usb:v0B95p1790d0150dcFFdscFFdp00", isMatch: false),
      Case(pattern: "virtio:d00000001v*", text: "virtio:d00000001v00001AF4", isMatch: true),
      Case(pattern: "", text: "", isMatch: true),
      Case(pattern: "", text: "a", isMatch: false),
      Case(pattern: "*", text: "", isMatch: true),
      Case(pattern: "?", text: "", isMatch: false),
      Case(pattern: "**a", text: "bca", isMatch: true),
      Case(pattern: "*ab", text: "aab", isMatch: true),
      Case(pattern: "[!a-c]", text: "d", isMatch: true),
      Case(pattern: "[!a-c]", text: "b", isMatch: false),
      Case(pattern: "[]a]", text: "]", isMatch: true),
      Case(pattern: "[a-]", text: "-", isMatch: true),
      Case(pattern: "[a", text: "[a", isMatch: true),
      Case(pattern: #"\*"#, text: "*", isMatch: true),
      Case(pattern: #"\*"#, text: "a", isMatch: false),
      Case(pattern: "\\", text: "\\", isMatch: true),
    ])
  func match(_ one: Case) {
    #expect(matches(Array(one.pattern.utf8)[...], Array(one.text.utf8)[...]) == one.isMatch)
  }

  @Test("patterns with many stars end soon")
  func stars() {
    let pattern = Array(String(repeating: "*a", count: 100).utf8) + [UInt8(ascii: "b")]
    #expect(!matches(pattern[...], [UInt8](repeating: UInt8(ascii: "a"), count: 4096)[...]))
  }
}
