import Foundation
import SystemPackage
import Workshop

/// The project's folder on the builder's machine: sources, `rootfs`, `isolinux` and `sysroot`.
struct Checkout {
  let folder: FilePath

  /// Finds the checkout: the named folder, else the one above this program, else the one above the current folder.
  ///
  /// Throws a sentence when there is none.
  init(named: String?) throws {
    if let named {
      guard let folder = Self.above(FilePath(named), levels: 0) else {
        throw BuildError.input("\(named) is not a checkout of droneforge: it has no folders rootfs and isolinux.")
      }
      self.folder = folder
      return
    }
    let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")).map { FilePath($0) }
    let current = FilePath(FileManager.default.currentDirectoryPath)
    for start in [program?.removingLastComponent(), current] {
      if let start, let folder = Self.above(start, levels: 8) {
        self.folder = folder
        return
      }
    }
    throw BuildError.input(
      "There is no checkout of droneforge in this folder or above it, nor above this program. Name one with --checkout FOLDER."
    )
  }

  private static func above(_ start: FilePath, levels: Int) -> FilePath? {
    var folder = start.isAbsolute ? start : FilePath(FileManager.default.currentDirectoryPath).pushing(start)
    folder = folder.lexicallyNormalized()
    for _ in 0...levels {
      let holds = ["Package.swift", "rootfs", "isolinux", "sysroot"].allSatisfy {
        FileManager.default.fileExists(atPath: folder.appending($0).string)
      }
      if holds { return folder }
      guard folder.removeLastComponent() else { return nil }
    }
    return nil
  }
}
