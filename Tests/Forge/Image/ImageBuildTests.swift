import BuildCache
import Foundation
import SystemPackage
import Target
import Testing
import Workshop

@testable import Image

@Suite struct ImageBuildTests {
  struct Stop: Error {}

  /// Every file below `folder` with its bytes, mode and date.
  private func snapshot(_ folder: FilePath) throws -> [String: String] {
    var found: [String: String] = [:]
    for entry in try filesAsTheyAre(folder) {
      let path = FilePath(folder.string + entry.path)
      var look = stat()
      #expect(lstat(path.string, &look) == 0)
      let digest = entry.kind == .directory ? "" : "\(try SHA256(contentsOf: path))"
      found[entry.path] = "\(String(look.st_mode, radix: 8)) \(look.st_mtim.tv_sec) \(digest)"
    }
    return found
  }

  @Test(
    "two builders in other folders, with other umasks, dates and orders, make the same bytes",
    arguments: Medium.allCases, ImageTarget.all.indices)
  func reproducible(medium: Medium, target: Int) async throws {
    var made: [[String: String]] = []
    for turn in 0..<2 {
      try await withFolder { folder in
        let parts = try await fakeParts(in: folder, for: ImageTarget.all[target])
        let passwd = parts.drones[0].root.files.appending("etc").appending("passwd")
        for (path, mode) in [(passwd, 0o644), (parts.drones[0].root.files, 0o755)] as [(FilePath, mode_t)] {
          let other = turn == 0 ? mode : mode & 0o700
          chmod(path.string, other)
          let date = timespec(tv_sec: 1_000_000_000 + turn * 86_400, tv_nsec: turn)
          utimensat(AT_FDCWD, path.string, [date, date], 0)
        }
        let output = folder.appending("out").appending("deeper")
        try makeFolder(output)
        _ = try await buildImage(medium, from: parts, in: output)
        var files = try snapshot(output)
        for path in files.keys where !path.dropFirst().contains("/") {
          // Only what lies inside a medium has a fixed date.
          files[path] = files[path].map { $0.split(separator: " ").last.map(String.init) ?? "" }
        }
        made.append(files)
      }
      if turn == 0 { try await Task.sleep(for: .milliseconds(1100)) }
    }
    #expect(made[0] == made[1])
    #expect(made[0].count >= 2)
  }

  @Test("nothing changed, nothing done; a changed part or output is built again", arguments: Medium.allCases)
  func unchanged(medium: Medium) async throws {
    try await withFolder { folder in
      let parts = try await fakeParts(in: folder)
      let output = folder.appending("out")
      try makeFolder(output)
      func unchanged() async throws -> Bool { try await !isBuilt(medium, from: parts, in: output) }
      #expect(try await !unchanged())
      #expect(try await unchanged())
      try await write(
        "root::0:0::/:/bin/sh\n".utf8, to: parts.drones[0].root.files.appending("etc").appending("passwd"))
      #expect(try await !unchanged())
      #expect(try await unchanged())
      try await write(
        "damage".utf8, to: output.appending(medium == .cd ? "drone-i586.iso" : "pxe-i586/chaos/chaos.rdz"))
      #expect(try await !unchanged())
      try FileManager.default.removeItem(atPath: output.appending(medium.billName(for: .i586)).string)
      #expect(try await !unchanged())
    }
  }

  @Test("an image that the check refuses leaves the previous one, and nothing else", arguments: Medium.allCases)
  func refused(medium: Medium) async throws {
    try await withFolder { folder in
      let parts = try await fakeParts(in: folder)
      let output = folder.appending("out")
      try makeFolder(output)
      try await isBuilt(medium, from: parts, in: output)
      let before = try snapshot(output)
      try await write(kernelFile(bootProtocol: 0x020D), to: parts.drones[0].kernel.path)
      await #expect(throws: Stop.self) {
        try await isBuilt(medium, from: parts, in: output) { image in
          #expect(FileManager.default.fileExists(atPath: image.path.string))
          #expect(
            try BillOfMaterials(json: contents(of: image.bill)).drones[0].root.contains { $0.path == "/sbin/init" })
          throw Stop()
        }
      }
      #expect(try snapshot(output) == before)
    }
  }

  @Test("a full disk is a sentence and leaves the previous image", arguments: Medium.allCases)
  func full(medium: Medium) async throws {
    try await withFolder { folder in
      let parts = try await fakeParts(in: folder)
      let output = folder.appending("out")
      try makeFolder(output)
      // Mounting takes root; without it there is nothing to try.
      guard (try? await Command("mount", ["-t", "tmpfs", "-o", "size=1m", "drone", output.string]).output()) != nil
      else {
        return
      }
      let said = await sentence { try await isBuilt(medium, from: parts, in: output) }
      let left = try FileManager.default.contentsOfDirectory(atPath: output.string)
      // Between fork and exec a program that another test starts holds what this one has open there.
      _ = try await Command("umount", ["--lazy", output.string]).output()
      #expect(said.contains("Make room or choose another folder"), "\(said)")
      #expect(left == [])
    }
  }

  @Test("the bill of materials names every file of the CD and of the root, and reads back")
  func bill() async throws {
    try await withFolder { folder in
      let image = try await buildImage(.cd, from: fakeParts(in: folder), in: folder)
      let bill = try BillOfMaterials(json: contents(of: image.bill))
      let listing = try await Command("bsdtar", ["-tf", image.path.string]).output()
      let onCD = Set(
        String(decoding: listing, as: UTF8.self).split(separator: "\n").map { "/" + $0 }.filter { $0 != "/." })
      #expect(onCD == Set(bill.medium.map(\.path)))
      #expect(bill.drones[0].kernel == "6.1.0 fake")
      #expect(bill.sources.map(\.name) == ["busybox"])
      let kernel = try #require(bill.medium.first { $0.path == "/chaos/bzImage" })
      #expect(kernel.size == 6656 && kernel.sha256 == "\(SHA256(kernelFile()))")
    }
  }

  @Test(
    "a bill of another format, and one that lacks something, is one sentence that says what",
    arguments: [
      (#"{"format": 1, "root": []}"#, "has the format 1, and this program reads 2"),
      (#"{"format": 2}"#, #"("target" is missing)"#),
      (#"{"format": 2, "target": 7}"#, "(target: it is no String)"),
      (#"{"format": 2, "target": "any", "medium": [{"path": "/"}]}"#, #"(medium.0: "kind" is missing)"#),
      ("", "(it is no JSON, or not one of a manifest)"),
      ("PK\u{3}\u{4}", "(it is no JSON, or not one of a manifest)"),
    ])
  func format(_ text: String, _ said: String) {
    let error = #expect(throws: BuildError.self) { try BillOfMaterials(json: Array(text.utf8)) }
    #expect(error.map { "\($0)".contains(said) } == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test("the bill says of a source that the archive listed a newer version, and nothing when it did not")
  func listed() async throws {
    try await withFolder { folder in
      var parts = try await fakeParts(in: folder)
      let plain = String(
        decoding: try contents(of: try await buildImage(.cd, from: parts, in: folder).bill), as: UTF8.self)
      #expect(!plain.contains("listed"))
      let before = try ImageRecipe(.cd, from: parts, goingTo: folder).hash
      parts.sources[0].listed = "2"
      #expect(try ImageRecipe(.cd, from: parts, goingTo: folder).hash != before)
      let image = try await buildImage(.cd, from: parts, in: folder)
      let bill = try BillOfMaterials(json: contents(of: image.bill))
      #expect(bill.sources.map(\.listed) == ["2"] && bill.format == 2)
    }
  }

  @Test("libarchive reads the CD's root archive back as it was meant")
  func root() async throws {
    try await withFolder { folder in
      let parts = try await fakeParts(in: folder)
      let image = try await buildImage(.cd, from: parts, in: folder)
      let archive = try await Command("bsdtar", ["-xOf", image.path.string, "chaos/chaos.rdz"]).output()
      try await write(archive, to: folder.appending("root.xz"))
      let plain = try await Command("xz", ["-dc", folder.appending("root.xz").string]).output()
      let paths = try readCpio(plain).map { $0.name == [0x2E] ? "/" : "/" + String(decoding: $0.name, as: UTF8.self) }
      #expect(try paths == Manifest(root: parts.drones[0].root).resolved().sealed().entries.map(\.entry.path))
    }
  }

  @Test(
    "one changed file leaves the compressed large ones as they are, and the bytes are those of a build from nothing")
  func kept() async throws {
    try await withFolder { folder in
      let parts = try await fakeParts(in: folder)
      let large = RootCompression.x86.dictionary
      for name in ["one", "two"] {
        try await write(
          noise(large) + Array(name.utf8), to: parts.drones[0].root.files.appending("etc").appending(name))
      }
      let archives = BuildCache(folder: folder.appending("archives"), keepingOlder: 0)
      func kept() throws -> Set<String> {
        Set(
          try FileManager.default.contentsOfDirectory(atPath: archives.folder.string).filter {
            $0.hasPrefix("archive-")
          })
      }
      var before: Set<String> = []
      for text in ["root::0:0::/:/bin/sh\n", "root:*:0:0::/:/bin/sh\n"] {
        try await write(text.utf8, to: parts.drones[0].root.files.appending("etc").appending("passwd"))
        var made: [[UInt8]] = []
        for keeping in [true, false] {
          let output = folder.appending("\(keeping) \(text.count)")
          try makeFolder(output)
          let image = try await buildImage(.cd, from: parts, in: output, archives: keeping ? always(archives) : nil)
          made.append(try contents(of: image.path))
        }
        #expect(made[0] == made[1])
        let now = try kept().filter { !$0.hasSuffix(".log") && !$0.hasSuffix(".lock") }
        #expect(now.count == 3, "\(now)")
        if !before.isEmpty { #expect(now.intersection(before).count == 2) }
        before = now
      }
    }
  }

  @Test("the folder for an image may have any name")
  func names() async throws {
    try await withFolder { folder in
      let parts = try await fakeParts(in: folder)
      var made: [[UInt8]] = []
      for name in ["plain", "it's 100% a=b: \"c\" -o, $HOME"] {
        let output = folder.appending(name)
        try makeFolder(output)
        made.append(try contents(of: try await buildImage(.cd, from: parts, in: output).path))
      }
      #expect(made[0] == made[1])
    }
  }

  @Test("a root of several archives reads back as one")
  func several() async throws {
    try await withFolder { folder in
      let parts = try await fakeParts(in: folder)
      try await write(
        noise(RootCompression.x86.dictionary), to: parts.drones[0].root.files.appending("etc").appending("large"))
      let image = try await buildImage(.network, from: parts, in: folder)
      let plain = try await Command("xz", ["-dc", "--format=xz", image.path.appending("chaos/chaos.rdz").string])
        .output()
      let names = try readCpio(plain).map { String(decoding: $0.name, as: UTF8.self) }
      #expect(names.last == "etc/large" && names.first == "." && names.count == Set(names).count)
      #expect(try names.count == Manifest(root: parts.drones[0].root).resolved().sealed().entries.count)
    }
  }

  @Test("xorriso finds one boot image for a BIOS and a bootable disk")
  func boot() async throws {
    try await withFolder { folder in
      let image = try await buildImage(.cd, from: fakeParts(in: folder), in: folder).path
      let report = try await Command(
        "xorriso", ["-no_rc", "-indev", image.string, "-report_el_torito", "plain", "-report_system_area", "plain"]
      ).output()
      let text = String(decoding: report, as: UTF8.self)
      #expect(text.contains("El Torito boot img :   1  BIOS  y   none"), "\(text)")
      #expect(text.contains("boot-info-table"), "\(text)")
      #expect(text.contains("isohybrid"), "\(text)")
      #expect(text.contains("MBR partition      :   1   0x80"), "\(text)")
    }
  }
}

/// One cache for the archives of every drone.
private func always(_ cache: BuildCache) -> @Sendable (DroneTarget) -> BuildCache { { _ in cache } }
