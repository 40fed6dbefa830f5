import Foundation
import SystemPackage
import Target
import TestSupport
import Testing
import Workshop

@testable import Recipes

@Suite struct ConfigurationTests {
  @Test("a setting that kconfig dropped, changed or never knew is named with its line")
  func dropped() throws {
    let fragment = try ConfigurationFragment(
      "# why\nCONFIG_SMP=y\nCONFIG_NR_CPUS=32\nCONFIG_GONE=y\n\nCONFIG_NAME=\"a b\"\nCONFIG_OFF=n\nCONFIG_ON=n\n",
      file: "kernel.config")
    let finished = "CONFIG_SMP=y\nCONFIG_NR_CPUS=8\n# CONFIG_GONE is not set\nCONFIG_NAME=\"a b\"\nCONFIG_ON=y\n"
    #expect(fragment.dropped(from: finished).map(\.name) == ["CONFIG_NR_CPUS", "CONFIG_GONE", "CONFIG_ON"])
    #expect(fragment.dropped(from: finished).map(\.line) == [3, 4, 8])
  }

  @Test("a longer name that begins alike does not count")
  func prefixes() throws {
    let fragment = try ConfigurationFragment("CONFIG_NET=y\n", file: "f")
    #expect(fragment.dropped(from: "CONFIG_NETCONSOLE=y\nCONFIG_NET=yes\n").count == 1)
  }

  @Test("the sentence names file, setting and line")
  func sentence() async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let finished = folder.appending("config")
      try await write("CONFIG_A=y\n".utf8, to: finished)
      let fragment = try ConfigurationFragment("CONFIG_A=y\nCONFIG_B=y\n", file: "kernel.config")
      let error = #expect(throws: BuildError.self) { try fragment.check(finished) }
      #expect("\(error as Any)".contains("kconfig dropped CONFIG_B=y (kernel.config, line 2)"))
      try ConfigurationFragment("CONFIG_A=y\n", file: "f").check(finished)
    }
  }

  @Test(
    "a line that is no setting is refused by number",
    arguments: ["CONFIG_A", "CONFIG_A=", "A=y", " CONFIG_A=y", "CONFIG_B=y\nnonsense", "CONFIG_A=y\nCONFIG_A=n"])
  func refused(_ text: String) {
    let error = #expect(throws: BuildError.self) { try ConfigurationFragment(text, file: "busybox.config") }
    #expect("\(error as Any)".contains("busybox.config, line \(text.contains("\n") ? 2 : 1): "))
  }

  @Test("several fragments are one, and what two of them set is named in both")
  func joined() throws {
    let common = try ConfigurationFragment("CONFIG_A=y\nCONFIG_B=y\n", file: "kernel.config")
    let own = try ConfigurationFragment("# why\nCONFIG_C=y\n", file: "kernel-i586.config")
    #expect(
      try ConfigurationFragment(joining: [common, own]).settings.map(\.name) == ["CONFIG_A", "CONFIG_B", "CONFIG_C"])
    let again = try ConfigurationFragment("# why\nCONFIG_B=n\n", file: "kernel-i586.config")
    let error = #expect(throws: BuildError.self) { try ConfigurationFragment(joining: [common, again]) }
    #expect("\(error as Any)".contains("kernel-i586.config, line 2: CONFIG_B was already set in kernel.config, line 2"))
  }

  @Test("what every kernel must have is in the project's own", arguments: [DroneTarget.i586, .x86_64])
  func demands(_ target: DroneTarget) throws {
    let text = try ["kernel.config", "kernel-\(target.name).config"].map {
      String(decoding: try contents(of: recipes.appending($0)), as: UTF8.self)
    }.joined(separator: "\n")
    let fragment = KernelConfiguration(text)
    #expect(fragment.shortcomingOfCards == nil)
    // What others select stands in no fragment.
    for option in ["CONFIG_NF_TABLES", "CONFIG_INET_ESP", "CONFIG_BLK_DEV_INITRD", "CONFIG_RD_XZ"]
      + target.kernel.screens.prefix(1)
    {
      #expect(fragment[option] == "y", "\(option)")
    }
  }

  @Test("everything else is switched off, numbers and texts keep their defaults")
  func allOff() throws {
    let fragment = try ConfigurationFragment("CONFIG_ASH=y\nCONFIG_LEN=80\nCONFIG_VI=n\n", file: "f")
    let everything = """
      # Shells
      CONFIG_ASH=y
      CONFIG_HUSH=y
      # CONFIG_HARDLINKS is not set
      CONFIG_LEN=1024
      CONFIG_PATH="/sbin"
      CONFIG_VI=y
      """
    #expect(
      fragment.overridingAllOff(everything) == """
        # CONFIG_HUSH is not set
        # CONFIG_HARDLINKS is not set
        CONFIG_PATH="/sbin"
        CONFIG_ASH=y
        CONFIG_LEN=80
        # CONFIG_VI is not set

        """)
  }

  @Test("the project's own fragments are whole, and every group says what it is for")
  func own() throws {
    for name in ["kernel.config", "kernel-i586.config", "kernel-x86_64.config", "busybox.config"] {
      let text = String(decoding: try contents(of: recipes.appending(name)), as: UTF8.self)
      _ = try ConfigurationFragment(text, file: name)
      for group in text.split(separator: "\n\n") where group.contains("CONFIG_") {
        #expect(group.hasPrefix("# "), "\(name): a group without a comment: \(group.prefix(60))")
      }
    }
  }
}

let recipes =
  checkout
  .appending("sysroot")
