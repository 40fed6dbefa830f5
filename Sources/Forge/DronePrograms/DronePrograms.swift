import Foundation
import Recipes
import SystemPackage
import Target
import Toolchain
import Workshop

/// A program built as Embedded Swift.
public struct DroneProgram: Sendable {
  /// The product's name in Package.swift.
  public let name: String
  /// Where it belongs in a drone's root, and the names there that are links to it.
  public let path: String
  public let links: [String]
  /// As it goes into an image or a package.
  public let stripped: FilePath
  /// The same program with symbols, for the disassembler.
  public let unstripped: FilePath
}

/// How many steps `buildPrograms` shows.
public let programSteps = 1

/// Builds the target's programs, or does nothing when neither their sources nor what they are built against changed.
///
/// - Parameters:
///   - checkout: the package's folder.
///   - scratch: a folder that is kept between builds. The finished programs are in it, in a folder for each target.
///   - progress: shows `programSteps` steps.
/// - Throws: `BuildError`, each a sentence.
public func buildPrograms(
  for target: DroneTarget, sysroot: Sysroot, checkout: FilePath, scratch: FilePath, progress: Workshop.Progress
) async throws -> [DroneProgram] {
  let toolchain = try Toolchain.found()
  let folder = scratch.appending(target.name)
  let programs = target.programs.map { place in
    DroneProgram(
      name: place.product, path: place.path, links: place.links, stripped: folder.appending(place.product),
      unstripped: folder.appending("\(place.product).unstripped"))
  }
  let toolset = Toolset(target: target, sysroot: sysroot, checkout: checkout, scratch: scratch)
  let record = folder.appending("built-from")
  let inputs = try await fingerprint(of: checkout, toolset: toolset, toolchain: toolchain)
  let known = FileManager.default.contents(atPath: record.string).map { String(decoding: $0, as: UTF8.self) }
  if known == inputs.description, programs.allSatisfy({ exists($0.stripped) && exists($0.unstripped) }) {
    await progress.skip("Programs for \(target.name)", "unchanged")
    return programs
  }

  try makeFolder(folder)
  let log = folder.appending("programs.log")
  try await progress.step("Programs for \(target.name)", log: log) {
    try await write([], to: log)
    try await withLock(on: scratch.appending("programs.lock")) {
      let file = folder.appending("toolset.json")
      try await write(try toolset.json(), to: file)
      for program in programs {
        try await build(
          program, for: target, with: toolchain, toolset: file, checkout: checkout, scratch: scratch.appending("swift"),
          log: log)
      }
      try await write(inputs.description.utf8, to: record)
    }
  }
  return programs
}

private func build(
  _ program: DroneProgram, for target: DroneTarget, with toolchain: Toolchain, toolset: FilePath, checkout: FilePath,
  scratch: FilePath, log: FilePath
) async throws {
  try await Command(
    toolchain.swift.string,
    [
      "build",
      "--traits", "Drone",
      "--triple", target.swiftTriple,
      "--toolset", toolset.string,
      "--product", program.name,
      "--configuration", "release",
      "--scratch-path", scratch.string,
      // Its name is the same for every triple: SwiftPM would mistake the master's plan for the drone's.
      "--disable-build-manifest-caching",
    ],
    environment: ["LC_ALL": "C"], workingDirectory: checkout.string
  ).run(log: log)
  let products = scratch.appending(target.swiftTriple).appending("release")
  try await checkConstants(
    of: program.name, in: objects(of: products.appending("\(program.name).product")), with: toolchain)
  let linked = products.appending(program.name)
  try await replacing(program.unstripped, mode: programMode) { temporary in
    try fileOperation(temporary, "Make room for it") {
      try FileManager.default.copyItem(atPath: linked.string, toPath: temporary.string)
    }
  }
  try await replacing(program.stripped, mode: programMode) { temporary in
    try await Command(
      toolchain.objectCopier.string, ["--strip-all", program.unstripped.string, temporary.string]
    ).run(log: log)
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

private let programMode: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]

/// A digest over every file that the drone's side is built from, and everything it is built with.
private func fingerprint(of checkout: FilePath, toolset: Toolset, toolchain: Toolchain) async throws -> SHA256 {
  var hasher = SHA256.Hasher()
  hasher.add(try await toolchain.identity())
  hasher.add([UInt8](try toolset.json()))
  let roots = ["Package.swift", "Package.resolved", "Sources/Shared", "Sources/Drone", "Sources/C"]
  for root in roots {
    let base = checkout.appending(root)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: base.string, isDirectory: &isFolder) else { continue }
    let files = isFolder.boolValue ? try FileManager.default.subpathsOfDirectory(atPath: base.string).sorted() : [""]
    for file in files {
      let path = file.isEmpty ? base : base.appending(file)
      var inner: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path.string, isDirectory: &inner), !inner.boolValue else { continue }
      hasher.add("\(root)/\(file)")
      hasher.add(try contents(of: path))
    }
  }
  return hasher.finish()
}
