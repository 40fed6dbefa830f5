import KernelModules
import SystemPackage
import Target
import Testing
import Workshop

@testable import Image
@testable import ImageCheck

/// Damage to the kernel's modules in an image, and to their table.
@Suite struct ModuleCheckTests {
  /// What stands for a module's file.
  static func module(_ release: String) -> [UInt8] {
    [UInt8]("ELF\0license=GPL\0vermagic=\(release) SMP mod_unload \0".utf8)
  }

  static let files: [(name: String, content: [UInt8])] = [
    ("ptp", module("6.1.0")), ("e1000e", module("6.1.0") + [1]),
  ]

  static func table(
    of files: [(name: String, content: [UInt8])] = files, release: String = "6.1.0"
  ) throws -> [UInt8] {
    try ModuleTable(
      release: [UInt8](release.utf8),
      files.map {
        .init(name: [UInt8]($0.name.utf8), digest: SHA256($0.content).bytes, patterns: [[UInt8]("pci:*".utf8)])
      }
    ).text
  }

  private func member(_ path: String, _ content: [UInt8]) -> Member {
    Member(path: path, kind: .file, mode: 0o644, user: 0, group: 0, content: content)
  }

  private func members(_ files: [(name: String, content: [UInt8])], _ table: [UInt8]?) -> [Member] {
    (table.map { [member("/etc/modules", $0)] } ?? []) + files.map { member("/modules/\($0.name).ko", $0.content) }
  }

  @Test("modules that are as their table has them are sound, and so is an image without any")
  func sound() throws {
    #expect(checkModules(members(Self.files, try Self.table()), of: "6.1.0 (a@b) #1", in: "root") == [])
    #expect(checkModules([member("/etc/passwd", [1])], of: "6.1.0", in: "root") == [])
  }

  struct Damage: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var files = ModuleCheckTests.files
    var table: [UInt8]?
    var kernel = "6.1.0 (a@b) #1"
    var says: String
  }

  static var damages: [Damage] {
    get throws {
      let other = [files[0], ("e1000e", module("6.1.1"))]
      return [
        Damage(
          testDescription: "no table", table: nil, says: "root:/etc/modules: it is missing, and a drone loads none"),
        Damage(
          testDescription: "cut table", table: [UInt8](try table().dropLast(3)), says: "no drone can read it"),
        Damage(testDescription: "no table at all", table: [7], says: "no drone can read it"),
        Damage(
          testDescription: "another kernel", table: try table(), kernel: "6.1.2 (a@b)",
          says: "root:/etc/modules: it is for the kernel 6.1.0, and the image's is 6.1.2"),
        Damage(
          testDescription: "module missing", files: [files[0]], table: try table(),
          says: "root:/modules/e1000e.ko: it is in the table and not there"),
        Damage(
          testDescription: "module too many", table: try table(of: [files[0]]),
          says: "root:/modules/e1000e.ko: it is there and not in the table"),
        Damage(
          testDescription: "byte changed", files: [files[0], ("e1000e", module("6.1.0") + [2])], table: try table(),
          says: "root:/modules/e1000e.ko: it is another than in the table"),
        Damage(
          testDescription: "module of another kernel", files: other, table: try table(of: other),
          says: "root:/modules/e1000e.ko: it is for the kernel 6.1.1, and the image's is 6.1.0"),
        Damage(
          testDescription: "no module", files: [("ptp", [1, 2])], table: try table(of: [("ptp", [1, 2])]),
          says: "root:/modules/ptp.ko: it is no module of the kernel"),
      ]
    }
  }

  @Test("what does not belong together is caught")
  func damaged() throws {
    for damage in try Self.damages {
      let findings = checkModules(members(damage.files, damage.table), of: damage.kernel, in: "root")
      #expect(
        findings.contains { $0.check == .modules && "\($0)".contains(damage.says) },
        "\(damage.testDescription): found instead \(findings)")
    }
  }

  @Test(
    "an image with modules is sound, its baseline has their table and not them, and its bill says where they are from")
  func image() async throws {
    try await withFolder { folder in
      var parts = try await sampleParts(in: folder)
      let modules = folder.appending("modules")
      try makeFolder(modules)
      for file in Self.files { try await write(file.content, to: modules.appending("\(file.name).ko")) }
      try await write(Self.table(), to: folder.appending("table"))
      parts.drones[0].modules = CarriedModules(
        table: folder.appending("table"), files: modules,
        from: .delivered(package: "linux-image-6.1.0", version: "6.1-1"))
      let image = try await buildImage(.cd, from: parts, in: folder)
      let bill = try BillOfMaterials(json: contents(of: image.bill))
      #expect(bill.drones[0].modules?.names == ["ptp", "e1000e"])
      #expect(bill.drones[0].modules?.files.map(\.path) == ["/modules/e1000e.ko", "/modules/ptp.ko"])
      #expect(bill.drones[0].modules?.files.last?.origin == "package linux-image-6.1.0 6.1-1")
      #expect(bill.drones[0].root.map(\.path).filter { $0.contains("/modules") } == ["/etc/modules", "/modules"])
      let findings = try await ImageCheck(target: .i586, bill: bill).report(on: image.path).findings
      #expect(findings == [])
    }
  }
}
