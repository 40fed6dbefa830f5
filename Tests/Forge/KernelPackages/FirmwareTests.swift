import BuildCache
import Foundation
import SystemPackage
import Testing
import Workshop

@testable import KernelPackages

/// Packages are made by dpkg-deb.
@Suite struct FirmwareTests {
  private func withFolder<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory()), body)
  }

  private func names(_ files: String...) -> FirmwareNames {
    var names = FirmwareNames()
    for file in files { names.add(file, for: "card") }
    return names
  }

  private func link(_ place: FilePath, to target: String) throws {
    try makeFolder(place.removingLastComponent())
    try FileManager.default.createSymbolicLink(atPath: place.string, withDestinationPath: target)
  }

  /// The files that are asked for and found, with what is in them.
  private func collected(
    _ names: FirmwareNames, from source: FirmwareCollection.Source, in folder: FilePath
  ) async throws -> [String: (content: String, origin: String)] {
    let recipe = try FirmwareCollection(names, from: source)
    let part = try await BuildCache(folder: folder.appending("cache")).part(recipe)
    let found = try recipe.files(in: part)
    let all = try FileManager.default.subpathsOfDirectory(atPath: part.folder.appending("files").string).filter {
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: part.folder.appending("files/\($0)").string, isDirectory: &isFolder)
        && !isFolder.boolValue
    }
    #expect(all.sorted() == found.map(\.name))
    return try Dictionary(
      found.map { ($0.name, (String(decoding: try contents(of: $0.file), as: UTF8.self), "\($0.origin)")) },
      uniquingKeysWith: { first, _ in first })
  }

  @Test("of a folder the files come that drivers name and no others: plain, compressed and through links")
  func folder() async throws {
    try await withFolder { folder in
      let place = folder.appending("lib/firmware")
      try makeFolder(place.appending("a"))
      try await write("plain".utf8, to: place.appending("a/plain.bin"))
      try await write("nobody asks".utf8, to: place.appending("a/other.bin"))
      for (name, program) in [("x.bin", "xz"), ("g.bin", "gzip")] {
        try await write("packed by \(program)".utf8, to: place.appending("a/\(name)"))
        _ = try await tool(program, [place.appending("a/\(name)").string]).output()
      }
      try link(place.appending("linked.bin"), to: "a/plain.bin")
      try link(place.appending("b/linked.bin.xz"), to: "../a/x.bin.xz")
      try link(place.appending("absolute.bin"), to: "/lib/firmware/a/plain.bin")
      try link(place.appending("gone.bin"), to: "a/gone.bin")
      try link(place.appending("circle.bin"), to: "circle.bin")
      try makeFolder(place.appending("folder.bin"))
      let found = try await collected(
        names(
          "a/plain.bin", "a/x.bin", "a/g.bin", "linked.bin", "b/linked.bin", "absolute.bin", "gone.bin", "circle.bin",
          "folder.bin", "never.bin"), from: .folder(place), in: folder)
      #expect(
        found.mapValues(\.content) == [
          "a/plain.bin": "plain", "a/x.bin": "packed by xz", "a/g.bin": "packed by gzip", "linked.bin": "plain",
          "b/linked.bin": "packed by xz", "absolute.bin": "plain",
        ])
      #expect(found.values.allSatisfy { $0.origin == "given" })
    }
  }

  @Test("of packages they come with the name of their package; links lead nowhere else")
  func packages() async throws {
    try await withFolder { folder in
      let tree = folder.appending("tree")
      try makeFolder(tree.appending("DEBIAN"))
      try await write(
        "Package: firmware-test\nVersion: 1-1\nArchitecture: all\nMaintainer: nobody\nDescription: a test\n".utf8,
        to: tree.appending("DEBIAN/control"))
      try makeFolder(tree.appending("usr/lib/firmware/rtl_nic"))
      try await write("code".utf8, to: tree.appending("usr/lib/firmware/rtl_nic/a.fw"))
      try link(tree.appending("usr/lib/firmware/b.fw"), to: "rtl_nic/a.fw")
      try link(tree.appending("usr/lib/firmware/c.fw"), to: "../../../etc/passwd")
      try link(tree.appending("usr/lib/firmware/d.fw"), to: "/etc/passwd")
      let file = folder.appending("firmware-test_1-1_all.deb")
      _ = try await tool("dpkg-deb", ["--root-owner-group", "--build", tree.string, file.string]).output()
      let names = names("rtl_nic/a.fw", "b.fw", "c.fw", "d.fw")
      let found = try await collected(names, from: .packages([file]), in: folder)
      #expect(found.mapValues(\.content) == ["rtl_nic/a.fw": "code", "b.fw": "code"])
      #expect(found.values.allSatisfy { $0.origin == "package firmware-test 1-1" })
      let recipe = try FirmwareCollection(names, from: .packages([file]))
      let all = try recipe.files(in: try await BuildCache(folder: folder.appending("cache")).part(recipe))
      #expect(try recipe.records(of: all).map(\.name) == ["firmware-test_1-1_all.deb"])
      #expect(try recipe.records(of: []) == [])
    }
  }

  @Test("a folder that is not there is one sentence")
  func missing() async throws {
    try await withFolder { folder in
      let error = #expect(throws: BuildError.self) {
        try FirmwareCollection(names("a"), from: .folder(folder.appending("nowhere")))
      }
      #expect("\(error as Any)".contains("is no folder: give FIRMWARE the path of a Linux's lib/firmware"))
    }
  }
}
