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

/// A kernel and the chosen ones of its modules: `bzImage`, `config`, the table, a folder of `NAME.ko`, and which firmware
/// they may ask for.
public struct KernelWithModules: Recipe {
  let delivery: KernelDelivery
  let demands: KernelDemands
  let selection: ModuleSelection

  public init(_ delivery: KernelDelivery, for target: DroneTarget, _ selection: ModuleSelection) {
    (self.delivery, demands, self.selection) = (delivery, target.kernel, selection)
  }

  public var name: String { "debian-kernel" }
  public var title: String { "Kernel \(delivery.version) with modules" }
  public var inputs: [Input] {
    [
      Input("recipe", "2"), Input("delivery", delivery.identity), Input("modules", selection.identity),
      Input("demands", demands.parts.map { "\($0.option) \($0.module) \($0.mayLack)" }.joined(separator: "\n")),
      Input("needed", (demands.families + demands.needed + demands.screens + demands.refused).joined(separator: " ")),
    ]
  }

  /// What a finished part holds.
  public func files(in part: Part) -> KernelFiles {
    KernelFiles(
      kernel: part.folder.appending("bzImage"), configuration: part.folder.appending("config"),
      table: part.folder.appending("table"), modules: part.folder.appending("modules"),
      firmware: part.folder.appending("firmware"), package: delivery.record, origin: delivery.origin)
  }

  public func build(in room: Room) async throws {
    try delivery.requireKnown(selection)
    let unpacked = try await delivery.unpacked(to: room.work.appending("unpacked"), log: room.log)
    let place = delivery.place
    guard let file = unpacked.configuration else {
      throw BuildError.input(
        "\(place) has no /boot/config-\(unpacked.release), and what its kernel can do is not known.")
    }
    let index = try index(of: unpacked)
    let configuration = KernelConfiguration(String(decoding: try contents(of: file), as: UTF8.self))
    let parts = demands.parts.filter { configuration[$0.option] == "m" && index.modules[$0.module] != nil }
      .map(\.module)
    let lacks = configuration.shortcomings(of: demands, modules: Set(parts))
    guard lacks.isEmpty else {
      throw BuildError.input(sentence(lacks, of: place))
    }
    let chosen = try selection.names(in: index)
    let always = parts + undemanded(chosen, in: index).filter { !parts.contains($0) }
    let needed = index.closure(of: always + chosen)
    let folder = room.result.appending("modules")
    try makeFolder(folder)
    try await copy(needed.compactMap { index.modules[$0] }, from: unpacked, to: folder)
    var firmware = try builtInFirmware(of: unpacked)
    let table = try table(
      index, always: always, rest: Set(needed).subtracting(always).sorted(), unpacked.release, folder, &firmware)
    try await write(table.text, to: room.result.appending("table"))
    try await write(firmware.text.utf8, to: room.result.appending("firmware"))
    try unpacked.take(unpacked.kernel, to: room.result.appending("bzImage"))
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
      throw BuildError.input("The modules of \(delivery.place) cannot be told apart: \(error).")
    }
  }

  private func builtInFirmware(of unpacked: UnpackedKernel) throws -> FirmwareNames {
    let file = unpacked.folder.appending("modules.builtin.modinfo")
    return exists(file) ? FirmwareNames(builtIn: try contents(of: file)) : FirmwareNames()
  }

  /// Copies modules, unpacked where they are compressed, as `NAME.ko`.
  private func copy(
    _ modules: [ModuleIndex.Module], from unpacked: UnpackedKernel, to folder: FilePath
  ) async throws {
    for module in modules {
      let file = FilePath("\(unpacked.folder)/\(module.path)")
      let copy = folder.appending("\(module.name).ko")
      if file.extension == "ko" {
        try unpacked.take(file, to: copy)
      } else if moduleEndings.contains(where: file.string.hasSuffix) {
        try await write(uncompressed(contents(of: file), from: "\(file)"), to: copy)
      } else {
        throw BuildError.input(
          "\(delivery.place) has its module \(module.name) as \(module.path), which is not .ko, .ko.xz or .ko.zst.")
      }
    }
  }

  /// The drone's table of them; reads each file.
  private func table(
    _ index: ModuleIndex, always: [String], rest: [String], _ release: String, _ folder: FilePath,
    _ firmware: inout FirmwareNames
  ) throws -> ModuleTable {
    let place = delivery.place
    let modules = try (always + rest).compactMap { index.modules[$0] }.map { module in
      let bytes = try contents(of: folder.appending("\(module.name).ko"))
      let information = ModuleInformation(module: bytes)
      guard information.release == release else {
        throw BuildError.input(
          "The module \(module.name) of \(place) is for \(information.release ?? "no kernel"), and the kernel is \(release)."
        )
      }
      for file in information.values(of: "firmware") { firmware.add(file, for: module.name) }
      return ModuleTable.Module(
        name: [UInt8](module.name.utf8), digest: SHA256(bytes).bytes, needs: module.needs.map { [UInt8]($0.utf8) },
        patterns: module.aliases.filter(isForDevices).map { [UInt8]($0.utf8) }, isForAll: always.contains(module.name))
    }
    do throws(ModuleTable.ParseError) {
      return try ModuleTable(release: [UInt8](release.utf8), modules)
    } catch {
      throw BuildError.input("The modules of \(place) make no table: \(error).")
    }
  }
}

/// A kernel's files for an image.
public struct KernelFiles: Sendable {
  public let kernel: FilePath
  public let configuration: FilePath
  /// The drone's table of modules, as text.
  public let table: FilePath
  /// The folder of `NAME.ko`.
  public let modules: FilePath
  /// Which firmware they may ask for, as `FirmwareNames.text`.
  public let firmware: FilePath
  /// Nil where it was in none.
  public let package: SourceRecord?
  public let origin: Origin
}

/// Whether an alias is a pattern for what devices call themselves. Those of device trees are no PC's; a file of /dev is asked for by
/// who opens it.
private func isForDevices(_ alias: String) -> Bool {
  alias.contains(":") && !alias.hasPrefix("of:") && !alias.hasPrefix("devname:") && alias.utf8.count <= 512
}
