import Testing

@testable import KernelPackages

@Suite struct ModuleIndexTests {
  private func index() throws -> ModuleIndex {
    try ModuleIndex(
      dependencies: """
        kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko: kernel/drivers/ptp/ptp.ko kernel/drivers/pps/pps-core.ko
        kernel/drivers/ptp/ptp.ko: kernel/drivers/pps/pps-core.ko
        kernel/drivers/pps/pps-core.ko:
        kernel/net/netfilter/nf_tables.ko.xz: kernel/lib/libcrc32c.ko.xz
        kernel/lib/libcrc32c.ko.xz:
        kernel/crypto/crc32c_generic.ko:
        kernel/arch/x86/crypto/crc32c-intel.ko:
        kernel/drivers/net/ethernet/realtek/r8169.ko:
        kernel/drivers/net/phy/realtek.ko:

        """,
      aliases: """
        # Aliases extracted from modules themselves.
        alias pci:v00008086d00001502sv*sd*bc*sc*i* e1000e
        alias crc32c crc32c_intel
        alias crc32c crc32c_generic
        alias usb:v 1 r8169
        alias pci:v1 gone

        """,
      softDependencies: """
        softdep libcrc32c pre: crc32c
        softdep r8169 pre: realtek unknown ext4 post: e1000e
        softdep cifs gcm

        """,
      builtIn: "kernel/fs/ext4/ext4.ko\n")
  }

  @Test("names are the kernel's, and what is needed comes with its own needs first")
  func dependencies() throws {
    let index = try index()
    #expect(index.modules["e1000e"]?.needs == ["pps_core", "ptp"])
    #expect(index.modules["e1000e"]?.aliases == ["pci:v00008086d00001502sv*sd*bc*sc*i*"])
    #expect(index.modules["r8169"]?.aliases == ["usb:v 1"])
    #expect(index.closure(of: ["e1000e", "ptp", "nobody"]) == ["pps_core", "ptp", "e1000e"])
    #expect(index.builtIn == ["ext4"])
  }

  @Test("what comes before a module only where it is there is needed; by another name it is the one for any processor")
  func soft() throws {
    let index = try index()
    #expect(index.modules["r8169"]?.needs == ["realtek"])
    #expect(index.closure(of: ["nf_tables"]) == ["crc32c_generic", "libcrc32c", "nf_tables"])
  }

  @Test("modules that need each other end")
  func circle() throws {
    let index = try ModuleIndex(dependencies: "k/a.ko: k/b.ko\nk/b.ko: k/a.ko\n")
    #expect(index.closure(of: ["a"]) == ["b", "a"])
  }

  @Test(
    "a line that is no entry is named",
    arguments: [
      ("kernel/a.ko", "", "", "line 1 of modules.dep is no entry"),
      (": kernel/a.ko", "", "", "line 1 of modules.dep is no entry"),
      ("k/a.ko:\nk/b/a.ko:", "", "", "two modules are called a"),
      ("k/a.ko: k/b.ko", "", "", "a needs b, which is not there"),
      ("", "# one\nalias x", "", "line 2 of modules.alias is no entry"),
      ("", "alias ", "", "line 1 of modules.alias is no entry"),
      ("", "", "softdep", "line 1 of modules.softdep is no entry"),
    ])
  func damage(_ dependencies: String, _ aliases: String, _ soft: String, _ says: String) {
    let error = #expect(throws: ModuleIndex.ParseError.self) {
      try ModuleIndex(dependencies: dependencies, aliases: aliases, softDependencies: soft)
    }
    #expect(error.map { "\($0)" } == says)
  }

  @Test("any bytes give an index or an error")
  func fuzz() {
    let words = ["kernel/", "a.ko", ": ", " ", "\n", "alias ", "softdep ", "pre:", "post:", "#", "\0", "é", "-", "*"]
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      func text() -> String {
        (0..<Int.random(in: 0..<12, using: &generator)).map { _ in words.randomElement(using: &generator) ?? "" }
          .joined()
      }
      guard
        let index = try? ModuleIndex(
          dependencies: text(), aliases: text(), softDependencies: text(), builtIn: text())
      else { continue }
      #expect(Set(index.closure(of: Array(index.modules.keys))).count == index.modules.count)
      _ = namesNear(text(), among: index.modules.keys)
    }
  }

  @Test(
    "a selection is a word or names",
    arguments: [
      ("all", ModuleSelection.all), ("pc", .common), ("igb", .named(["igb"])),
      ("snd-hda,igb", .named(["snd_hda", "igb"])),
    ])
  func selection(_ text: String, _ meaning: ModuleSelection) throws {
    #expect(try ModuleSelection(text) == meaning)
  }

  @Test("what is no selection is refused", arguments: ["", ",", "igb,", "a b", "../x", "all;"])
  func noSelection(_ text: String) {
    let error = #expect(throws: (any Error).self) { try ModuleSelection(text) }
    #expect(error.map { "\($0)".contains("is no selection of modules") } == true)
  }

  @Test("names are chosen as they are written or by folder, and an unknown one is answered with near ones")
  func chosen() throws {
    let index = try index()
    #expect(try ModuleSelection.named(["e1000e", "ext4"]).names(in: index) == ["e1000e"])
    #expect(try ModuleSelection.all.names(in: index) == ["crc32c_intel", "e1000e", "r8169", "realtek"])
    #expect(try ModuleSelection.common.names(in: index) == ["crc32c_intel", "e1000e", "r8169", "realtek"])
    let error = #expect(throws: (any Error).self) { try ModuleSelection.named(["e100e"]).names(in: index) }
    #expect(error.map { "\($0)" } == "This kernel has no module e100e. It has e1000e. MODULES also takes all and pc.")
  }
}
