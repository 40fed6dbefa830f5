import DroneLayout
import Foundation
import SystemPackage
import Workshop

/// The kernel's modules that an image carries, in an archive of their own behind the root's: a changed program compresses
/// nothing of them, and they go once no more are loaded. certaintyd knows them by their table, which is a part of the root.
public struct CarriedModules: Sendable {
  /// The table's text.
  public var table: FilePath
  /// A folder of `NAME.ko` and nothing else.
  public var files: FilePath
  public var origin: Origin

  public init(table: FilePath, files: FilePath, from origin: Origin) {
    (self.table, self.files, self.origin) = (table, files, origin)
  }

  /// Where they lie in the drone's root.
  public static let folder = "\(DronePath.modules)"
  /// Where the table lies.
  public static let tablePath = "\(DronePath.moduleTable)"

  /// What of them is a part of the root: certaintyd knows the folder, and not what is in it.
  var rootEntries: [Entry] {
    [
      .directory(Self.folder, why: "the kernel's modules, until no more are loaded"),
      .file(Self.tablePath, .file(table), why: "which modules devices ask for", origin: origin),
    ]
  }

  /// The files alone; their folder is there when they are unpacked.
  func resolved() throws -> ResolvedManifest {
    let all = try manifest.resolved(room: 0)
    return ResolvedManifest(entries: all.entries.filter { $0.content != nil })
  }

  var manifest: Manifest {
    get throws {
      let names = try fileOperation(files, "Remove the folder and build again") {
        try FileManager.default.contentsOfDirectory(atPath: files.string)
      }
      return try Manifest(
        names.map {
          .file("\(Self.folder)/\($0)", .file(files.appending($0)), why: "a module of the kernel", origin: origin)
        })
    }
  }
}

extension BillOfMaterials {
  /// The kernel's modules that an image carries.
  public struct Modules: Codable, Sendable, Equatable {
    /// What is in their archive.
    public var files: [Item]

    public init(files: [Item]) { self.files = files }

    /// Their names.
    public var names: Set<String> {
      Set(
        files.filter { $0.kind == .file }.compactMap { $0.path.split(separator: "/").last?.dropLast(3) }.map(
          String.init))
    }
  }
}
