import BuildCache
import Synchronization
import SystemPackage
import Workshop

/// Stages that run one after the other, each made from what earlier ones gave.
///
///     var pipeline = Pipeline()
///     let headers = pipeline.part(in: cache) { KernelHeaders(…) }
///     let musl = pipeline.part(in: cache) { Musl(…, headers: try headers.result) }
///     try await pipeline.run()
///
/// All stages are known before the first one runs, so progress is counted by what the pipeline was given.
public struct Pipeline: Sendable {
  private struct Entry: Sendable {
    var isStep: Bool
    var run: @Sendable (Workshop.Progress) async throws -> Void
  }
  private var stages: [Entry] = []

  public init() {}

  /// How many steps there are.
  public var count: Int { stages.count { $0.isStep } }

  /// Adds a stage; `work` shows one step.
  public mutating func stage<Result: Sendable>(
    _ work: @escaping @Sendable (Workshop.Progress) async throws -> Result
  ) -> Stage<Result> {
    let stage = Stage<Result>()
    stages.append(Entry(isStep: true) { progress in stage.finish(with: try await work(progress)) })
    return stage
  }

  /// Adds a stage that gives a part of the cache; its recipe is made when its turn comes.
  public mutating func part(
    in cache: BuildCache, _ recipe: @escaping @Sendable () async throws -> some Recipe
  ) -> Stage<Part> {
    stage { progress in try await cache.part(recipe(), progress) }
  }

  /// Adds what follows from earlier stages and is no step of its own.
  mutating func derived<Result: Sendable>(_ work: @escaping @Sendable () async throws -> Result) -> Stage<Result> {
    let stage = Stage<Result>()
    stages.append(Entry(isStep: false) { _ in stage.finish(with: try await work()) })
    return stage
  }

  /// Runs all stages in the order in which they were added. Throws what the first failing one throws; those after it do
  /// not run then.
  public func run(quiet: Bool = false) async throws {
    let progress = Workshop.Progress(total: count, quiet: quiet)
    for stage in stages {
      try Task.checkCancellation()
      try await stage.run(progress)
    }
  }
}

/// A stage of a pipeline, by what it gives.
public final class Stage<Result: Sendable>: Sendable {
  private let finished = Mutex<Result?>(nil)

  /// What it gave. Throws when it has not run.
  public var result: Result {
    get throws {
      guard let result = finished.withLock({ $0 }) else {
        throw BuildError.input("A stage of the build was asked for its result before its turn.")
      }
      return result
    }
  }

  fileprivate func finish(with result: Result) { finished.withLock { $0 = result } }
}
