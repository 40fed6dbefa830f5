import Foundation
import SystemPackage
import Workshop

/// One finished part of a sysroot: a folder in the cache that never changes.
struct Part: Sendable {
  let folder: FilePath
  /// Over everything the part was made from, so that what is made from the part can take it for the part itself.
  let hash: SHA256
}

/// The folder that holds one target's finished parts as `name-hash`, with the log of each build beside them.
struct PartCache: Sendable {
  let folder: FilePath

  /// Where a part is or would be.
  func location(_ name: String, _ hash: SHA256) -> FilePath {
    folder.appending("\(name)-\(hash.description.prefix(16))")
  }

  /// Gives the part, building it when it is not there.
  ///
  /// `build` fills an empty folder; it may keep intermediate files in a second one, which is thrown away. The part
  /// appears by a rename after `build` returned; builds of one part by several programs wait for each other.
  func part(
    _ name: String, _ title: String, _ hash: SHA256, _ progress: Progress,
    build: @escaping @Sendable (_ part: FilePath, _ work: FilePath, _ log: FilePath) async throws -> Void
  ) async throws -> Part {
    let place = location(name, hash)
    let part = Part(folder: place, hash: hash)
    if exists(place) {
      await progress.skip(title, "cached")
      return part
    }
    try makeFolder(folder)
    let log = folder.appending("\(name)-\(hash.description.prefix(16)).log")
    try await progress.step(title, log: log) {
      try await locked(folder.appending("\(name).lock")) {
        guard !exists(place) else { return }
        removeUnfinished(name)
        try await write([], to: log)
        try await replacing(
          place, mode: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]
        ) { unfinished in
          let work = unfinished.appending("work")
          try makeFolder(work)
          try await build(unfinished, work, log)
          try removeTree(work)
        }
      }
    }
    return part
  }

  /// What a build left that was killed; the caller holds the part's lock, so nobody is writing there.
  private func removeUnfinished(_ name: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []
    for entry in names where entry.hasPrefix(".\(name)-") && entry.hasSuffix(".part") {
      try? FileManager.default.removeItem(atPath: folder.appending(entry).string)
    }
  }
}

/// A digest over named inputs; order and names count, so that no two lists of inputs are taken for each other.
func recipeHash(_ inputs: [(name: String, value: String)]) -> SHA256 {
  var hasher = SHA256.Hasher()
  for input in inputs {
    hasher.add(input.name)
    hasher.add(input.value)
  }
  return hasher.finish()
}

/// Runs `body` while holding an exclusive lock on `file`, which the kernel releases however the program ends.
public func locked<Result>(_ file: FilePath, _ body: () async throws -> Result) async throws -> Result {
  let lock = try fileOperation(file, "Choose a cache folder that can be written") {
    try FileDescriptor.open(
      file, .readWrite, options: [.create, .closeOnExec], permissions: [.ownerReadWrite, .groupRead, .otherRead])
  }
  defer { try? lock.close() }
  while flock(lock.rawValue, LOCK_EX | LOCK_NB) != 0 {
    guard errno == EWOULDBLOCK || errno == EINTR else {
      throw BuildError.file(
        path: file.string, reason: String(cString: strerror(errno)), remedy: "Choose a cache folder that can be locked."
      )
    }
    try await Task.sleep(for: .milliseconds(300))
  }
  return try await body()
}

func exists(_ path: FilePath) -> Bool { FileManager.default.fileExists(atPath: path.string) }

func removeTree(_ path: FilePath) throws {
  try fileOperation(path, "Remove it by hand") { try FileManager.default.removeItem(atPath: path.string) }
}

/// Moves a file or folder within the same file system.
func move(_ from: FilePath, to destination: FilePath) throws {
  try fileOperation(destination, "Make room for it or choose another folder") {
    try FileManager.default.moveItem(atPath: from.string, toPath: destination.string)
  }
}

/// Ours, not Foundation's class of the same name.
typealias Progress = Workshop.Progress
