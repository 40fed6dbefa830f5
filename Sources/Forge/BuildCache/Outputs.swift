import Foundation
import SystemPackage
import Workshop

extension BuildCache {
  /// Makes files or folders that people take from this folder under names of their own; shows one step. Does nothing when
  /// they lie there as their last build left them, and that was from the same inputs.
  ///
  /// The recipe fills an empty folder beside them, into which only this user can look. What it made there takes the place
  /// of previous outputs when its build returned; when that throws or is interrupted, those stay as they were.
  ///
  /// - Parameter names: what the recipe makes in its result. The folder keeps `.name.inputs` for the first of them.
  /// - Returns: the recipe's report; nil when nothing was to be done.
  public func outputs<R: Recipe>(
    _ names: [String], of recipe: R, _ progress: Workshop.Progress
  ) async throws -> R.Report? {
    let (outputs, first) = (names.map { folder.appending($0) }, names.first ?? recipe.name)
    let mark = folder.appending(".\(first).inputs")
    try makeFolder(folder)
    return try await withLock(
      on: folder, waiting: { notice("Another build is running in \(folder): waiting for it to end.") }
    ) {
      // It may hold a key.
      removeUnfinished(in: folder)
      let inputs = recipe.hash.bytes
      if let before = try? contents(of: mark), let now = try? appearance(of: outputs), before == inputs + now {
        await progress.skip(recipe.title, "up to date")
        return nil
      }
      if !exists(mark), !outputs.allSatisfy({ exists($0) }) { try refuseForeignFolders(outputs) }
      return try await progress.step(recipe.title) {
        try await withTemporaryFolder(in: folder) { temporary in
          try fileOperation(temporary, "Choose another folder") {
            guard chmod(temporary.string, 0o700) == 0 else { throw Errno(rawValue: errno) }
          }
          let (result, work) = (temporary.appending("result"), temporary.appending("work"))
          try makeFolder(result)
          try makeFolder(work)
          let report = try await recipe.build(
            in: Room(result: result, work: work, log: folder.appending(".\(first).log")))
          try Task.checkCancellation()
          // From here on they are this program's, however it ends.
          try await write([], to: mark)
          for output in outputs {
            try takePlace(of: output, result.appending(output.lastComponent?.string ?? ""))
          }
          try await write(inputs + appearance(of: outputs), to: mark)
          return report
        }
      }
    }
  }
}

/// Throws a sentence when a folder with something in it has the name of an output: it would go.
private func refuseForeignFolders(_ outputs: [FilePath]) throws {
  for output in outputs {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: output.string), !names.isEmpty else {
      continue
    }
    throw BuildError.file(
      path: output.string, reason: "this folder was not made by droneforge, and the build would replace it",
      remedy: "Move it away, or name another folder with --output.")
  }
}

/// A digest over files, and folders with all that is in them, by a look from outside: it changes whenever one of them does.
/// Throws `BuildError` when one is missing.
private func appearance(of paths: [FilePath]) throws -> [UInt8] {
  var hasher = SHA256.Hasher()
  for path in paths {
    let inside = FileManager.default.subpaths(atPath: path.string) ?? []
    for name in [""] + inside.sorted() {
      let file = name.isEmpty ? path : path.appending(name)
      var look = stat()
      try fileOperation(file, "Build it again") {
        guard lstat(file.string, &look) == 0 else { throw Errno(rawValue: errno) }
      }
      hasher.add("\(name) \(look.st_dev) \(look.st_ino) \(look.st_mode) \(look.st_size)")
      hasher.add("\(look.st_mtim.tv_sec) \(look.st_mtim.tv_nsec) \(look.st_ctim.tv_sec) \(look.st_ctim.tv_nsec)")
    }
  }
  return hasher.finish().bytes
}
