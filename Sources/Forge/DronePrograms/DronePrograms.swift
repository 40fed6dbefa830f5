import BuildCache
import Foundation
import Recipes
import SystemPackage
import Target
import Toolchain
import Workshop

/// A target's own programs, built as Embedded Swift: made anew when their sources change, or what they are built with.
public struct DronePrograms: Recipe {
  private let target: DroneTarget
  private let checkout: FilePath
  private let scratch: FilePath
  private let toolchain: Toolchain
  private let toolset: [UInt8]
  public let inputs: [Input]

  /// - Parameters:
  ///   - checkout: the package's folder.
  ///   - scratch: a folder of its own, in which the compiler keeps what it compiled.
  public init(for target: DroneTarget, sysroot: Sysroot, checkout: FilePath, scratch: FilePath) async throws {
    self.target = target
    self.checkout = checkout
    self.scratch = scratch
    toolchain = try Toolchain.found()
    toolset = try [UInt8](Toolset(target: target, sysroot: sysroot, checkout: checkout, scratch: scratch).json())
    inputs = [
      Input("toolchain", try await toolchain.identity()),
      // The maps of prefixes make the same of every checkout.
      Input(
        "toolset",
        String(
          decoding: try Toolset(target: target, sysroot: sysroot, checkout: ".", scratch: ".").json(), as: UTF8.self)),
      Input("files", try digest(of: checkout).description),
    ]
  }

  private var kept: FilePath { scratch.appending("swift-\(target.name)") }

  public var name: String { "programs" }
  public var title: String { "Programs for \(target.name)" }

  /// The programs that a finished part holds.
  public func programs(in part: Part) -> [DroneProgram] {
    target.programs.map { DroneProgram($0, in: part.folder) }
  }

  public func build(in room: Room) async throws {
    // What the compiler keeps is each target's own, so that they are built beside each other. A new checkout has nothing yet.
    try makeFolder(scratch)
    try await withLock(on: scratch.appending("\(target.name).lock")) {
      let file = scratch.appending("toolset-\(target.name).json")
      try await write(toolset, to: file)
      for place in target.programs { try await build(DroneProgram(place, in: room.result), toolset: file, room.log) }
    }
  }

  private func build(_ program: DroneProgram, toolset: FilePath, _ log: FilePath) async throws {
    let product = program.place.product
    try await tool(
      toolchain.swift.string,
      [
        "build",
        "--traits", "Drone",
        "--triple", target.swiftTriple,
        "--toolset", toolset.string,
        "--product", product,
        "--configuration", "release",
        "--scratch-path", kept.string,
        // Its name is the same for every triple: SwiftPM would mistake another one's plan for this one's.
        "--disable-build-manifest-caching",
      ],
      in: checkout
    ).run(log: log)
    let products = kept.appending(target.swiftTriple).appending("release")
    try await checkConstants(of: product, in: objects(of: products.appending("\(product).product")), with: toolchain)
    try fileOperation(program.unstripped, "Make room for it") {
      try FileManager.default.copyItem(atPath: products.appending(product).string, toPath: program.unstripped.string)
    }
    try await tool(
      toolchain.objectCopier.string, ["--strip-all", program.unstripped.string, program.stripped.string]
    ).run(log: log)
  }
}

extension DroneProgram {
  /// Where a part of the cache holds it.
  fileprivate init(_ place: ProgramPlace, in folder: FilePath) {
    self.init(
      place, stripped: folder.appending(place.product), unstripped: folder.appending("\(place.product).unstripped"))
  }
}

/// What SwiftPM told the linker to link, one file a line.
private func objects(of product: FilePath) throws -> [FilePath] {
  let list = product.appending("Objects.LinkFileList")
  return String(decoding: try contents(of: list), as: UTF8.self).split(separator: "\n").map { line in
    // SwiftPM quotes a path with other than plain characters for a shell.
    guard line.hasPrefix("'"), line.hasSuffix("'") else { return FilePath(String(line)) }
    return FilePath(line.dropFirst().dropLast().replacingOccurrences(of: #"'\''"#, with: "'"))
  }
}

/// A digest over every file that the drone's side is built from. Of packages it uses none.
private func digest(of checkout: FilePath) throws -> SHA256 {
  var hasher = SHA256.Hasher()
  for root in ["Package.swift", "Sources/Shared", "Sources/Drone", "Sources/C"] {
    let base = checkout.appending(root)
    guard exists(base) else { continue }
    let files = isFolder(base) ? try FileManager.default.subpathsOfDirectory(atPath: base.string).sorted() : [""]
    for file in files {
      let path = file.isEmpty ? base : base.appending(file)
      guard isFile(path) else { continue }
      hasher.add("\(root)/\(file)")
      hasher.add(try contents(of: path))
    }
  }
  return hasher.finish()
}
