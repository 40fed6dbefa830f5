import BuildCache
import DebianArchive
import SystemPackage
import Target
import Workshop

/// Boot loaders for UEFI and the boot stub, taken out of their packages or made of what is in them; none is installed.
public struct EFILoaders: Recipe {
  private let parts: [GRUB.Part]
  /// The package's file and its digest, by the package's name.
  private let packages: [String: (file: FilePath, digest: SHA256, version: String)]

  /// Throws a sentence when one of the packages is missing or none.
  ///
  /// - Parameters:
  ///   - parts: those of one medium; the last parts of their places differ.
  ///   - folder: where the packages' files lie.
  public init(_ parts: [GRUB.Part], from folder: FilePath) throws {
    self.parts = parts
    var packages: [String: (FilePath, SHA256, String)] = [:]
    for name in Set(parts.map(\.package)) {
      let file = try NewestPackages.file(of: name, in: folder)
      packages[name] = (file, try SHA256(contentsOf: file), try PackageDescription(file).version)
    }
    self.packages = packages
  }

  public var name: String { "efi-loaders" }
  public var title: String { "Boot loaders for UEFI" }
  public var inputs: [Input] {
    [Input("recipe", "1")] + packages.keys.sorted().map { Input($0, packages[$0]?.digest.description ?? "") }
      + parts.map { Input($0.place, "\($0.package) \($0.file) \($0.modules.joined(separator: " "))") }
  }

  public func build(in room: Room) async throws {
    for part in parts {
      guard let package = packages[part.package]?.file else { continue }
      let unpacked = room.work.appending(part.package)
      if !part.modules.isEmpty {
        try await make(part, from: package, in: unpacked, to: room.result.appending(Self.name(of: part)), room.log)
        continue
      }
      try Payload.extract(package, to: unpacked) { $0 == part.file }
      let file = FilePath(unpacked.string + part.file)
      guard exists(file) else {
        throw BuildError.input(
          "\(package.lastComponent?.string ?? part.package) has no \(part.file), which \(part.why): Debian has changed the package, and this program must follow."
        )
      }
      try move(file, to: room.result.appending(Self.name(of: part)))
    }
  }

  /// Makes an image of GRUB, the same bytes each time. It looks for its configuration where it was loaded from.
  private func make(
    _ part: GRUB.Part, from package: FilePath, in folder: FilePath, to image: FilePath, _ log: FilePath
  ) async throws {
    try Payload.extract(package, to: folder) { $0.hasPrefix("\(part.file)/") }
    let modules = FilePath(folder.string + part.file)
    try await tool(
      "grub-mkimage",
      [
        "--directory", modules.string, "--format", modules.lastComponent?.string ?? "", "--prefix", "/boot/grub",
        "--output", image.string,
      ] + part.modules
    ).run(log: log)
  }

  private static func name(of part: GRUB.Part) -> String { String(part.place.split(separator: "/").last ?? "") }

  /// What a finished part holds.
  public func files(in part: Part) -> [EFILoaderFile] {
    parts.map {
      EFILoaderFile(
        place: $0.place, file: part.folder.appending(Self.name(of: $0)),
        origin: .delivered(package: $0.package, version: packages[$0.package]?.version ?? ""))
    }
  }

  /// What names the packages in an image's bill.
  public var records: [SourceRecord] {
    packages.keys.sorted().compactMap { name in
      packages[name].map {
        SourceRecord(
          name: $0.file.lastComponent?.string ?? name, version: $0.version, sha256: $0.digest.description)
      }
    }
  }
}

/// A boot loader's file, or the boot stub.
public struct EFILoaderFile: Sendable {
  /// Its path on the medium.
  public let place: String
  public let file: FilePath
  public let origin: Origin
}
