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
    let shared = Target.target(name: "TestSupport", dependencies: ["Bytes", system], path: "Tests/TestSupport")
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
    try write("Tests/TestSupport/Support.swift", "import Bytes\nimport SystemPackage")
    try write("docs/SECURITY.md", "# Promises and their tests")
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
        "Tests/TestSupport/Support.swift", "import Membership",
        ["Tests/TestSupport/Support.swift:3: imports Membership, which its row in Package.swift does not declare."]
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
    "an import is found however it is written",
    arguments: [
      "#if os(Linux)\n  import Linux\n#endif", "fileprivate import Linux", "private import Linux",
      "internal import Linux", "package import Linux", "public import Linux",
      "@_exported @testable public import Linux",
      "@_spi(Inside) import Linux", "@preconcurrency\nimport Linux", "import\n  Linux", "let a = 1; import Linux",
      "import typealias Linux.Path", "import struct Linux.Path", "import class Linux.Path", "import enum Linux.Path",
      "import protocol Linux.Path", "import let Linux.path", "import var Linux.path", "import func Linux.open",
      "import Linux.Path", "import `Linux`", "/* a /* in a */ comment */ import Linux",
    ])
  func imported(_ text: String) {
    #expect(SourceText(text).imports.map(\.text) == ["Linux"])
  }

  @Test(
    "what only looks like an import is none",
    arguments: [
      "// import Linux", "/* import Linux */", "let a = \"import Linux\"", "let a = \"\"\"\n  import Linux\n  \"\"\"",
      "func a(import Linux: Int)", "a.import", "#if canImport(Linux)\n#endif", "let `import` = Linux",
    ])
  func notImported(_ text: String) {
    #expect(SourceText(text).imports == [])
  }

  @Test(
    "a part of Foundation is Foundation", arguments: ["Foundation", "FoundationEssentials", "FoundationNetworking"])
  func parts(_ module: String) throws {
    let house = try House()
    try house.add("import \(module)", to: "Sources/Drone/Programs/tyd/Main.swift")
    #expect(
      try house.findings() == ["Sources/Drone/Programs/tyd/Main.swift:3: \(module) does not exist on a drone."])
  }

  @Test(
    "a product of a package is declared like a module", arguments: ["ArgumentParser", "Subprocess", "TestSupport"])
  func products(_ module: String) throws {
    let house = try House()
    try house.add("import \(module)", to: "Sources/Forge/Image/Image.swift")
    #expect(
      try house.findings() == [
        "Sources/Forge/Image/Image.swift:4: imports \(module), which its row in Package.swift does not declare."
      ])
  }

  @Test(
    "a port is found however it is written",
    arguments: [
      "3278", "3_278", "0xCCE", "0xc_ce", "0o6316", "0b1100_1100_1110", "\"at \\(3278)\"", "#\"at \\#(3_278)\"#",
      "\"\"\"\n  at \\(name(\"x\", 0xCCE))\n  \"\"\"",
    ])
  func ports(_ literal: String) throws {
    let house = try House()
    try house.add("let port =\n  \(literal)", to: "Sources/Lab/DroneArmy/Army.swift")
    let found = try house.findings()
    #expect(found.count == 1 && found[0].hasSuffix(": 3278 has a name in Shared/DroneLayout/."), "\(found)")
  }

  @Test(
    "a path is found in every kind of literal",
    arguments: [
      "\"/run/tyd/log\"", "\"/run/tyd/log/\\(name)\"", "\"\\(folder)/run/tyd/log\"",
      "\"\\(folder(\"a\"))/run/tyd/log/x\"",
      "\"\\(a ? \"/run/tyd/log\" : \"\")\"", "#\"\\#(folder)/run/tyd/log\"#",
      "\"\"\"\n  first\n  /run/tyd/log\n  \"\"\"", "#\"\"\"\n  \"first\" \\#(folder)/run/tyd/log\n  \"\"\"#",
    ])
  func paths(_ literal: String) throws {
    let house = try House()
    try house.add("let place =\n  \(literal)", to: "Sources/Lab/DroneArmy/Army.swift")
    let found = try house.findings()
    #expect(found.count == 1 && found[0].hasSuffix("\"/run/tyd/log\" has a name in Shared/DroneLayout/."), "\(found)")
  }

  @Test(
    "sentences, comments and regular expressions may say what has a name",
    arguments: [
      "// /run/tyd/log 3278", "let a = \"see /run/tyd/log\"", "let a = \"/run/tyd/logs\"", "let a = \"TCP 3278\"",
      "let a = /3278 \"\\/run\"/", "let a = #/\n  3278 \"/run/tyd/log\n/#", "let a = b / 2 // \"/run/tyd/log\"",
    ])
  func sentences(_ line: String) throws {
    let house = try House()
    try house.add(line, to: "Sources/Lab/DroneArmy/Army.swift")
    #expect(try house.findings() == [])
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
      (
        ".tests(\"Drone/Cluster/Membership\", [\"Membership\"]),", "",
        ["Tests/Drone/Cluster/Membership/MembershipTests.swift: no row in Package.swift has this folder."]
      ),
      (
        ".host(3, \"Lab/DroneArmy\"", "// .host(3, \"Lab/DroneArmy\"",
        ["Sources/Lab/DroneArmy/Army.swift: no row in Package.swift has this folder."]
      ),
      (
        ".tests(", ".tests(\"Lab/Empty\", []),\n.tests(", ["Package.swift: Tests/Lab/Empty holds no Swift file."]
      ),
      (
        "[\"Bytes\", system], path", "[\"Bytes\", \"Linux\", system], path",
        ["Package.swift: Tests/TestSupport declares Linux, which nothing there imports."]
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
      ("| x | a member says \"a\" | `Tests/Drone/MemberTests.swift` |", nil),
      ("| x | no test: nobody can | |", nil),
      (
        "| x | a member is none | `Tests/Drone/MemberTests.swift` |",
        "no test in Tests/Drone/MemberTests.swift that is not disabled has this title."
      ),
      ("  | x | all members | `Tests/Drone/MemberTests.swift` |", nil),
      (
        "  | x | a member is none | `Tests/Drone/MemberTests.swift` |",
        "no test in Tests/Drone/MemberTests.swift that is not disabled has this title."
      ),
      (
        "x | a member is none | `Tests/Drone/MemberTests.swift`",
        "no test in Tests/Drone/MemberTests.swift that is not disabled has this title."
      ),
      (
        "## Further\n| x | a member is none | `Tests/Drone/MemberTests.swift` |",
        "no test in Tests/Drone/MemberTests.swift that is not disabled has this title."
      ),
      (
        "| x | told | `Tests/Drone/MemberTests.swift` |",
        "no test in Tests/Drone/MemberTests.swift that is not disabled has this title."
      ),
      (
        "| x | a member rests | `Tests/Drone/MemberTests.swift` |",
        "no test in Tests/Drone/MemberTests.swift that is not disabled has this title."
      ),
      (
        "| x | a member sleeps | `Tests/Drone/MemberTests.swift` |",
        "no test in Tests/Drone/MemberTests.swift that is not disabled has this title."
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
    let text = """
      @Suite("all members") struct Members {
        @Test("a member is a member", arguments: [1]) func a() { #expect(b, "told") }
        @Test("a member rests", .disabled("until then")) func b() {}
      }
      @Suite("none", .disabled()) struct Sleeping {
        struct Inner { @Test("a member sleeps") func a() {} }
      }
      @Suite struct Others { @Test("a member says \\"a\\"") func a() {} }
      """
    let tests = [(path: "Drone/MemberTests.swift", text: SourceText(text))]
    let page = """
      # Security
      | x | y |
      # Promises and their tests
      | promise | test | file |
      | --- | --- | --- |
      \(row)
      # End
      | z |
      """
    let line = row.hasPrefix("#") ? 7 : 6
    #expect(
      PromiseRules.findings(page: page, tests: tests) == (finding.map { ["docs/SECURITY.md:\(line): " + $0] } ?? []))
    #expect(PromiseRules.findings(page: "# Security", tests: tests).count == 1)
  }

  @Test("literals are read past comments, escapes and interpolation")
  func literals() {
    let text = SourceText(
      ##"""
      // "no" 1
      /* "nor /* in */
         this" 2 */ let a = "say \"\(name(of: "x"))\" 3" + "b" // 4
      let c = 0x10 + 1_000 + 1.5
      let d = #"\("e" 5"# + #"""
        f "" \#(6)
        """#
      let g = a / 7 / 8
      """##)
    #expect(text.strings.map(\.text) == ["say \\\"", "x", "\\\" 3", "b", "\\(\"e\" 5", "  f \"\" ", "  "])
    #expect(text.strings.map(\.line) == [3, 3, 3, 3, 5, 6, 7])
    #expect(text.numbers.map(\.text) == ["16", "1000", "1", "5", "6", "7", "8"])
  }

  @Test("any bytes have imports and literals, also in the middle of a string or an interpolation")
  func fuzz() {
    let mutator = Mutator([
      "\"", "\"\"\"", "#", "\\(", "\\#(", ")", "(", "/", "/*", "*/", "//", "\n", "import", "`", "Linux", "@Test",
      "@Suite", ".disabled", "{", "}", ",", "0x", "_", "7", " ", "return", ".tests(", "[", "]",
    ])
    let fault = Fuzzing.configured.firstFault { generator in
      let text = String(decoding: mutator.bytes(&generator, pieces: 0...24), as: UTF8.self)
      _ = ModuleTable(manifest: text)
      let read = SourceText(text)
      let lines = text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
      let found = read.imports + read.strings + read.numbers + read.titles
      return found.allSatisfy { (1...lines).contains($0.line) } ? nil : "a line that is none in \(text)"
    }
    #expect(fault == nil)
  }

  @Test("the table of this package is read whole")
  func ownTable() throws {
    let manifest = try String(contentsOfFile: checkout.appending("Package.swift").string, encoding: .utf8)
    let table = ModuleTable(manifest: manifest)
    let rows = manifest.matches(of: /^  \.(pure|system|host|program)\(/.anchorsMatchLineEndings())
    #expect(table.modules.count == rows.count)
    // And TestSupport.
    #expect(table.tests.count == manifest.matches(of: /^  \.tests\(/.anchorsMatchLineEndings()).count + 1)
    #expect(table.modules.first { $0.path == "Drone/Programs/init" }?.dependencies.contains("CompilerRuntime") == true)
  }
}
