import Foundation
import SystemPackage
import Testing
import Workshop

@testable import Image

@Suite struct CpioTests {
  static let everything = [
    Entry.directory("/dev", why: "test"),
    .characterDevice("/dev/console", 5, 1, why: "test"),
    .file("/file", .bytes([UInt8]("hello".utf8)), executable: true, why: "test"),
    .file("/empty", .bytes([]), why: "test"),
    .link("/link", to: "file", why: "test"),
  ]

  @Test("a file's record has these bytes")
  func golden() throws {
    let archive = try cpioArchive(
      of: Manifest([.file("/hi", .bytes([0x41, 0x42, 0x43]), executable: true, why: "test")]))
    let record = [
      "070701",  // magic
      "00000001",  // inode
      "000081ed",  // mode: regular, 0755
      "00000000", "00000000",  // user, group
      "00000001",  // links
      "12cea600",  // date: 1980-01-01
      "00000003",  // size
      "00000000", "00000000",  // the device that held it
      "00000000", "00000000",  // the device that it is
      "00000003",  // the name's size with its zero byte
      "00000000",  // check sum: none
      "hi\0\0\0\0",  // 110 + 3 bytes, padded to a multiple of four
      "ABC\0",
    ].joined()
    #expect(archive.starts(with: record.utf8))
    #expect(archive.count % 4 == 0)
    #expect(String(decoding: archive, as: UTF8.self).contains("TRAILER!!!\0"))
  }

  @Test("GNU cpio lists what was written")
  func gnu() async throws {
    let lines = try await listed(by: "cpio", ["-tv", "--quiet", "--numeric-uid-gid", "-F"])
    #expect(lines.count == 5)
    #expect(lines.contains { $0.hasPrefix("drwxr-xr-x") && $0.hasSuffix(" dev") })
    #expect(lines.contains { $0.hasPrefix("crw-------") && $0.contains("5,   1") && $0.hasSuffix(" dev/console") })
    #expect(lines.contains { $0.hasPrefix("-rwxr-xr-x   1 0        0               5 Jan  1  1980 file") })
    #expect(lines.contains { $0.hasPrefix("-rw-r--r--") && $0.hasSuffix(" empty") })
    #expect(lines.contains { $0.hasPrefix("lrwxrwxrwx") && $0.hasSuffix(" link -> file") })
  }

  @Test("libarchive lists what was written")
  func libarchive() async throws {
    let lines = try await listed(by: "bsdtar", ["--numeric-owner", "-tvf"])
    #expect(lines.count == 5)
    #expect(lines.contains { $0.hasPrefix("crw-------") && $0.contains("5,1") && $0.hasSuffix(" dev/console") })
    #expect(lines.contains { $0.hasPrefix("-rwxr-xr-x") && $0.hasSuffix(" file") })
    #expect(lines.contains { $0.hasPrefix("lrwxrwxrwx") && $0.hasSuffix(" link -> file") })
  }

  private func listed(by program: String, _ arguments: [String]) async throws -> [String] {
    try await withFolder { folder in
      let file = folder.appending("archive")
      try await write(cpioArchive(of: Manifest(Self.everything)), to: file)
      let out = try await tool(program, arguments + [file.string]).output()
      return String(decoding: out, as: UTF8.self).split(separator: "\n").map(String.init)
    }
  }

  @Test("the reader gives back what the writer was given")
  func roundTrip() throws {
    let records = try readCpio(cpioArchive(of: Manifest(Self.everything)))
    #expect(
      records.map { String(decoding: $0.name, as: UTF8.self) } == ["dev", "dev/console", "empty", "file", "link"])
    #expect(records.map(\.mode) == [0o040755, 0o020600, 0o100644, 0o100755, 0o120777])
    #expect(records.map(\.inode) == [1, 2, 3, 4, 5])
    #expect(records.allSatisfy { $0.date == imageDate && $0.user == 0 && $0.group == 0 })
    #expect(records[1].deviceMajor == 5 && records[1].deviceMinor == 1)
    #expect(records[3].content.elementsEqual("hello".utf8))
    #expect(records[4].content.elementsEqual("file".utf8))
  }

  @Test("archives that follow each other are read as one, as the kernel does")
  func two() throws {
    let archive = try cpioArchive(of: Manifest([.directory("/a", why: "test")]))
    #expect(try readCpio(archive + [0, 0, 0, 0] + archive).count == 2)
  }

  @Test(
    "a damaged archive is an error that names the place",
    arguments: [
      ("070702", 0, CpioError.notCpio(offset: 0)),
      ("g", 6, .badDigit(offset: 6)),
      ("ffffffff", 54, .truncated(offset: 0)),  // size
      ("ffffffff", 94, .truncated(offset: 0)),  // the name's size
      ("00000000", 94, .badName(offset: 0)),
      ("xxxxxx", 110, .badName(offset: 0)),
    ])
  func damaged(bytes: String, offset: Int, error: CpioError) throws {
    var archive = try cpioArchive(of: Manifest([.directory("/a", why: "test")]))
    archive.replaceSubrange(offset..<offset + bytes.utf8.count, with: bytes.utf8)
    #expect(throws: error) { try readCpio(archive) }
  }

  @Test("every shortened archive is an error, none a crash")
  func shortened() throws {
    let archive = try cpioArchive(of: Manifest(Self.everything))
    let end = archive.lastIndex { $0 != 0 } ?? 0
    for count in 0...end { #expect(throws: CpioError.self) { try readCpio(Array(archive[..<count])) } }
  }
}
