import Foundation
import Recipes
import SystemPackage
import Target
import Testing

@testable import DronePrograms

@Suite struct ToolsetTests {
  private func options(
    checkout: FilePath, sysroot: FilePath, target: DroneTarget = .i586
  ) throws -> [String: [String]] {
    let parts = Sysroot(
      target: target, includes: sysroot.appending("include"), library: sysroot.appending("lib"),
      opensslIncludes: sysroot.appending("ssl/include"), opensslLibrary: sysroot.appending("ssl/lib"))
    let json = try Toolset(target: target, sysroot: parts, checkout: checkout, scratch: "/scratch").json()
    struct Options: Decodable { let extraCLIOptions: [String] }
    struct File: Decodable {
      let schemaVersion: String
      let swiftCompiler: Options
      let cCompiler: Options
      let linker: Options
    }
    let file = try JSONDecoder().decode(File.self, from: json)
    #expect(file.schemaVersion == "1.0")
    return [
      "swift": file.swiftCompiler.extraCLIOptions, "c": file.cCompiler.extraCLIOptions,
      "linker": file.linker.extraCLIOptions,
    ]
  }

  @Test(
    "every compiler is kept to the target's instructions and finds the sysroot's headers, no system's",
    arguments: [(DroneTarget.i586, "elf_i386"), (.x86_64, "elf_x86_64")])
  func instructions(_ target: DroneTarget, _ emulation: String) throws {
    let options = try options(checkout: "/checkout", sysroot: "/sys", target: target)
    for compiler in ["swift", "c"] {
      for flag in target.instructionSetFlags { #expect(options[compiler]?.contains(flag) == true) }
      #expect(options[compiler]?.contains("/sys/include") == true)
    }
    #expect(
      options["swift"]?.contains("/sys/ssl/include") == true
        && options["linker"]?.contains("/sys/ssl/lib/libssl.a") == true)
    #expect(options["linker"]?.starts(with: ["-m", emulation]) == true)
    #expect(options["linker"]?.contains("/sys/lib/crt1.o") == true && options["linker"]?.last == "/sys/lib/libc.a")
    #expect(options["swift"]?.contains("-nostdlib") == true)
  }

  @Test("two folders' toolsets differ only in the paths that the maps turn into one")
  func folders() throws {
    func mapped(_ checkout: String, _ sysroot: String) throws -> [String: [String]] {
      try options(checkout: FilePath(checkout), sysroot: FilePath(sysroot)).mapValues { flags in
        flags.map { $0.replacingOccurrences(of: checkout, with: "C").replacingOccurrences(of: sysroot, with: "S") }
      }
    }
    let first = try mapped("/first/checkout", "/cache/one")
    #expect(try first == mapped("/second", "/other/two"))
    #expect(first["swift"]?.contains("C=.") == true && first["swift"]?.contains("S=/sysroot") == true)
    #expect(first["c"]?.contains("-ffile-prefix-map=C=.") == true)
  }

  @Test("the code does not depend on the number of cores, the folder's name or the build before")
  func sameEverywhere() throws {
    let flags = try options(checkout: "/c", sysroot: "/s")["swift"] ?? []
    func value(after flag: String) -> String? {
      flags.firstIndex(of: flag).flatMap { $0 + 1 < flags.count ? flags[$0 + 1] : nil }
    }
    #expect(value(after: "-num-threads") == "1")
    #expect(value(after: "-package-name") == "droneforge")
    #expect(flags.contains("-disable-incremental-llvm-codegen"))
  }
}
