import BuildSteps
import DroneTarget
import Foundation
import Sysroot
import SystemPackage

/// The drone's own programs, built as Embedded Swift.
public struct DronePrograms: Sendable {
  /// As it goes into the image at `/sbin/init`: it answers to several names.
  public let initStripped: FilePath
  /// The same link with symbols, for whoever disassembles it.
  public let initUnstripped: FilePath
  /// Names in the image that are links to `/sbin/init`.
  public let links: [String]
}

/// How many steps `buildPrograms` shows.
public let programSteps = 1

/// Builds the drone's programs, or does nothing when neither their sources nor what they are built against changed.
///
/// - Parameters:
///   - checkout: the package's folder.
///   - scratch: a folder of its own, kept between builds. The finished programs stand in it.
///   - progress: shows `programSteps` steps.
/// - Throws: `BuildError`, each a sentence.
public func buildPrograms(
  for target: DroneTarget, sysroot: Sysroot, checkout: FilePath, scratch: FilePath, progress: BuildSteps.Progress
) async throws -> DronePrograms {
  let toolchain = try Toolchain.found()
  let programs = DronePrograms(
    initStripped: scratch.appending("init"),
    initUnstripped: scratch.appending("init.unstripped"),
    links: ["/bin/fix_hosts", "/sbin/certaintyd", "/sbin/filter", "/sbin/lease", "/sbin/network"])
  let toolset = Toolset(target: target, sysroot: sysroot, checkout: checkout, scratch: scratch)
  let record = scratch.appending("built-from")
  let inputs = try await fingerprint(of: checkout, toolset: toolset, toolchain: toolchain)
  let known = FileManager.default.contents(atPath: record.string).map { String(decoding: $0, as: UTF8.self) }
  if known == inputs.description, exists(programs.initStripped), exists(programs.initUnstripped) {
    await progress.skip("Drone programs", "unchanged")
    return programs
  }

  try makeFolder(scratch)
  let log = scratch.appending("programs.log")
  try await progress.step("Drone programs", log: log) {
    try await write([], to: log)
    try await locked(scratch.appending("programs.lock")) {
      let file = scratch.appending("toolset.json")
      try await write(try toolset.json(), to: file)
      try await Command(
        toolchain.swift.string,
        [
          "build",
          "--traits", "Drone",
          "--triple", target.swiftTriple,
          "--toolset", file.string,
          "--product", "init",
          "--configuration", "release",
          "--scratch-path", scratch.appending("swift").string,
        ],
        environment: ["LC_ALL": "C"], workingDirectory: checkout.string
      ).run(log: log)
      let linked = scratch.appending("swift").appending(target.swiftTriple).appending("release/init")
      try await replacing(programs.initUnstripped, mode: programMode) { temporary in
        try fileOperation(temporary, "Make room for it") {
          try FileManager.default.copyItem(atPath: linked.string, toPath: temporary.string)
        }
      }
      try await replacing(programs.initStripped, mode: programMode) { temporary in
        try await Command(
          toolchain.objectCopier.string, ["--strip-all", programs.initUnstripped.string, temporary.string]
        ).run(log: log)
      }
      try await write(inputs.description.utf8, to: record)
    }
  }
  return programs
}

private let programMode: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]

/// A digest over every file that the drone's side is built from, and everything it is built with.
private func fingerprint(of checkout: FilePath, toolset: Toolset, toolchain: Toolchain) async throws -> SHA256 {
  var hasher = SHA256.Hasher()
  hasher.add(try await toolchain.identity())
  hasher.add([UInt8](try toolset.json()))
  let roots = ["Package.swift", "Package.resolved", "Sources/Drone", "Sources/C/CLinux", "Sources/C/CompilerRuntime"]
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

private func exists(_ path: FilePath) -> Bool { FileManager.default.fileExists(atPath: path.string) }
