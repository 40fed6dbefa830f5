import Foundation
import HouseRules
import TestSupport
import Testing

/// A small house in order, in a folder of its own, that each test damages in one place.
private final class House {
  let folder = FileManager.default.temporaryDirectory.appending(path: "house-\(UUID().uuidString)")
  var rows = """
    .pure(0, "Shared/Bytes"),
    .pure(0, "Shared/DroneLayout"),
    .pure(1, "Drone/Cluster/Membership", ["Bytes", "DroneLayout"]),
    .system(1, "Drone/System/Linux", ["Bytes", "CLinux"]),
    .program(
      2, "Drone/Programs/tyd",
      [
        "CompilerRuntime", "Linux", "Membership",
      ]),
    .host(2, "Forge/Image", ["Membership", system]),
    .host(3, "Lab/DroneArmy", ["Image", "Linux"]),
    .tests("Drone/Cluster/Membership", ["Membership"]),
    """

  init() throws {
    try write("Sources/Shared/Bytes/Bytes.swift", "// import Foundation")
    try write(
      "Sources/Shared/DroneLayout/Layout.swift", "let log = \"/run/tyd/log\"\nlet control: UInt16 = 3278\nlet few = 7")
    try write(
      "Sources/Drone/Cluster/Membership/Membership.swift",
      "import Bytes\nimport DroneLayout\n\n/// See /run/tyd/log and port 3278.\nlet few = 7")
    try write("Sources/Drone/System/Linux/Linux.swift", "import Bytes\nimport CLinux")
    try write("Sources/Drone/Programs/tyd/Main.swift", "import Linux\nimport Membership")
    try write("Sources/Forge/Image/Image.swift", "import Foundation\nimport Membership\nimport SystemPackage")
    try write("Sources/Lab/DroneArmy/Army.swift", "import Image\nimport Linux\nlet text = \"see /run/tyd/logs\"")
    try write("Tests/Drone/Cluster/Membership/MembershipTests.swift", "import Testing\n\n@testable import Membership")
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func write(_ path: String, _ text: String) throws {
    let file = folder.appending(path: path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: file, atomically: true, encoding: .utf8)
  }

  func add(_ line: String, to path: String) throws {
    let file = folder.appending(path: path)
    try write(path, (try String(contentsOf: file, encoding: .utf8)) + "\n" + line)
  }

  func findings() throws -> [String] {
    try write("Package.swift", rows)
    return try houseFindings(in: folder)
  }
}

@Suite struct HouseRulesTests {
  @Test("this checkout is in order")
  func thisOne() throws {
    #expect(try houseFindings(in: URL(filePath: checkout.string, directoryHint: .isDirectory)) == [])
  }

  @Test("a house in order has no findings")
  func inOrder() throws { #expect(try House().findings() == []) }

  @Test(
    "a line that breaks a rule is found, with its place",
    arguments: [
      (
        "Sources/Drone/Cluster/Membership/Membership.swift", "import Linux",
        [
          "Sources/Drone/Cluster/Membership/Membership.swift:6: imports Linux, which its row in Package.swift does not declare."
        ]
      ),
      (
        "Sources/Drone/Cluster/Membership/Membership.swift", "import Glibc",
        ["Sources/Drone/Cluster/Membership/Membership.swift:6: Membership is pure and may not import Glibc."]
      ),
      (
        "Sources/Drone/Cluster/Membership/Membership.swift", "import COpenSSL",
        [
          "Sources/Drone/Cluster/Membership/Membership.swift:6: Membership is pure and may not import COpenSSL.",
          "Sources/Drone/Cluster/Membership/Membership.swift:6: imports COpenSSL, which its row in Package.swift does not declare.",
        ]
      ),
      (
        "Sources/Drone/Programs/tyd/Main.swift", "import Foundation",
        ["Sources/Drone/Programs/tyd/Main.swift:3: Foundation does not exist on a drone."]
      ),
      (
        "Sources/Lab/DroneArmy/Army.swift", "let place = \"/run/tyd/log\"",
        ["Sources/Lab/DroneArmy/Army.swift:4: \"/run/tyd/log\" has a name in Shared/DroneLayout/."]
      ),
      (
        "Sources/Lab/DroneArmy/Army.swift", "let place = \"/run/tyd/log/old\"",
        ["Sources/Lab/DroneArmy/Army.swift:4: \"/run/tyd/log\" has a name in Shared/DroneLayout/."]
      ),
      (
        "Sources/Lab/DroneArmy/Army.swift", "let port = 3_278",
        ["Sources/Lab/DroneArmy/Army.swift:4: 3278 has a name in Shared/DroneLayout/."]
      ),
      (
        "Tests/Drone/Cluster/Membership/MembershipTests.swift", "import Bytes",
        [
          "Tests/Drone/Cluster/Membership/MembershipTests.swift:4: imports Bytes, which its row in Package.swift does not declare."
        ]
      ),
    ])
  func line(_ path: String, _ line: String, _ expected: [String]) throws {
    let house = try House()
    try house.add(line, to: path)
    #expect(try house.findings() == expected)
  }

  @Test(
    "a row that breaks a rule is found",
    arguments: [
      (
        ".pure(0, \"Shared/Bytes\"),", ".pure(1, \"Shared/Bytes\"),",
        [
          "Package.swift: Drone/Cluster/Membership (floor 1) uses Shared/Bytes (floor 1): arrows run down.",
          "Package.swift: Drone/System/Linux (floor 1) uses Shared/Bytes (floor 1): arrows run down.",
        ]
      ),
      (
        "[\"Bytes\", \"CLinux\"]", "[\"Bytes\", \"CLinux\", \"DroneLayout\"]",
        ["Package.swift: Sources/Drone/System/Linux declares DroneLayout, which nothing there imports."]
      ),
      (
        "[\"Membership\", system]", "[\"Membership\", arguments, system]",
        ["Package.swift: Sources/Forge/Image declares ArgumentParser, which nothing there imports."]
      ),
      (
        ".host(3, \"Lab/DroneArmy\", [\"Image\", \"Linux\"]),", "",
        ["Sources/Lab/DroneArmy/Army.swift: no row in Package.swift has this folder."]
      ),
      (
        ".tests(", ".host(0, \"Lab/Empty\"),\n.tests(",
        ["Package.swift: Sources/Lab/Empty holds no Swift file."]
      ),
    ])
  func row(_ old: String, _ new: String, _ expected: [String]) throws {
    let house = try House()
    house.rows = house.rows.replacingOccurrences(of: old, with: new)
    #expect(try house.findings() == expected)
  }

  @Test(
    "an arrow between wings that may not be is found, whatever the floors say",
    arguments: [
      ("Shared/Bytes", ".pure(5, \"Shared/Bytes\", [\"Membership\"])", "what all sides share knows none of them"),
      (
        "Drone/System/Linux", ".system(5, \"Drone/System/Linux\", [\"Membership\"])",
        "the system floor carries the others"
      ),
      (
        "Drone/Cluster/Membership", ".pure(5, \"Drone/Cluster/Membership\", [\"Linux\"])",
        "a pure module uses pure modules only"
      ),
      ("Forge/Image", ".host(5, \"Forge/Image\", [\"DroneArmy\"])", "what is shipped does not need the laboratory"),
      (
        "Drone/System/Linux", ".system(5, \"Drone/System/Linux\", [\"DroneArmy\"])",
        "what runs on a drone knows nothing of the builder's side"
      ),
      ("Lab/DroneArmy", ".host(5, \"Lab/DroneArmy\", [\"tyd\"])", "nothing uses a program"),
      ("Forge/Image", ".host(5, \"Forge/Image\", [\"Linux\"])", "the forge does not make the drone's system calls"),
    ])
  func arrow(_ path: String, _ row: String, _ reason: String) throws {
    var table = ModuleTable(manifest: try House().rows)
    table.modules.removeAll { $0.path == path }
    table.modules += ModuleTable(manifest: row).modules
    #expect(ImportRules(table).findingsInTable().contains { $0.hasSuffix("but \(reason).") })
  }

  @Test(
    "a promise whose test is not there is found, and one that says why it has none is not",
    arguments: [
      ("| x | a member is a member | `Tests/Drone/MemberTests.swift` |", nil),
      ("| x | no test: nobody can | |", nil),
      (
        "| x | a member is none | `Tests/Drone/MemberTests.swift` |",
        "no test in Tests/Drone/MemberTests.swift has this title."
      ),
      (
        "| x | a member is a member | `Tests/Drone/Gone.swift` |", "there is no file Tests/Drone/Gone.swift with tests."
      ),
      ("| x | a member is a member | |", "there is no file  with tests."),
      (
        "| | a member is a member | `Tests/Drone/MemberTests.swift` |",
        "a row has a promise, a test's title and its file."
      ),
      ("| x | y |", "a row has a promise, a test's title and its file."),
    ] as [(String, String?)])
  func promise(_ row: String, _ finding: String?) {
    let tests = [(path: "Drone/MemberTests.swift", text: SourceText("@Test(\"a member is a member\") func a() {}"))]
    let page =
      "# Security\n| x | y |\n# Promises and their tests\n| promise | test | file |\n| --- | --- | --- |\n\(row)\n# End\n| z |"
    #expect(PromiseRules.findings(page: page, tests: tests) == (finding.map { ["docs/SECURITY.md:6: " + $0] } ?? []))
    #expect(PromiseRules.findings(page: "# Security", tests: tests).count == 1)
  }

  @Test("literals are read past comments, escapes and interpolation")
  func literals() {
    let text = SourceText(
      """
      // "no" 1
      /* "nor
         this" 2 */ let a = "say \\"\\(name(of: "x"))\\" 3" + "b" // 4
      let c = 0x10 + 1_000
      """)
    #expect(text.strings.map(\.text) == ["say \\\"\\(name(of: \"x\"))\\\" 3", "b"])
    #expect(text.strings.map(\.line) == [3, 3])
    #expect(text.numbers.map(\.text) == ["0x10", "1000"])
  }

  @Test("the table of this package is read whole")
  func ownTable() throws {
    let manifest = try String(contentsOfFile: checkout.appending("Package.swift").string, encoding: .utf8)
    let table = ModuleTable(manifest: manifest)
    let rows = manifest.matches(of: /^  \.(pure|system|host|program)\(/.anchorsMatchLineEndings())
    #expect(table.modules.count == rows.count)
    #expect(table.tests.count == manifest.matches(of: /^  \.tests\(/.anchorsMatchLineEndings()).count)
    #expect(table.modules.first { $0.path == "Drone/Programs/init" }?.dependencies.contains("CompilerRuntime") == true)
  }
}
