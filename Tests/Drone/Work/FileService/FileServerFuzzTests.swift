import Bytes
import Foundation
import NFS
import TestSupport
import Testing

@testable import FileService

@Suite struct FileServerFuzzTests {
  /// Everything that a folder and what is beside it hold, by path.
  private static func listing(_ folder: String) -> [String] {
    (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).sorted()
  }

  @Test("any calls are answered, and nothing outside of the tree changes")
  func anyCalls() throws {
    let client = try Client()
    let outside = client.folder + "/outside"
    try FileManager.default.createDirectory(atPath: outside + "/folder", withIntermediateDirectories: true)
    try Data("kept".utf8).write(to: URL(fileURLWithPath: outside + "/file"))
    try FileManager.default.createSymbolicLink(atPath: client.path("out"), withDestinationPath: outside)
    let before = Self.listing(outside)
    var handles = [client.root, try client.handle("out")]
    let names = ["a", "b", "out", ".", "..", "../outside", "file", "/", "", "c"]
    let fault = Fuzzing.one(in: 10).firstFault { generator in
      let procedure = UInt32.random(in: 0...21, using: &generator)
      func handle() -> [UInt8] { opaque(handles.randomElement(using: &generator) ?? []) }
      func name() -> [UInt8] { opaque(names.randomElement(using: &generator) ?? "") }
      func some() -> [UInt8] { setting(mode: 0o700, size: Bool.random(using: &generator) ? 9 : nil) }
      var arguments = procedure == 0 ? [] : handle()
      switch procedure {
      case 2: arguments += some() + words(0)
      case 3, 12, 13: arguments += name()
      case 4: arguments += words(63)
      case 6: arguments += long(generator.next() >> 40) + words(99)
      case 7: arguments += long(generator.next() >> 44) + words(3, 0) + opaque("abc")
      case 8: arguments += name() + words(0) + some()
      case 9: arguments += name() + some()
      case 10: arguments += name() + some() + opaque("../outside")
      case 11: arguments += name() + words(7) + some()
      case 14: arguments += name() + handle() + name()
      case 15: arguments += handle() + name()
      case 16: arguments += long(generator.next() & 3) + long(0) + words(900)
      case 17: arguments += long(generator.next() & 3) + long(0) + words(900, 900)
      case 21: arguments += long(0) + words(0)
      default: break
      }
      var record = Client.head(UInt32(truncatingIfNeeded: generator.next()), 100_003, procedure) + arguments
      if generator.next() & 3 == 0 { record = record.damaged(&generator) }
      guard let reply = client.server.answer(record) else { return nil }
      if [3, 8, 9].contains(procedure), reply.count > 64, handles.count < 40 {
        // Behind the status, in CREATE and MKDIR behind a flag too, a handle stands.
        let start = procedure == 3 ? 36 : 40
        handles.append([UInt8](reply[start..<min(reply.count, start + 28)]))
      }
      if generator.next() & 63 == 0 { client.server.sweep(at: generator.next() >> 44) }
      return nil
    }
    #expect(fault == nil)
    #expect(Self.listing(outside) == before)
    #expect(try Data(contentsOf: URL(fileURLWithPath: outside + "/file")) == Data("kept".utf8))
  }
}
