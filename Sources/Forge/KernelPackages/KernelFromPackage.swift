import BuildCache
import DebianArchive
import Foundation
import KernelModules
import SystemPackage
import Target
import Workshop

/// Debian's newest kernel, in the cache as it was delivered: what is chosen of it can be chosen again without the network.
public struct NewestKernel: Recipe {
  public let metapackage: String

  /// - Parameter metapackage: the package whose dependency it is: `linux-image-amd64`.
  public init(_ metapackage: String) { self.metapackage = metapackage }

  public var name: String { "package-\(metapackage)" }
  public var title: String { "Debian's kernel" }
  public var inputs: [Input] { [Input("recipe", "1"), Input("package", metapackage)] }

  public func build(in room: Room) async throws {
    let fetched = room.work.appending("fetched")
    let file = try await fetching(
      [metapackage], log: room.log, otherwise: ", or name a package's file (KERNEL=/path/linux-image-….deb)"
    ) {
      try await downloadNewestKernel(metapackage, to: fetched, work: room.work.appending("apt"), log: room.log)
    }
    try move(file, to: room.result.appending(file.lastComponent?.string ?? "kernel.deb"))
  }

  /// The package's file in a finished part.
  public static func file(in part: Part) throws -> FilePath {
    let names = try FileManager.default.contentsOfDirectory(atPath: part.folder.string)
    guard let name = names.first(where: { $0.hasSuffix(".deb") }) else {
      throw BuildError.input("\(part.folder) holds no package: remove that folder and build again.")
    }
    return part.folder.appending(name)
  }
}

/// A kernel and the chosen ones of its modules, taken out of its package: `bzImage`, `config`, the table and a folder of
/// `NAME.ko`.
public struct KernelFromPackage: Recipe {
  let package: FilePath
  let description: PackageDescription
  let digest: SHA256
  let demands: KernelDemands
  let selection: ModuleSelection

  /// Throws a sentence when the file is no package, or one for other computers.
  public init(_ package: FilePath, for target: DroneTarget, _ selection: ModuleSelection) throws {
    description = try PackageDescription(package)
    let architecture = description.fields["Architecture"] ?? "none"
    guard architecture == target.debianArchitecture else {
      throw BuildError.input(
        "\(package) is for \(architecture), and drones of the target \(target.name) need one for \(target.debianArchitecture)."
      )
    }
    self.package = package
    self.demands = target.kernel
    self.selection = selection
    digest = try SHA256(contentsOf: package)
  }

  public var name: String { "debian-kernel" }
  public var title: String { "Kernel \(description.version) with modules" }
  public var inputs: [Input] {
    [
      Input("recipe", "1"), Input("package", digest.description), Input("modules", selection.identity),
      Input("demands", demands.parts.map { "\($0.option) \($0.module) \($0.mayLack)" }.joined(separator: "\n")),
      Input("needed", (demands.families + demands.needed + demands.screens + demands.refused).joined(separator: " ")),
    ]
  }

  /// What names the package in an image's bill.
  public var record: SourceRecord {
    SourceRecord(
      name: package.lastComponent?.string ?? description.name, version: description.version, sha256: digest.description)
  }

  /// What a finished part holds.
  public func files(in part: Part) -> KernelFiles {
    KernelFiles(
      kernel: part.folder.appending("bzImage"), configuration: part.folder.appending("config"),
      table: part.folder.appending("table"), modules: part.folder.appending("modules"), package: record,
      origin: .delivered(package: description.name, version: description.version))
  }

  public func build(in room: Room) async throws {
    let unpacked = try await UnpackedKernel(package, to: room.work.appending("unpacked"), log: room.log)
    guard let file = unpacked.configuration else {
      throw BuildError.input(
        "\(package) has no /boot/config-\(unpacked.release), and what its kernel can do is not known.")
    }
    let index = try index(of: unpacked)
    let configuration = KernelConfiguration(String(decoding: try contents(of: file), as: UTF8.self))
    let parts = demands.parts.filter { configuration[$0.option] == "m" && index.modules[$0.module] != nil }
      .map(\.module)
    let lacks = configuration.shortcomings(of: demands, modules: Set(parts))
    guard lacks.isEmpty else {
      throw BuildError.input("The kernel of \(package) is none for drones: \(lacks.joined(separator: "; ")).")
    }
    let chosen = try selection.names(in: index)
    let always = parts + undemanded(chosen, in: index).filter { !parts.contains($0) }
    let needed = index.closure(of: always + chosen)
    let folder = room.result.appending("modules")
    try makeFolder(folder)
    try await copy(needed.compactMap { index.modules[$0] }, from: unpacked, to: folder, log: room.log)
    let table = try table(
      index, always: always, rest: Set(needed).subtracting(always).sorted(), unpacked.release, folder)
    try await write(table.text, to: room.result.appending("table"))
    try move(unpacked.kernel, to: room.result.appending("bzImage"))
    try move(file, to: room.result.appending("config"))
  }

  /// Those of the modules that somebody names and no device asks for.
  private func undemanded(_ names: [String], in index: ModuleIndex) -> [String] {
    guard case .named = selection else { return [] }
    return names.filter { index.modules[$0]?.aliases.contains(where: isForDevices) == false }
  }

  private func index(of unpacked: UnpackedKernel) throws -> ModuleIndex {
    func text(_ name: String) throws -> String {
      let file = unpacked.folder.appending("modules.\(name)")
      return exists(file) ? String(decoding: try contents(of: file), as: UTF8.self) : ""
    }
    let (dependencies, aliases, soft, builtIn) = try (text("dep"), text("alias"), text("softdep"), text("builtin"))
    do throws(ModuleIndex.ParseError) {
      return try ModuleIndex(
        dependencies: dependencies, aliases: aliases, softDependencies: soft, builtIn: builtIn)
    } catch {
      throw BuildError.input("The modules of \(package) cannot be told apart: \(error).")
    }
  }

  /// Copies modules, unpacked where they are compressed, as `NAME.ko`.
  private func copy(
    _ modules: [ModuleIndex.Module], from unpacked: UnpackedKernel, to folder: FilePath, log: FilePath
  ) async throws {
    var compressed: [FilePath] = []
    for module in modules {
      let file = FilePath("\(unpacked.folder)/\(module.path)")
      let suffix = file.extension == "ko" ? ".ko" : ".ko.\(file.extension ?? "")"
      guard [".ko", ".ko.xz"].contains(suffix) else {
        throw BuildError.input(
          "\(package) has its module \(module.name) as \(module.path), which is not .ko or .ko.xz.")
      }
      let copy = folder.appending(module.name + suffix)
      try move(file, to: copy)
      if suffix != ".ko" { compressed.append(copy) }
    }
    // So many names as fit on a command line.
    for start in stride(from: 0, to: compressed.count, by: 500) {
      let files = compressed[start..<min(start + 500, compressed.count)].map(\.string)
      try await tool("xz", ["--decompress", "--force", "--threads=1"] + files).run(log: log)
    }
  }

  /// The drone's table of them; reads each file.
  private func table(
    _ index: ModuleIndex, always: [String], rest: [String], _ release: String, _ folder: FilePath
  ) throws -> ModuleTable {
    let modules = try (always + rest).compactMap { index.modules[$0] }.map { module in
      let bytes = try contents(of: folder.appending("\(module.name).ko"))
      let found = moduleRelease(bytes)
      guard found == release else {
        throw BuildError.input(
          "The module \(module.name) of \(package) is for \(found ?? "no kernel"), and the kernel is \(release).")
      }
      return ModuleTable.Module(
        name: [UInt8](module.name.utf8), digest: SHA256(bytes).bytes, needs: module.needs.map { [UInt8]($0.utf8) },
        patterns: module.aliases.filter(isForDevices).map { [UInt8]($0.utf8) }, isForAll: always.contains(module.name))
    }
    do throws(ModuleTable.ParseError) {
      return try ModuleTable(release: [UInt8](release.utf8), modules)
    } catch {
      throw BuildError.input("The modules of \(package) make no table: \(error).")
    }
  }
}

/// What was taken out of a kernel's package.
public struct KernelFiles: Sendable {
  public let kernel: FilePath
  public let configuration: FilePath
  /// The drone's table of modules, as text.
  public let table: FilePath
  /// The folder of `NAME.ko`.
  public let modules: FilePath
  public let package: SourceRecord
  public let origin: Origin
}

/// Whether an alias is a pattern for what devices call themselves. Those of device trees are no PC's; a file of /dev is asked for by
/// who opens it.
private func isForDevices(_ alias: String) -> Bool {
  alias.contains(":") && !alias.hasPrefix("of:") && !alias.hasPrefix("devname:") && alias.utf8.count <= 512
}

/// The release that a module was built for: the first word of its `vermagic` (include/linux/vermagic.h). Nil for what is
/// no module.
func moduleRelease(_ module: [UInt8]) -> String? {
  let mark = [UInt8]("vermagic=".utf8)
  return module.withUnsafeBytes { bytes -> String? in
    guard let base = bytes.baseAddress else { return nil }
    var start = 0
    while bytes.count - start >= mark.count,
      let found = memchr(base + start, Int32(mark[0]), bytes.count - start - mark.count + 1)
    {
      start = base.distance(to: UnsafeRawPointer(found))
      if memcmp(found, mark, mark.count) == 0 {
        let word = bytes[(start + mark.count)...].prefix(256).prefix { $0 != 0 && $0 != 0x20 }
        return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
      }
      start += 1
    }
    return nil
  }
}
