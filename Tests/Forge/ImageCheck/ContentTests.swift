import Integrity
import SystemPackage
import Testing
import Workshop

@testable import Image
@testable import ImageCheck

@Suite("Contents that are read piece by piece")
struct ContentTests {
  private func read(_ pieces: [[UInt8]], _ path: String = "/x", shelf: Shelf) throws -> Content {
    var ahead = pieces.map { bytes in
      let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
      piece.copyBytes(from: bytes)
      return piece
    }
    let all = ahead
    defer { all.forEach { $0.deallocate() } }
    return try shelf.content(of: path) { () throws(ArchiveError) -> UnsafeRawBufferPointer in
      ahead.isEmpty ? UnsafeRawBufferPointer(start: nil, count: 0) : UnsafeRawBufferPointer(ahead.removeFirst())
    }
  }

  @Test("what has no room is known by size and digest, and its bytes are gone")
  func dropped() throws {
    let content = try read([[1, 2, 3], [4, 5]], shelf: Shelf(room: 4))
    #expect(content == Content([1, 2, 3, 4, 5]) && content.size == 5)
    #expect(content.bytes == nil && content.file == nil)
    #expect(try read([[1, 2], [3]], shelf: Shelf(room: 3)).bytes == [1, 2, 3])
  }

  @Test(
    "programs and what the checks need lie in a file when there is no room",
    arguments: [("/bin/x", true), ("/chaos/chaos.rdz", false), ("/etc/baseline", false)])
  func spooled(path: String, isProgram: Bool) async throws {
    try await withFolder { folder in
      let bytes: [UInt8] = isProgram ? [0x7F, 0x45, 0x4C, 0x46, 1] : [1, 2, 3, 4, 5]
      let content = try read([Array(bytes[..<4]), [bytes[4], 6]], path, shelf: Shelf(room: 4, folder: folder))
      #expect(content.bytes == bytes + [6])
      #expect(try content.file.map { try contents(of: $0) } == bytes + [6])
      #expect(try read([[1, 2], [3, 4, 5]], shelf: Shelf(room: 4, folder: folder)).bytes == nil)
    }
  }

  @Test("a drone's kernel and root take no room from the small files behind them")
  func large() async throws {
    try await withFolder { folder in
      let shelf = Shelf(room: 4, folder: folder)
      for path in ["/chaos/bzImage", "/chaos/chaos.rdz"] {
        let content = try read([[1, 2], [3, 4]], path, shelf: shelf)
        #expect(content.bytes == [1, 2, 3, 4])
      }
      let small = try read([[5, 6, 7, 8]], "/isolinux/isolinux.cfg", shelf: shelf)
      #expect(small.bytes == [5, 6, 7, 8])
    }
  }

  @Test("a key is found wherever its bytes are parted")
  func keys() {
    let key = [UInt8](("-----BEGIN PRIVATE " + "KEY-----\n").utf8)
    for cut in 0...key.count {
      var search = KeySearch()
      for piece in [[7], Array(key[..<cut]), Array(key[cut...]), [8]] as [[UInt8]] {
        piece.withUnsafeBytes { search.add($0) }
      }
      #expect(search.found, "\(cut)")
    }
    var search = KeySearch()
    for byte in key { withUnsafeBytes(of: byte) { search.add($0) } }
    #expect(search.found)
  }

  @Test("two archives of many blocks are read through one unpacker")
  func blocks() async throws {
    var state: UInt64 = 1
    let noise = (0..<1_500_000).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 56)
    }
    let first = try cpioArchive(of: Manifest([.file("/a", .bytes(noise), why: "test")]))
    let second = try cpioArchive(of: Manifest([.file("/b", .bytes(noise + [1]), why: "test")]))
    let plain = first + [UInt8](repeating: 0, count: 700_000) + second
    let (members, unpacked) = try readRoot(
      await xz(plain, ["--check=crc32", "--lzma2=preset=0"]), shelf: Shelf(room: 0))
    #expect(members.map(\.path) == ["/a", "/b"] && unpacked == plain.count)
    #expect(members.map(\.content) == [Content(noise), Content(noise + [1])])
    #expect(try readCpioArchives(plain, shelf: Shelf(room: 0)) == members)
  }

  @Test("a file is read like bytes in memory, and what lies outside is not there")
  func files() async throws {
    try await withFolder { folder in
      let bytes: [UInt8] = [0x01, 0x02, 0x03, 0x04, 0x05]
      try await write(bytes, to: folder.appending("file"))
      let file = try FileBytes(folder.appending("file"))
      #expect(file.count == 5 && file.part(0, 5).map { [UInt8]($0) } == bytes)
      #expect(file.word(1) == 0x0302 && file.bigLong(1) == 0x0203_0405)
      for (offset, count) in [(-1, 1), (0, 6), (5, 1), (1, -1), (Int.max, 1), (1, Int.max)] {
        #expect(file.part(offset, count) == nil && bytes.part(offset, count) == nil)
      }
      let beginning = Extent(whole: file, count: 2)
      #expect(beginning.word(0) == 0x0201 && beginning.byte(2) == nil && beginning.sealed == contentDigest([1, 2]))
    }
  }
}
