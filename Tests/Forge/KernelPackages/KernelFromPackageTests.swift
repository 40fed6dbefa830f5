import BuildCache
import Foundation
import KernelModules
import SystemPackage
import Target
import Testing
import Workshop

@testable import KernelPackages

/// Packages are made by dpkg-deb, modules by clang.
@Suite struct KernelFromPackageTests {
  /// What a package is made from.
  struct Made {
    var architecture = "amd64"
    var release = "6.1.0-1-amd64"
    var kernel: String? = "6.1.0-1-amd64"
    var modulesOf: String? = "6.1.0-1-amd64"
    var vermagic = "6.1.0-1-amd64"
    var configuration: String? = sound
    var compressed = false
    var depends: String?
    /// Where newer packages have their modules.
    var usr = false
  }

  /// Says yes to all that is asked for; one part is a module.
  static let sound =
    (DroneTarget.x86_64.kernel.needed + ["CONFIG_GENERIC_CPU", "CONFIG_FB_EFI"]
    + DroneTarget.x86_64.kernel.parts.map(\.option))
    .map { $0 == "CONFIG_NF_TABLES" ? "\($0)=m\n" : "\($0)=y\n" }.joined()

  private func withFolder<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory()), body)
  }

  private func package(_ made: Made, in folder: FilePath) async throws -> FilePath {
    let tree = folder.appending("tree")
    try makeFolder(tree.appending("DEBIAN"))
    try makeFolder(tree.appending("boot"))
    try await write(
      ("Package: linux-image-\(made.release)\nVersion: 6.1.5-1\nArchitecture: \(made.architecture)\n"
        + (made.depends.map { "Depends: \($0)\n" } ?? "") + "Maintainer: nobody\nDescription: a test\n").utf8,
      to: tree.appending("DEBIAN/control"))
    if let kernel = made.kernel {
      try await write("a kernel".utf8, to: tree.appending("boot/vmlinuz-\(kernel)"))
      if let text = made.configuration { try await write(text.utf8, to: tree.appending("boot/config-\(kernel)")) }
    }
    if let release = made.modulesOf {
      let modules = tree.appending("\(made.usr ? "usr/" : "")lib/modules/\(release)")
      try await module(
        "drivers/net/ethernet/intel/e1000e/e1000e", ["alias=pci:v8086d1*", "alias=of:N*", "firmware=intel/e.bin"],
        uses: "tick", made, modules)
      try await module("drivers/ptp/ptp-clock", [], exports: "tick", made, modules)
      try await module("net/netfilter/nf_tables", ["softdep=pre: crc32c"], made, modules)
      try await module("crypto/crc32c_generic", ["alias=crc32c"], made, modules)
      try await module("sound/drone", ["alias=devname:drone", "alias=char-major-10-9"], made, modules)
      try await write("kernel/fs/ext4/ext4.ko\n".utf8, to: modules.appending("modules.builtin"))
      try await write([], to: modules.appending("modules.order"))
    }
    let file = folder.appending("linux-image.deb")
    _ = try await tool("dpkg-deb", ["-Znone", "--root-owner-group", "--build", tree.string, file.string]).output()
    return file
  }

  private func module(
    _ path: String, _ words: [String], uses: String? = nil, exports: String? = nil, _ made: Made, _ modules: FilePath
  ) async throws {
    let file = modules.appending("kernel/\(path).ko")
    try makeFolder(file.removingLastComponent())
    let source = FilePath("\(file).S")
    let strings = (words + ["vermagic=\(made.vermagic) SMP "]).map { ".asciz \"\($0)\"\n" }.joined()
    try await write(
      (".section .modinfo,\"a\"\n\(strings)"
        + (exports.map { ".section __ksymtab_strings,\"a\"\n.asciz \"\($0)\"\n" } ?? "")
        + (uses.map { ".text\ncall \($0)\n" } ?? "")).utf8, to: source)
    _ = try await tool("clang", ["-target", "x86_64-linux-gnu", "-c", "-o", file.string, source.string]).output()
    try removeTree(source)
    if made.compressed { _ = try await tool("xz", ["--check=crc32", file.string]).output() }
  }

  private func built(_ file: FilePath, _ selection: ModuleSelection, in folder: FilePath) async throws -> KernelFiles {
    let recipe = KernelWithModules(try KernelDelivery(package: file, for: .x86_64), for: .x86_64, selection)
    return recipe.files(in: try await BuildCache(folder: folder.appending("cache")).part(recipe))
  }

  @Test(
    "a package gives its kernel, its configuration and the chosen modules with what they need",
    arguments: [false, true])
  func whole(_ newer: Bool) async throws {
    try await withFolder { folder in
      let file = try await package(Made(compressed: newer, usr: newer), in: folder)
      let made = try await built(file, .named(["e1000e"]), in: folder)
      #expect(try contents(of: made.kernel) == [UInt8]("a kernel".utf8))
      #expect(try contents(of: made.configuration) == [UInt8](Self.sound.utf8))
      let names = try FileManager.default.contentsOfDirectory(atPath: made.modules.string).sorted()
      #expect(names == ["crc32c_generic.ko", "e1000e.ko", "nf_tables.ko", "ptp_clock.ko"])
      let table = try ModuleTable(text: contents(of: made.table))
      #expect(table.release == [UInt8]("6.1.0-1-amd64".utf8))
      #expect(
        table.modules.map { String(decoding: $0.name, as: UTF8.self) } == [
          "nf_tables", "crc32c_generic", "e1000e", "ptp_clock",
        ])
      #expect(table.modules.map(\.isForAll) == [true, false, false, false])
      #expect(
        table.modules.map { $0.needs.map { String(decoding: $0, as: UTF8.self) } } == [
          ["crc32c_generic"], [], ["ptp_clock"], [],
        ])
      #expect(
        table.modules.map { $0.patterns.map { String(decoding: $0, as: UTF8.self) } } == [[], [], ["pci:v8086d1*"], []])
      #expect(try contents(of: made.firmware) == [UInt8]("intel/e.bin\te1000e\n".utf8))
      for module in table.modules {
        let file = made.modules.appending(String(decoding: module.file, as: UTF8.self))
        #expect(try SHA256(contentsOf: file).bytes == module.digest)
      }
      #expect(made.package?.version == "6.1.5-1" && "\(made.origin)" == "package linux-image-6.1.0-1-amd64 6.1.5-1")
    }
  }

  @Test("of the modules that somebody names, those that no device asks for are loaded everywhere")
  func undemanded() async throws {
    try await withFolder { folder in
      let made = try await built(try await package(Made(), in: folder), .named(["drone", "e1000e"]), in: folder)
      let table = try ModuleTable(text: contents(of: made.table))
      let everywhere = table.modules.filter(\.isForAll).map { String(decoding: $0.name, as: UTF8.self) }
      #expect(everywhere == ["nf_tables", "drone"])
    }
  }

  static let bad: [(Made, ModuleSelection, String)] = [
    (Made(architecture: "arm64"), .all, "is for arm64, and drones of the target x86_64 need one for amd64"),
    (Made(kernel: nil), .all, "holds no kernel: there is no /boot/vmlinuz-…"),
    (
      Made(kernel: nil, modulesOf: nil, depends: "linux-image-6.1.0-9-amd64"), .all,
      "It depends on linux-image-6.1.0-9-amd64: give that"
    ),
    (Made(modulesOf: nil), .all, "holds a kernel without modules"),
    (Made(modulesOf: "6.1.0-2-amd64"), .all, "holds modules for 6.1.0-2-amd64 and a kernel 6.1.0-1-amd64"),
    (Made(vermagic: "5.10.0"), .all, "is for 5.10.0, and the kernel is 6.1.0-1-amd64"),
    (Made(configuration: nil), .all, "has no /boot/config-6.1.0-1-amd64"),
    (
      Made(configuration: sound.replacingOccurrences(of: "CONFIG_INET_ESP=y", with: "")), .all,
      "its configuration lacks CONFIG_INET_ESP"
    ),
    (
      Made(configuration: sound.replacingOccurrences(of: "CONFIG_RD_XZ=y", with: "")), .all,
      "its configuration lacks CONFIG_RD_XZ"
    ),
    (
      Made(configuration: sound.replacingOccurrences(of: "CONFIG_INET_ESP=y", with: "CONFIG_INET_ESP=m")), .all,
      "it has esp4 as a module (CONFIG_INET_ESP), and the image does not hold that"
    ),
    (
      Made(configuration: sound.replacingOccurrences(of: "CONFIG_FB_EFI=y", with: "CONFIG_FB_EFI=m")), .all,
      "its configuration has none of CONFIG_FB_EFI, CONFIG_DRM_SIMPLEDRM: with UEFI the screen stays dark"
    ),
    (Made(), .named(["e1000"]), "This kernel has no module e1000. It has e1000e."),
  ]

  @Test("what is no kernel for drones is refused in a sentence, and nothing of it stays", arguments: bad.indices)
  func refused(_ number: Int) async throws {
    let (made, selection, says) = Self.bad[number]
    try await withFolder { folder in
      let file = try await package(made, in: folder)
      let error = await #expect(throws: (any Error).self) { try await built(file, selection, in: folder) }
      #expect(error.map { "\($0)".contains(says) } == true, "it says: \(error.map { "\($0)" } ?? "")")
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.appending("cache").string)) ?? []
      #expect(!names.contains { $0.hasPrefix("debian-kernel-") && !$0.hasSuffix(".log") })
    }
  }

  @Test("a name that the kernel does not have is refused before the package is unpacked; one that is built in is not")
  func names() async throws {
    try await withFolder { folder in
      let file = try await package(Made(), in: folder)
      let delivery = try KernelDelivery(package: file, for: .x86_64)
      // dpkg-deb makes no list of digests: nothing is known before.
      #expect(throws: Never.self) { try delivery.requireKnown(.named(["e1000"])) }
      try await write(
        ("0123456789abcdef0123456789abcdef  lib/modules/6.1.0-1-amd64/kernel/drivers/net/e1000e.ko\n"
          + "0123456789abcdef0123456789abcdef  boot/config-6.1.0-1-amd64\n").utf8,
        to: folder.appending("tree/DEBIAN/md5sums"))
      _ = try await tool("dpkg-deb", ["-Znone", "--build", "\(folder)/tree", file.string]).output()
      let listed = try KernelDelivery(package: file, for: .x86_64)
      for known in [ModuleSelection.all, .named(["e1000e"]), .named(["ext4", "e1000e"])] {
        #expect(throws: Never.self) { try listed.requireKnown(known) }
      }
      let error = #expect(throws: BuildError.self) { try listed.requireKnown(.named(["e1000"])) }
      #expect("\(error as Any)".contains("This kernel has no module e1000. It has e1000e."))
    }
  }

  @Test("a file that is no package is refused")
  func noPackage() async throws {
    try await withFolder { folder in
      let file = folder.appending("linux-image.deb")
      for bytes in [[], [UInt8]("!<arch>\n".utf8), [UInt8](repeating: 7, count: 5000)] {
        try await write(bytes, to: file)
        let error = #expect(throws: (any Error).self) { try KernelDelivery(package: file, for: .x86_64) }
        #expect(error.map { "\($0)".contains("cannot be read as a Debian package") } == true)
      }
    }
  }
}
