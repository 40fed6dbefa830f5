import Foundation
import SystemPackage
import Target
import Workshop

/// The kernel's headers for programs (`make headers_install`): of the few folders that these need, not of the whole
/// source, so that a changed kernel configuration rebuilds the kernel alone.
struct KernelHeaders: Sendable {
  let target: DroneTarget
  let sources: Sources

  func prepared(in parts: PartCache, _ progress: Progress) async throws -> Part {
    let package = Sources.kernelPackage
    let hash = recipeHash([
      ("recipe", "1"), ("source", sources.identity(package)), ("architecture", target.kernelArchitecture),
    ])
    return try await parts.part("headers", "Kernel headers", hash, progress) { part, work, log in
      let source = try await unpackKernel(
        sources, to: work, only: ["Makefile", "Kbuild", "scripts", "include", "arch/x86", "tools/include"], log: log)
      try await tool(
        "make", ["ARCH=\(target.kernelArchitecture)", "INSTALL_HDR_PATH=\(part)", "headers_install"], in: source.folder
      ).run(log: log)
    }
  }
}

/// The kernel, all drivers built in.
struct Kernel: Sendable {
  let target: DroneTarget
  let sources: Sources
  /// The checkout's `sysroot`.
  let recipes: FilePath

  func prepared(in parts: PartCache, _ progress: Progress) async throws -> Part {
    let package = Sources.kernelPackage
    let fragment = try ConfigurationFragment(contentsOf: recipes.appending("kernel-\(target.name).config"))
    let compiler = try await firstLine(of: tool("gcc", ["--version"]))
    let linker = try await firstLine(of: tool("ld", ["--version"]))
    let settings = fragment.settings.map { "\($0.name)=\($0.value)\n" }.joined()
    let hash = recipeHash([
      ("recipe", "2"), ("source", sources.identity(package)), ("architecture", target.kernelArchitecture),
      ("configuration", settings), ("compiler", compiler), ("linker", linker),
    ])
    return try await parts.part("kernel", "Kernel \(sources.version(package))", hash, progress) { part, work, log in
      let source = try await unpackKernel(sources, to: work, except: unused, log: log)
      let all = work.appending("all.config")
      try await write(settings.utf8, to: all)
      // What the kernel says of its build, the same on every machine: Debian's date for the source.
      let environment = [
        "KBUILD_BUILD_TIMESTAMP": source.date,
        "KBUILD_BUILD_USER": "droneforge",
        "KBUILD_BUILD_HOST": "drone",
        "KBUILD_BUILD_VERSION": "1",
        "KCONFIG_ALLCONFIG": all.string,
      ]
      let architecture = "ARCH=\(target.kernelArchitecture)"
      try await tool("make", [architecture, "allnoconfig"], in: source.folder, environment: environment).run(log: log)
      try fragment.check(source.folder.appending(".config"))
      try await tool("make", [parallelJobs, architecture, "bzImage"], in: source.folder, environment: environment)
        .run(log: log)
      try move(source.folder.appending("arch/x86/boot/bzImage"), to: part.appending("bzImage"))
      try move(source.folder.appending(".config"), to: part.appending("config"))
    }
  }
}

/// What the kernel's source holds and a drone's kernel never compiles, half of all files: other processors, manuals, tests
/// and whole kinds of hardware; their kconfig files stay, since others include them. Patterns of `tar --wildcards`, below the top folder.
private let unused = [
  "Documentation/*/*",
  "arch/[!x]*/*.[chS]",
  "arch/[!x]*/*.dts",
  "arch/[!x]*/*.dtsi",
  "tools/testing/*",
  "tools/perf/*",
  "drivers/gpu/*.[ch]",
  "drivers/infiniband/*.[ch]",
  "drivers/media/*.[ch]",
  "drivers/staging/*.[ch]",
  "sound/*.[ch]",
]

/// The kernel's source below `work`, and the date of Debian's archive as text in UTC.
///
/// - Parameters:
///   - only: the folders and files that are needed; empty for all.
///   - except: patterns of what is not.
private func unpackKernel(
  _ sources: Sources, to work: FilePath, only: [String] = [], except: [String] = [], log: FilePath
) async throws -> (folder: FilePath, date: String) {
  let package = Sources.kernelPackage
  let outer = work.appending("package")
  try await tool("dpkg-deb", ["--extract", try sources.file(package, ".deb").string, outer.string]).run(log: log)
  let archive = outer.appending("usr/src/\(package).tar.xz")
  let date = try fileOperation(archive, "Remove the cached sources and build again") {
    try FileManager.default.attributesOfItem(atPath: archive.string)[.modificationDate] as? Date
  }
  let folder = work.appending("source")
  try makeFolder(folder)
  try await tool(
    "tar",
    ["--extract", "--file", archive.string, "--directory", folder.string, "--strip-components=1"]
      + ["--anchored", "--wildcards"] + except.map { "--exclude=\(package)/\($0)" }
      + only.map { "\(package)/\($0)" },
    environment: ["XZ_DEFAULTS": "--threads=0"]
  ).run(log: log)
  try removeTree(outer)
  return (folder, (date ?? Date(timeIntervalSince1970: 0)).formatted(.iso8601))
}
