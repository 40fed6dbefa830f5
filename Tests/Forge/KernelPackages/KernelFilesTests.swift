import BuildCache
import Foundation
import KernelModules
import SystemPackage
import Target
import Testing
import Workshop

@testable import KernelPackages

/// A kernel's file with the folder of its modules. Modules are made by clang, kernels are headers.
@Suite struct KernelFilesTests {
  static let release = "6.1.0-mine"

  /// What somebody brings.
  struct Brought {
    /// In the kernel's header.
    var version = "\(release) (me@here) #1 SMP"
    var is64Bit = true
    /// The folder's name, and what its modules are for.
    var folder = release
    var vermagic = release
    var holdsModules = true
    /// Beside the kernel.
    var configuration: String? = KernelFromPackageTests.sound
    /// In the kernel, by this program.
    var embedded: (configuration: String, by: String, arguments: [String])?
    var ending = ""
  }

  private func withFiles<Result>(
    _ brought: Brought, _ body: (_ kernel: FilePath, _ modules: FilePath, _ folder: FilePath) async throws -> Result
  ) async throws -> Result {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      var payload: [UInt8] = [0x1F, 0x8B]
      if let (text, program, arguments) = brought.embedded {
        let inner = try await packed([UInt8](text.utf8), by: "gzip", ["-c"], in: folder)
        let whole = [UInt8](repeating: 7, count: 5000) + "IKCFG_ST".utf8 + inner + "IKCFG_ED".utf8 + [0, 0, 0, 0]
        payload = try await packed(whole, by: program, arguments, in: folder)
        // The size, where the program does not end with it itself.
        if program != "gzip" { payload += [1, 2, 3, 4] }
      }
      let boot = folder.appending("boot")
      try makeFolder(boot)
      let kernel = boot.appending("vmlinuz")
      try await write(fakeKernel(brought.version, payload: payload, is64Bit: brought.is64Bit), to: kernel)
      if let text = brought.configuration {
        try await write(text.utf8, to: boot.appending("config-\(Self.release)"))
      }
      let modules = folder.appending("lib/modules/\(brought.folder)")
      try makeFolder(modules)
      if brought.holdsModules {
        let magic = "vermagic=\(brought.vermagic) SMP "
        let card = modules.appending("kernel/drivers/net/ethernet/realtek/r8169.ko")
        try await makeModule(card, [magic, "alias=pci:v10ECd8168*", "firmware=rtl_nic/a.fw"])
        try await makeModule(modules.appending("kernel/net/netfilter/nf_tables.ko"), [magic])
        if brought.ending == ".xz" { _ = try await tool("xz", [card.string]).output() }
        try await write("kernel/fs/ext4/ext4.ko\n".utf8, to: modules.appending("modules.builtin"))
        try await write([], to: modules.appending("modules.order"))
        // As distributions leave it; it leads nowhere here.
        try FileManager.default.createSymbolicLink(
          atPath: modules.appending("build").string, withDestinationPath: "/nowhere")
      }
      return try await body(kernel, modules, folder)
    }
  }

  @Test(
    "a kernel with its modules' folder is taken as a package is, and nothing of it changes", arguments: ["", ".xz"])
  func whole(_ ending: String) async throws {
    try await withFiles(Brought(ending: ending)) { kernel, modules, folder in
      let before = try FileManager.default.subpathsOfDirectory(atPath: folder.string).sorted()
      let recipe = KernelWithModules(
        try KernelDelivery(kernel: kernel, modules: modules, for: .x86_64), for: .x86_64, .named(["r8169"]))
      let part = try await BuildCache(folder: folder.appending("cache")).part(recipe)
      let made = recipe.files(in: part)
      #expect(try contents(of: made.kernel) == contents(of: kernel))
      let table = try ModuleTable(text: contents(of: made.table))
      #expect(table.release == [UInt8](Self.release.utf8))
      #expect(table.modules.map { String(decoding: $0.name, as: UTF8.self) } == ["nf_tables", "r8169"])
      #expect(try contents(of: made.firmware) == [UInt8]("rtl_nic/a.fw\tr8169\n".utf8))
      #expect(made.package == nil && "\(made.origin)" == "given")
      let after = try FileManager.default.subpathsOfDirectory(atPath: folder.string).filter { !$0.hasPrefix("cache") }
      #expect(after.sorted() == before)
    }
  }

  @Test(
    "the configuration that a kernel carries is found, whatever compressed it",
    arguments: [
      ("gzip", ["-c"]), ("xz", ["-c", "--check=crc32"]), ("bzip2", ["-c"]), ("xz", ["-c", "--format=lzma"]),
    ])
  func embedded(_ program: String, _ arguments: [String]) async throws {
    let brought = Brought(
      configuration: nil, embedded: (KernelFromPackageTests.sound, program, arguments))
    try await withFiles(brought) { kernel, modules, _ in
      let delivery = try KernelDelivery(kernel: kernel, modules: modules, for: .x86_64)
      guard case .files(_, let text, _, _) = delivery.form else {
        Issue.record("it is no package")
        return
      }
      #expect(text == KernelFromPackageTests.sound)
    }
  }

  private static func without(_ option: String) -> String {
    KernelFromPackageTests.sound.split(separator: "\n").filter { !$0.hasPrefix("\(option)=") }.joined(separator: "\n")
  }

  static let bad: [(Brought, String)] = [
    (Brought(version: "6.1.0-other #1"), "is not for this kernel"),
    (Brought(version: ""), "does not tell its version"),
    (Brought(is64Bit: false), "is for 32-bit computers"),
    (Brought(folder: "6.1.0-other"), "and its modules lie in lib/modules/6.1.0-mine"),
    (Brought(vermagic: "6.1.0-other"), "is for 6.1.0-other, and the kernel is 6.1.0-mine"),
    (Brought(holdsModules: false), "holds no modules: there is no .ko, .ko.xz or .ko.zst in it"),
    (
      Brought(configuration: nil), "put it beside that as config-6.1.0-mine, or build the kernel with CONFIG_IKCONFIG=y"
    ),
    (Brought(configuration: without("CONFIG_EFI_STUB")), "its configuration lacks CONFIG_EFI_STUB"),
    (Brought(configuration: without("CONFIG_INET_ESP")), "its configuration lacks CONFIG_INET_ESP"),
    (Brought(configuration: without("CONFIG_NF_TABLES")), "its configuration lacks CONFIG_NF_TABLES"),
    (Brought(configuration: without("CONFIG_BLK_DEV_INITRD")), "its configuration lacks CONFIG_BLK_DEV_INITRD"),
  ]

  @Test("files that are no drone's kernel with its modules are refused in a sentence", arguments: bad.indices)
  func refused(_ number: Int) async throws {
    let (brought, says) = Self.bad[number]
    try await withFiles(brought) { kernel, modules, folder in
      let cache = folder.appending("cache")
      let error = await #expect(throws: BuildError.self) {
        let delivery = try KernelDelivery(kernel: kernel, modules: modules, for: .x86_64)
        _ = try await BuildCache(folder: cache).part(KernelWithModules(delivery, for: .x86_64, .all))
      }
      #expect("\(error as Any)".contains(says), "it says: \(error as Any)")
      let names = (try? FileManager.default.contentsOfDirectory(atPath: cache.string)) ?? []
      #expect(!names.contains { $0.hasPrefix("debian-kernel-") && !$0.hasSuffix(".log") })
    }
  }

  @Test("a folder that is none, and a name that is in none, are refused")
  func others() async throws {
    try await withFiles(Brought()) { kernel, modules, folder in
      for place in [kernel, folder.appending("nowhere")] {
        let error = #expect(throws: BuildError.self) {
          try KernelDelivery(kernel: kernel, modules: place, for: .x86_64)
        }
        #expect("\(error as Any)".contains("is no folder: give MODULES the path of lib/modules/6.1.0-mine"))
      }
      let delivery = try KernelDelivery(kernel: kernel, modules: modules, for: .x86_64)
      #expect(throws: Never.self) { try delivery.requireKnown(.named(["r8169", "ext4"])) }
      let error = #expect(throws: BuildError.self) { try delivery.requireKnown(.named(["r8168"])) }
      #expect("\(error as Any)".contains("This kernel has no module r8168. It has r8169."))
    }
  }
}
