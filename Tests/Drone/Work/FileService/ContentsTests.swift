import Foundation
import NFS
import Testing

@testable import FileService

/// What is written is there, as often as it is asked for.
@Suite struct ContentsTests {
  private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test("a file is made, written, committed and read", arguments: [0, 1, 2] as [UInt32])
  func writing(_ stability: UInt32) throws {
    let client = try Client()
    let (status, file) = try client.create(client.root, Self.bytes("new"), how: words(1) + setting(mode: 0o640))
    #expect(status == 0)
    #expect(try client.write(file, 0, "Hello", stability: stability) == 0)
    #expect(try client.write(file, 5, ", world", stability: stability) == 0)
    #expect(try client.result(21, opaque(file) + long(0) + words(0)).status == 0)
    #expect(try client.read(file).data == Self.bytes("Hello, world"))
    #expect(try client.read(file, 0, 5) == (0, Self.bytes("Hello"), false))
    #expect(try client.read(file, 7, 5) == (0, Self.bytes("world"), true))
    #expect(try client.read(file, 12) == (0, [], true))
    #expect(try client.read(file, .max) == (0, [], true))
    #expect(try Data(contentsOf: URL(fileURLWithPath: client.path("new"))) == Data("Hello, world".utf8))
    #expect(client.server.counters.bytesWritten == 12)
  }

  @Test("what is committed is open for writing no longer: this node can execute it")
  func closing() throws {
    let client = try Client()
    let text = "#!/bin/sh\nexit 0\n"
    for stability in [0, 2] as [UInt32] {
      let file = try client.create(client.root, Self.bytes("program"), how: words(0) + setting(mode: 0o700)).handle
      #expect(client.server.files.count == 1)
      #expect(try client.write(file, 0, text, stability: stability) == 0)
      if stability == 0 { _ = try client.result(21, opaque(file) + long(0) + words(0)) }
      #expect(client.server.files.count == 0)
      #expect(try client.remove(client.root, "program") == 0)
    }
    _ = try client.create(client.root, Self.bytes("never written"), how: words(0) + setting(mode: 0o700))
    client.server.sweep(at: 1000)
    client.server.sweep(at: 2000)
    #expect(client.server.files.count == 0)
  }

  @Test("an offset beyond 4 GiB is one like others, and one beyond Int64 is refused")
  func large() throws {
    let client = try Client()
    let file = try client.create(client.root, Self.bytes("sparse"), how: words(1) + setting(mode: 0o600)).handle
    #expect(try client.write(file, 5_000_000_000, "end") == 0)
    let attributes = try #require(try client.attributes(file).attributes)
    #expect(attributes.size == 5_000_000_003)
    #expect(try client.read(file, 4_999_999_998) == (0, [0, 0] + Self.bytes("end"), true))
    #expect(try client.read(file, 0, 3) == (0, [0, 0, 0], false))
    for offset in [UInt64(Int64.max), UInt64(Int64.max) + 1, .max] {
      #expect(try client.write(file, offset, "x") == 27)
      #expect(try client.read(file, offset) == (0, [], true))
    }
    #expect(try client.result(2, opaque(file) + setting(size: 6_000_000_000) + words(0)).status == 0)
    #expect(try client.attributes(file).attributes?.size == 6_000_000_000)
    #expect(try client.result(2, opaque(file) + setting(size: .max) + words(0)).status == 27)
  }

  @Test("a read is at most as long as the server says")
  func longRead() throws {
    let client = try Client()
    try Data(repeating: 5, count: 1_500_000).write(to: URL(fileURLWithPath: client.path("file")))
    let read = try client.read(try client.handle("file"), 0, .max)
    #expect(read.data.count == 1 << 20 && !read.isAtEnd)
    var limits = try client.result(19, opaque(client.root))
    _ = try limits.attributes()
    #expect(try limits.reader.uint32() == 1 << 20)
  }

  @Test("attributes are set: mode, size and times; and with a guard only if nobody else has changed anything")
  func attributes() throws {
    let client = try Client()
    try client.make("file", "content")
    let file = try client.handle("file")
    let times = words(0, 0, 0, 0, 2, 10, 20, 2, 1_100_000_000, 40)
    #expect(try client.result(2, opaque(file) + times + words(0)).status == 0)
    #expect(try client.attributes(file).attributes?.modified == 1_100_000_000)
    let changed = try #require(try client.attributes(file).attributes).changed
    #expect(try client.result(2, opaque(file) + setting(mode: 0o751) + words(1) + changed).status == 0)
    #expect(try client.attributes(file).attributes?.mode == 0o751)
    #expect(try client.result(2, opaque(file) + setting(size: 0) + words(1, 1, 1)).status == 10002)
    #expect(try client.result(2, opaque(file) + setting(size: 3) + words(0)).status == 0)
    #expect(try client.read(file).data == Self.bytes("con"))
    try FileManager.default.createSymbolicLink(atPath: client.path("link"), withDestinationPath: "file")
    let link = try client.handle("link")
    #expect(try client.result(2, opaque(link) + times + words(0)).status == 0)
    #expect(try client.attributes(link).attributes?.modified == 1_100_000_000)
  }

  /// Calls as an ordinary user, on this thread alone: root may open everything.
  private func asUser(_ client: Client, _ body: () throws -> Void) throws {
    guard getuid() == 0 else { return try body() }
    chown(client.tree, 65534, 65534)
    // Swift's module of the C library leaves setfsuid(2) out.
    let symbol = try #require(dlsym(nil, "setfsuid"))
    let setUser = unsafeBitCast(symbol, to: (@convention(c) (UInt32) -> Int32).self)
    _ = setUser(65534)
    defer { _ = setUser(0) }
    client.server.user = 65534
    try body()
  }

  @Test("a file that is made read-only is written by the client that made it, and stays read-only")
  func readOnlyFile() throws {
    let client = try Client()
    try asUser(client) {
      let how = words(1) + setting(mode: 0o444)
      let file = try client.create(client.root, Self.bytes("object"), how: how).handle
      #expect(try client.write(file, 0, "one", stability: 2) == 0)
      client.server.sweep(at: 1000)
      client.server.sweep(at: 2000)
      #expect(client.server.files.count == 0)
      #expect(try client.write(file, 3, " two") == 0)
      #expect(try client.attributes(file).attributes?.mode == 0o444)
      #expect(try client.read(file).data == Self.bytes("one two"))
    }
  }

  @Test("a file that nobody may open any more is still committed, and read by whom it belongs to")
  func withoutRights() throws {
    let client = try Client()
    try asUser(client) {
      let file = try client.create(client.root, Self.bytes("file"), how: words(1) + setting(mode: 0o600)).handle
      #expect(try client.write(file, 0, "content") == 0)
      #expect(try client.result(2, opaque(file) + setting(mode: 0) + words(0)).status == 0)
      #expect(try client.result(21, opaque(file) + long(0) + words(0)).status == 0)
      #expect(try client.read(file).data == Self.bytes("content"))
      #expect(try client.attributes(file).attributes?.mode == 0)
    }
  }

  @Test("a file of others that may not be written is not, whatever handle a client has")
  func othersFile() throws {
    let client = try Client()
    try client.make("file", "content")
    chmod(client.path("file"), 0o600)
    try asUser(client) {
      guard getuid() == 0 else { return }
      let file = try client.handle("file")
      #expect(try client.read(file).status == 13)
      #expect(try client.write(file, 0, "x") == 13)
      #expect(try client.result(2, opaque(file) + setting(mode: 0o666) + words(0)).status == 1)
    }
  }
}
