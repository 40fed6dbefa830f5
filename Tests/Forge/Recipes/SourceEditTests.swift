import Foundation
import SystemPackage
import TestSupport
import Testing
import Workshop

@testable import Recipes

@Suite("A small change of somebody else's source") struct SourceEditTests {
  private let edit = SourceEdit(file: "net/clock.c", before: "\treturn (long)d;\n", after: "\treturn (time_t)d;\n")

  @Test("it changes its place and nothing else")
  func applied() async throws {
    let text = "static long f(double d)\n{\n\treturn (long)d;\n}\n/* grüße */\n"
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { tree in
      try makeFolder(tree.appending("net"))
      let path = tree.appending("net/clock.c")
      try await write(text.utf8, to: path)
      try await edit.apply(in: tree)
      let changed = String(decoding: try contents(of: path), as: UTF8.self)
      #expect(changed == "static long f(double d)\n{\n\treturn (time_t)d;\n}\n/* grüße */\n")
    }
  }

  @Test(
    "a source that it was not written for stops the build with a sentence that names file and place",
    arguments: [
      ("return d;\n", "is not in it"), ("", "is not in it"),
      ("\treturn (long)d;\n\treturn (long)d;\n", "is in it 2 times"),
    ])
  func otherSource(text: String, reason: String) {
    let said = "\(#expect(throws: BuildError.self) { try edit.applied(to: text) } as Any)"
    #expect(said.contains("net/clock.c") && said.contains("\"return (long)d;\" \(reason)"), "\(said)")
  }

  @Test("a file that is not there is named")
  func missing() async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { tree in
      let error = await #expect(throws: BuildError.self) { try await edit.apply(in: tree) }
      #expect("\(error as Any)".contains("net/clock.c"))
    }
  }

  @Test("another edit makes another part")
  func identity() {
    let other = SourceEdit(file: edit.file, before: edit.before, after: edit.after + "\n")
    #expect([edit].identity != [other].identity && [edit].identity == [edit].identity)
  }
}
