import Foundation
import Recipes
import SystemPackage
import Target
import Testing
import Toolchain
import Workshop

@testable import DronePrograms

@Suite struct ConstantCheckTests {
  /// Two modules, each of two files. The second inlines a function of the first and makes its constants in another order.
  private static let modules: [(name: String, files: [(name: String, text: String)])] = [
    (
      "Low",
      [
        (
          "Pick",
          """
          public func pick(_ kind: Int) -> [UInt8] {
            switch kind {
            case 0: return [1, 2, 3, 4]
            case 1: return [5, 6, 7, 8]
            default: return [9, 9, 9, 9]
            }
          }
          """
        ), ("More", "public func next(_ number: Int) -> Int { number &+ 1 }"),
      ]
    ),
    (
      "High",
      [
        ("Use", "import Low\npublic func use(_ kind: Int) -> [UInt8] { pick(kind) }"),
        ("Other", "public func before(_ number: Int) -> Int { number &- 1 }"),
      ]
    ),
  ]

  /// Compiles the modules as SwiftPM does for a drone, with the toolset's options, and returns the objects.
  private func objects(in folder: FilePath, _ change: ([String]) -> [String] = { $0 }) async throws -> [FilePath] {
    let parts = Sysroot(
      target: .i586, includes: "/nowhere/include", library: "/nowhere/lib", opensslIncludes: "/nowhere/ssl/include",
      opensslLibrary: "/nowhere/ssl/lib")
    let toolset = Toolset(target: .i586, sysroot: parts, checkout: folder, scratch: folder)
    let compiler = try Toolchain.found().swift.removingLastComponent().appending("swiftc")
    var objects: [FilePath] = []
    for module in Self.modules {
      let build = folder.appending("\(module.name).build")
      try makeFolder(build)
      var map: [String: [String: String]] = [:]
      var sources: [String] = []
      for file in module.files {
        let source = folder.appending("\(file.name).swift")
        let object = build.appending("\(file.name).swift.o")
        try await write(file.text.utf8, to: source)
        map[source.string] = ["object": object.string]
        sources.append(source.string)
        objects.append(object)
      }
      let mapFile = build.appending("output-file-map.json")
      try await write(try JSONEncoder().encode(map), to: mapFile)
      _ = try await Command(
        compiler.string,
        [
          "-module-name", module.name,
          "-target", DroneTarget.i586.swiftTriple,
          "-parse-as-library",
          "-enable-experimental-feature", "Embedded",
          "-emit-module", "-emit-module-path", folder.appending("\(module.name).swiftmodule").string,
          "-I", folder.string,
          "-c", "-O", "-output-file-map", mapFile.string,
        ] + sources + change(toolset.swiftOptions)
      ).output()
    }
    return objects
  }

  @Test("modules that are compiled as a drone's are hold no constant that the linker could confuse")
  func sound() async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      try await checkConstants(of: "tyd", in: try await objects(in: folder), with: .found())
    }
  }

  @Test("without one object a module, the check names the modules and the symbols that the linker would confuse")
  func confused() async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let objects = try await objects(in: folder) { options in
        // The option and the `-Xfrontend` before it.
        let place = options.firstIndex(of: Toolset.oneObject) ?? 0
        return [String](options[..<(place - 1)] + options[(place + 1)...])
      }
      let error = await #expect(throws: BuildError.self) {
        try await checkConstants(of: "tyd", in: objects, with: .found())
      }
      let sentence = "\(try #require(error))"
      #expect(sentence.hasPrefix("tyd is not built: "))
      for symbol in ["Tv_r", "Tv0_r", "Tv1_r"] {
        #expect(sentence.contains("Low and High ($e3Low4pickySays5UInt8VGSiF\(symbol))"))
      }
    }
  }

  @Test(
    "of the linker's symbols, only a static object's that two objects define is a shared constant",
    arguments: [
      ("/b/A.build/x.swift.o: $e1A3fooyyFTv_r V 0 14\n/b/C.build/y.swift.o: $e1A3fooyyFTv_r V 0 14", ["A", "C"]),
      ("/b/A.build/x.swift.o: $e1A3fooyyFTv12_ V 0 14\n/b/C d: e.build/y.o: $e1A3fooyyFTv12_ D 0", ["A", "C d: e"]),
      ("/b/A.build/x.swift.o: $e1A3fooyyFTv_r V 0 14\n/b/C.build/y.swift.o: $e1A3fooyyFTv0_r V 0 14", []),
      ("/b/A.build/x.swift.o: $e1A3fooyyF W 0 14\n/b/C.build/y.swift.o: $e1A3fooyyF W 0 14", []),
      ("/b/A.build/x.swift.o: tv_r D 0 14\n/b/C.build/y.swift.o: tv_r D 0 14", []),
      ("", []), (": ", []), ("\n: _\n", []), ("/x.o: r", []), ("/x.o: _r V", []),
    ])
  func names(_ symbols: String, _ modules: [String]) {
    #expect(sharedConstants(in: symbols).flatMap(\.modules) == modules)
  }
}
