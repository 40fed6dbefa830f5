import Foundation
import SystemPackage
import Workshop

/// What a recipe made: a folder that never changes.
public struct Part: Sendable {
  public let folder: FilePath
  /// The recipe's, so that what is made from the part can take it for the part itself.
  public let hash: SHA256
}

/// A folder of finished parts, each under its name and the hash of all that it is made from, with the log of its build
/// beside it.
public struct BuildCache: Sendable {
  public let folder: FilePath
  private let older: Int?

  /// `keepingOlder`: how many parts of a name stay beside one that is made from other inputs; nil for all.
  public init(folder: FilePath, keepingOlder older: Int? = nil) {
    self.folder = folder
    self.older = older
  }

  /// Where a recipe's part is or would be.
  public func location(of recipe: some Recipe) -> FilePath { folder.appending(fileName(recipe)) }

  /// Gives the recipe's part, building it when it is not there; shows one step.
  ///
  /// The part appears by a rename after its build returned. When that throws or is killed, nothing lies under its name.
  /// Builds of one part by several programs wait for each other.
  public func part(_ recipe: some Recipe, _ progress: Workshop.Progress) async throws -> Part {
    if exists(location(of: recipe)) {
      await progress.skip(recipe.title, "cached")
      return try await part(recipe)
    }
    return try await progress.step(recipe.title, log: log(of: recipe)) { try await part(recipe) }
  }

  /// Gives the parts of recipes, each with its cache, in their order; those that are missing are built beside each other. Shows one step.
  public static func parts<OneKind: Recipe>(
    _ recipes: [(recipe: OneKind, cache: BuildCache)], title: String, _ progress: Workshop.Progress
  ) async throws -> [Part] {
    @Sendable func build() async throws -> [Part] {
      try await withThrowingTaskGroup(of: (Int, Part).self) { group in
        for (place, one) in recipes.enumerated() { group.addTask { (place, try await one.cache.part(one.recipe)) } }
        return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
      }
    }
    let missing = recipes.filter { !exists($0.cache.location(of: $0.recipe)) }
    guard let first = missing.first else {
      await progress.skip(title, "cached")
      return try await build()
    }
    return try await progress.step(title, log: first.cache.log(of: first.recipe), build)
  }

  /// The same without a word: for what is a part of a step.
  public func part(_ recipe: some Recipe) async throws -> Part {
    let place = location(of: recipe)
    let part = Part(folder: place, hash: recipe.hash)
    if exists(place) { return part }
    try makeFolder(folder)
    try await withLock(on: folder.appending("\(recipe.name).lock")) {
      guard !exists(place) else { return }
      removeUnfinished(recipe.name)
      let log = log(of: recipe)
      try await write([], to: log)
      try await replacing(
        place, mode: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]
      ) { unfinished in
        let work = unfinished.appending("work")
        try makeFolder(work)
        _ = try await recipe.build(in: Room(result: unfinished, work: work, log: log))
        try removeTree(work)
      }
      if let older { removeOlder(than: recipe, but: older) }
    }
    return part
  }

  /// Builds a recipe's part although it is there, which stays when that fails; shows one step. For what depends on more than
  /// its inputs: what an archive has now.
  public func renewedPart(_ recipe: some Recipe, _ progress: Workshop.Progress) async throws -> Part {
    try makeFolder(folder)
    return try await progress.step(recipe.title, log: log(of: recipe)) {
      try await withLock(on: folder.appending("\(recipe.name).lock")) {
        try await withTemporaryFolder(in: folder) { temporary in
          let (result, work) = (temporary.appending("result"), temporary.appending("work"))
          try makeFolder(result)
          try makeFolder(work)
          try await write([], to: log(of: recipe))
          _ = try await recipe.build(in: Room(result: result, work: work, log: log(of: recipe)))
          try takePlace(of: location(of: recipe), result)
        }
      }
      return Part(folder: location(of: recipe), hash: recipe.hash)
    }
  }

  private func log(of recipe: some Recipe) -> FilePath {
    folder.appending("\(older == nil ? fileName(recipe) : recipe.name).log")
  }

  private func fileName(_ recipe: some Recipe) -> String { "\(recipe.name)-\(recipe.hash.description.prefix(16))" }

  /// Removes parts of the same name, but so many that were made last.
  private func removeOlder(than recipe: some Recipe, but older: Int) {
    let (kept, length) = (fileName(recipe), fileName(recipe).utf8.count)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []
    let others = names.filter { name in
      name.hasPrefix("\(recipe.name)-") && name.utf8.count == length && name != kept
    }
    func age(_ name: String) -> Date {
      let attributes = try? FileManager.default.attributesOfItem(atPath: folder.appending(name).string)
      return attributes?[.modificationDate] as? Date ?? .distantPast
    }
    for name in others.sorted(by: { age($0) > age($1) }).dropFirst(older) {
      try? FileManager.default.removeItem(atPath: folder.appending(name).string)
    }
  }

  /// What a build left that was killed; the caller holds the part's lock, so nobody is writing there.
  private func removeUnfinished(_ name: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []
    for entry in names where entry.hasPrefix(".\(name)-") && entry.hasSuffix(".part") {
      try? FileManager.default.removeItem(atPath: folder.appending(entry).string)
    }
  }
}

/// `${XDG_CACHE_HOME:-~/.cache}/droneforge`, shared by all checkouts.
public func defaultCache(
  environment: [String: String] = ProcessInfo.processInfo.environment, home: String = NSHomeDirectory()
) -> FilePath {
  // The XDG Base Directory Specification: a relative path is to be ignored.
  if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return FilePath(cache).appending("droneforge") }
  let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? home
  return FilePath(home).appending(".cache").appending("droneforge")
}
