import Foundation
import SystemPackage
import Testing
import Workshop

@testable import KernelPackages

@Suite struct ModuleInformationTests {
  @Test(
    "a module's release and firmware are read as modinfo reads them",
    arguments: ["x86_64-linux-gnu", "i686-linux-gnu"])
  func module(_ target: String) async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let file = folder.appending("tg3.ko")
      try await makeModule(
        file, ["firmware=tigon/tg3.bin", "firmware=tigon/tg3_tso.bin", "vermagic=6.1.0-1-amd64 SMP ", "alias=pci:v1"],
        more: ".text\n.ascii \"vermagic=9\"\n", target: target)
      let information = ModuleInformation(module: try contents(of: file))
      #expect(information.release == "6.1.0-1-amd64")
      #expect(information.values(of: "firmware") == ["tigon/tg3.bin", "tigon/tg3_tso.bin"])
      let said = try await tool("/usr/sbin/modinfo", ["-F", "firmware", file.string]).output()
      #expect(
        Set(String(decoding: said, as: UTF8.self).split(separator: "\n")) == ["tigon/tg3.bin", "tigon/tg3_tso.bin"])
    }
  }

  @Test("firmware of built-in drivers is known by driver, and what no file can be called is left out")
  func builtIn() {
    let text = [
      "tg3.firmware=tigon/tg3.bin", "e100.firmware=e100/d101m_ucode.bin", "tg3.author=somebody",
      "tg3.firmware=tigon/tg3.bin",
      "other.firmware=tigon/tg3.bin", "bad.firmware=../../etc/passwd", "bad.firmware=/etc/passwd", "bad.firmware=a//b",
      "bad.firmware=", "bad.firmware=a b",
    ].joined(separator: "\0")
    let names = FirmwareNames(builtIn: [UInt8](text.utf8))
    #expect(names.drivers == ["tigon/tg3.bin": ["other", "tg3"], "e100/d101m_ucode.bin": ["e100"]])
    #expect(names.text == "e100/d101m_ucode.bin\te100\ntigon/tg3.bin\tother,tg3\n")
    #expect(FirmwareNames(text: names.text) == names)
  }

  @Test("any bytes are a module that says something or nothing")
  func fuzz() async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let file = folder.appending("m.ko")
      try await makeModule(file, ["firmware=a.bin", "vermagic=6.1 SMP "])
      let whole = try contents(of: file)
      var generator = SystemRandomNumberGenerator()
      for _ in 0..<20_000 {
        var bytes = whole
        for _ in 0..<Int.random(in: 1..<8, using: &generator) {
          // The header and the table of sections at the end are what is followed.
          let near = Bool.random(using: &generator) ? 0..<64 : max(0, bytes.count - 600)..<bytes.count
          bytes[Int.random(in: near, using: &generator)] = .random(in: 0...255, using: &generator)
        }
        if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator)) }
        let information = ModuleInformation(module: bytes)
        var names = FirmwareNames()
        for value in information.values(of: "firmware") { names.add(value, for: "m") }
        #expect(
          !names.drivers.keys.contains {
            $0.hasPrefix("/") || $0.contains("..") && $0.split(separator: "/").contains("..")
          })
      }
    }
  }
}
