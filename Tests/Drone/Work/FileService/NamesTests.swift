import Foundation
import NFS
import Testing

@testable import FileService

/// Names come and go; handles stay with the object.
@Suite struct NamesTests {
  private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test("names of one file have one handle, which lives as long as one of them")
  func hardLinks() throws {
    let client = try Client()
    try client.make("one", "content")
    let file = try client.handle("one")
    #expect(try client.result(15, opaque(file) + opaque(client.root) + opaque("two")).status == 0)
    #expect(try client.handle("two") == file)
    #expect(try client.attributes(file).attributes?.links == 2)
    #expect(try client.remove(client.root, "one") == 0)
    #expect(try client.read(file).data == Self.bytes("content"))
    #expect(try client.remove(client.root, "two") == 0)
    #expect(try client.attributes(file).status == 70)
  }

  @Test("a removed object's handle is stale, and its number no other's")
  func removed() throws {
    let client = try Client()
    var handles: Set<[UInt8]> = []
    for _ in 0..<20 {
      let file = try client.create(client.root, Self.bytes("file"), how: words(1) + setting(mode: 0o600)).handle
      #expect(handles.insert(file).inserted)
      #expect(try client.remove(client.root, "file") == 0)
      #expect(try client.attributes(file).status == 70)
    }
    #expect(client.server.objects.count == 1 && client.server.objects.held == 1)
  }

  @Test("what is removed by others while a client has it goes on for a while")
  func removedByOthers() throws {
    let client = try Client()
    try client.make("file", "content")
    let file = try client.handle("file")
    client.server.sweep(at: 1_000)
    #expect(try client.read(file).status == 0)
    try FileManager.default.removeItem(atPath: client.path("file"))
    client.server.sweep(at: 50_000)
    #expect(try client.read(file).data == Self.bytes("content"))
    client.server.sweep(at: 100_000)
    #expect(try client.read(file).status == 0)
    client.server.sweep(at: 200_000)
    #expect(try client.read(file).status == 70)
  }

  @Test("a file keeps its handle when it is renamed, by a client or by others")
  func renamed() throws {
    let client = try Client()
    try FileManager.default.createDirectory(atPath: client.path("a/b"), withIntermediateDirectories: true)
    try client.make("file", "content")
    let file = try client.handle("file")
    #expect(try client.rename(client.root, "file", try client.handle("a/b"), "new") == 0)
    #expect(try client.handle("a/b/new") == file)
    try FileManager.default.moveItem(atPath: client.path("a"), toPath: client.path("c"))
    #expect(try client.read(file).data == Self.bytes("content"))
    #expect(try client.handle("c/b/new") == file)
  }

  @Test("a rename over another name makes that object's handle stale if it was its last")
  func renamedOver() throws {
    let client = try Client()
    try client.make("new", "new")
    try client.make("old", "old")
    let (new, old) = (try client.handle("new"), try client.handle("old"))
    #expect(try client.rename(client.root, "new", client.root, "old") == 0)
    #expect(try client.attributes(old).status == 70)
    #expect(try client.handle("old") == new)
    #expect(try client.read(new).data == Self.bytes("new"))
    // Two names of one file: nothing happens, and nothing is stale.
    #expect(try client.result(15, opaque(new) + opaque(client.root) + opaque("twin")).status == 0)
    #expect(try client.rename(client.root, "old", client.root, "twin") == 0)
    #expect(try client.attributes(new).attributes?.links == 2)
  }

  @Test("a folder is made and removed, unless something is in it")
  func folders() throws {
    let client = try Client()
    let place = opaque(client.root) + opaque("folder")
    #expect(try client.result(9, place + setting(mode: 0o700)).status == 0)
    #expect(try client.result(9, place + setting(mode: 0o700)).status == 17)
    let folder = try client.handle("folder")
    try client.make("folder/file")
    #expect(try client.result(13, place).status == 66)
    #expect(try client.remove(client.root, "folder") == 21)
    #expect(try client.result(13, opaque(folder) + opaque("file")).status == 20)
    #expect(try client.remove(folder, "file") == 0)
    #expect(try client.result(13, place).status == 0)
    #expect(try client.attributes(folder).status == 70)
    #expect(try client.lookUp(client.root, "folder").status == 2)
  }

  @Test("a file is made once: guarded, exclusively by its verifier, or as good as there")
  func creation() throws {
    let client = try Client()
    let guarded = words(1) + setting(mode: 0o600)
    #expect(try client.create(client.root, Self.bytes("a"), how: guarded).status == 0)
    #expect(try client.create(client.root, Self.bytes("a"), how: guarded).status == 17)
    let first = try client.create(client.root, Self.bytes("b"), how: words(2) + long(77))
    #expect(first.status == 0)
    #expect(try client.create(client.root, Self.bytes("b"), how: words(2) + long(77)) == first)
    #expect(try client.create(client.root, Self.bytes("b"), how: words(2) + long(78)).status == 17)
    #expect(try client.create(client.root, Self.bytes("a"), how: words(2) + long(77)).status == 17)
    #expect(try client.write(first.handle, 0, "content") == 0)
    let again = try client.create(client.root, Self.bytes("b"), how: words(0) + setting(mode: 0o777))
    #expect(again == first)
    #expect(try client.read(first.handle).data == Self.bytes("content"))
    #expect(try client.create(client.root, Self.bytes("b"), how: words(0) + setting(size: 0)) == first)
    #expect(try client.attributes(first.handle).attributes?.size == 0)
  }

  @Test("a call that comes a second time is answered as the first, and not carried out")
  func duplicates() throws {
    let client = try Client()
    try client.make("file")
    let place = opaque(client.root) + opaque("file")
    #expect(try client.repeated(1000, 12, place).status == 0)
    #expect(try client.repeated(1000, 12, place).status == 0)
    #expect(client.server.counters.repeats == 1)
    // The same number of another call, and another call of the same thing.
    #expect(try client.repeated(1000, 12, opaque(client.root) + opaque("other")).status == 2)
    #expect(try client.repeated(1001, 12, place).status == 2)
    // A new file of the name is not removed by the old call.
    try client.make("file")
    #expect(try client.repeated(1000, 12, place).status == 0)
    #expect(FileManager.default.fileExists(atPath: client.path("file")))
    for number in 0..<128 { _ = try client.repeated(UInt32(2000 + number), 12, opaque(client.root) + opaque("x")) }
    #expect(try client.repeated(1000, 12, place).status == 0)
    #expect(!FileManager.default.fileExists(atPath: client.path("file")))
  }

  @Test("a name is any bytes but a slash and a zero")
  func anyNames() throws {
    let client = try Client()
    let names: [[UInt8]] = [
      Array(1...46) + Array(48...255), [0xFF, 0xFE], Self.bytes("new\nline"), Self.bytes("..."), Self.bytes("-rf *"),
      [UInt8](repeating: 0x62, count: 255),
    ]
    for name in names where name.count <= 255 {
      #expect(try client.create(client.root, name, how: words(1) + setting(mode: 0o600)).status == 0)
      #expect(try client.lookUp(client.root, name).status == 0)
    }
    for plus in [true, false] {
      let listed = Set(try client.list(client.root, plus: plus).map(\.name))
      #expect(listed == Set(names + [Self.bytes("."), Self.bytes("..")]))
    }
  }

  @Test("10,000 names are each listed once, also while those that were listed are removed", arguments: [true, false])
  func manyNames(_ plus: Bool) throws {
    let client = try Client(descriptors: 64)
    let names = (0..<10_000).map { "file-\($0)" }
    for name in names { close(open(client.path(name), O_CREAT | O_WRONLY, 0o600)) }
    let listed = try client.list(client.root, plus: plus, limit: 32_768)
    #expect(listed.count == 10_002)
    #expect(Set(listed.map { String(decoding: $0.name, as: UTF8.self) }) == Set(names + [".", ".."]))
    if plus {
      // More handles than descriptors, and each is of its name.
      for entry in listed.dropFirst(2).prefix(2000) {
        guard let handle = entry.handle else { continue }
        #expect(try client.attributes(handle).attributes?.fileID == entry.fileID)
      }
      #expect(client.server.objects.held <= 65)
    }
    var seen = 0
    let again = try client.list(client.root, plus: plus, limit: 8192) { part in
      for name in part where name.count > 2 {
        seen += 1
        let status = try client.remove(client.root, String(decoding: name, as: UTF8.self))
        #expect(status == 0)
      }
    }
    #expect(again.count == 10_002)
    #expect(try client.list(client.root, plus: plus).count == 10_002 - seen)
  }

  @Test("an object whose descriptor was closed is found again by its name, and is stale when that is another's")
  func fewDescriptors() throws {
    let client = try Client(descriptors: 16)
    try FileManager.default.createDirectory(atPath: client.path("a/b/c"), withIntermediateDirectories: true)
    try client.make("a/b/c/file", "content")
    try client.make("a/b/c/gone", "content")
    let file = try client.handle("a/b/c/file")
    let gone = try client.handle("a/b/c/gone")
    func pushOut() throws {
      for number in 0..<60 {
        try client.make("other\(number)")
        _ = try client.handle("other\(number)")
      }
    }
    try pushOut()
    #expect(client.server.objects.held <= 17)
    #expect(try client.read(file).data == Self.bytes("content"))
    // Renamed by a client, it is known by its new name.
    try pushOut()
    #expect(try client.rename(client.root, "a", client.root, "z") == 0)
    try pushOut()
    #expect(try client.read(file).data == Self.bytes("content"))
    try pushOut()
    try FileManager.default.removeItem(atPath: client.path("z/b/c/gone"))
    try client.make("z/b/c/gone", "another")
    #expect(try client.read(gone).status == 70)
    #expect(try client.lookUp(try client.handle("z/b/c"), "gone").status == 0)
  }

  @Test("a cookie that no name has gave is not a fault")
  func cookies() throws {
    let client = try Client()
    for cookie in [1, 77, UInt64(Int64.max), UInt64(1) << 63, .max] {
      let result = try client.result(16, opaque(client.root) + long(cookie) + long(0) + words(4096))
      #expect([0, 10003].contains(result.status))
    }
    #expect(try client.result(16, opaque(client.root) + long(0) + long(0) + words(100)).status == 10005)
  }

  @Test("what a file system is and allows is told")
  func limits() throws {
    let client = try Client()
    var use = try client.result(18, opaque(client.root))
    #expect(use.status == 0)
    _ = try use.attributes()
    let bytes = try use.reader.uint64()
    let freeBytes = try use.reader.uint64()
    #expect(bytes > 0 && freeBytes <= bytes)
    var path = try client.result(20, opaque(client.root))
    _ = try path.attributes()
    _ = try path.reader.uint32()
    #expect(try path.reader.uint32() == 255)
  }

  @Test("the other calls of MOUNT tell nobody anything, and what is no call ends the connection")
  func otherCalls() throws {
    let client = try Client()
    let path = opaque(MountPath(secret: client.secret, tree: Self.bytes("/")).bytes)
    for (procedure, arguments, result) in [
      (0, [], []), (2, [], words(0)), (3, path, []), (4, [], []), (5, [], words(0)),
    ] {
      let reply = try #require(client.server.answer(Client.head(5, 100_005, UInt32(procedure)) + arguments))
      #expect(reply.dropFirst(28).elementsEqual(result), "\(procedure)")
    }
    #expect(client.server.answer(Self.bytes("GET / HTTP/1.1")) == nil)
    #expect(client.server.answer([]) == nil)
  }
}
