import BuildCache
import DebianArchive
import Foundation
import SystemPackage
import Target
import Toolchain
import Workshop

/// The kernel's headers for programs (`make headers_install`): of the few folders that these need, not of the whole
/// source, so that a changed kernel configuration rebuilds the kernel alone.
public struct KernelHeaders: Recipe {
  let target: DroneTarget
  let source: Source

  public init(target: DroneTarget, source: Source) {
    self.target = target
    self.source = source
  }

  public var name: String { "headers" }
  public var title: String { "Kernel headers" }
  public var inputs: [Input] {
    [.init("recipe", "1"), .init("source", source.identity), .init("architecture", target.kernelArchitecture)]
  }

  public func build(in room: Room) async throws {
    let tree = try await unpackKernel(
      source, to: room.work, only: ["Makefile", "Kbuild", "scripts", "include", "arch/x86", "tools/include"],
      log: room.log)
    try await tool(
      "make", ["ARCH=\(target.kernelArchitecture)", "INSTALL_HDR_PATH=\(room.result)", "headers_install"],
      in: tree.folder
    ).run(log: room.log)
  }
}

/// The kernel, all drivers built in.
public struct Kernel: Recipe {
  let target: DroneTarget
  let form: KernelForm
  let source: Source
  let fragment: ConfigurationFragment
  /// The first lines with which the builder's own compiler and linker say what they are.
  let compiler: String
  let linker: String

  /// `recipes`: the checkout's `sysroot`.
  /// Throws `BuildError` for a target without images.
  public init(target: DroneTarget, source: Source, recipes: FilePath) async throws {
    guard let form = target.image?.kernel else {
      throw BuildError.input("There are no images for \(target.name), and so it has no kernel.")
    }
    self.target = target
    self.form = form
    self.source = source
    fragment = try ConfigurationFragment(
      joining: ["kernel.config", "kernel-\(target.name).config"].map {
        try ConfigurationFragment(contentsOf: recipes.appending($0))
      })
    compiler = try await firstLine(of: tool("gcc", ["--version"]))
    linker = try await firstLine(of: tool("ld", ["--version"]))
  }

  /// What the drivers say of themselves (Documentation/kbuild/kbuild.rst), in a finished part.
  static let information = "modules.builtin.modinfo"

  private var settings: String { fragment.settings.map { "\($0.name)=\($0.value)\n" }.joined() }

  public var name: String { "kernel" }
  public var title: String { "Kernel \(source.version)" }
  public var inputs: [Input] {
    [
      .init("recipe", "3"), .init("source", source.identity), .init("architecture", target.kernelArchitecture),
      .init("configuration", settings), .init("compiler", compiler), .init("linker", linker),
    ]
  }

  public func build(in room: Room) async throws {
    let tree = try await unpackKernel(source, to: room.work, except: unused, log: room.log)
    let all = room.work.appending("all.config")
    try await write(settings.utf8, to: all)
    // What the kernel says of its build, the same on every machine: Debian's date for the tree.
    let environment = [
      "KBUILD_BUILD_TIMESTAMP": tree.date,
      "KBUILD_BUILD_USER": "droneforge",
      "KBUILD_BUILD_HOST": "drone",
      "KBUILD_BUILD_VERSION": "1",
      "KCONFIG_ALLCONFIG": all.string,
    ]
    let architecture = "ARCH=\(target.kernelArchitecture)"
    try await tool("make", [architecture, "allnoconfig"], in: tree.folder, environment: environment).run(log: room.log)
    try fragment.check(tree.folder.appending(".config"))
    try await tool("make", [parallelJobs, architecture, form.makeTarget], in: tree.folder, environment: environment)
      .run(log: room.log)
    try move(FilePath("\(tree.folder)/\(form.path)"), to: room.result.appending("bzImage"))
    try move(tree.folder.appending(".config"), to: room.result.appending("config"))
    try move(tree.folder.appending(Self.information), to: room.result.appending(Self.information))
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
  // FB_EFI takes a table of screens from drivers/gpu/drm itself.
  "drivers/gpu/drm/*/*.[ch]",
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
  _ source: Source, to work: FilePath, only: [String] = [], except: [String] = [], log: FilePath
) async throws -> (folder: FilePath, date: String) {
  let outer = work.appending("package")
  let name = "/usr/src/\(source.name).tar.xz"
  try Payload.extract(try source.file(".deb"), to: outer) { $0 == name }
  let archive = FilePath(outer.string + name)
  let date = try fileOperation(archive, "Remove the cached sources and build again") {
    try FileManager.default.attributesOfItem(atPath: archive.string)[.modificationDate] as? Date
  }
  let folder = work.appending("source")
  try makeFolder(folder)
  try await tool(
    "tar",
    ["--extract", "--file", archive.string, "--directory", folder.string, "--strip-components=1"]
      + ["--anchored", "--wildcards"] + except.map { "--exclude=\(source.name)/\($0)" }
      + only.map { "\(source.name)/\($0)" },
    environment: ["XZ_DEFAULTS": "--threads=0"]
  ).run(log: log)
  try removeTree(outer)
  return (folder, (date ?? Date(timeIntervalSince1970: 0)).formatted(.iso8601))
}
