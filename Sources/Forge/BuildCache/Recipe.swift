import SystemPackage
import Workshop

/// Something that can be built: a value that says what it is made from, and how.
public protocol Recipe: Sendable {
  /// What `build` has to tell about its work, besides the files.
  associatedtype Report: Sendable = Void

  /// Of files in the cache: `musl`.
  var name: String { get }
  /// For people: `musl 1.2.3-4`.
  var title: String { get }
  /// All that the result depends on: equal inputs give equal bytes.
  var inputs: [Input] { get }
  /// Fills `room.result`. Throws `BuildError`.
  func build(in room: Room) async throws -> Report
}

extension Recipe {
  /// A digest over the inputs; order and names count, so that no two lists are taken for each other.
  public var hash: SHA256 {
    var hasher = SHA256.Hasher()
    for input in inputs {
      hasher.add(input.name)
      hasher.add(input.value)
    }
    return hasher.finish()
  }
}

/// One of the things that a result depends on.
public struct Input: Sendable, Equatable {
  /// `compiler`
  public let name: String
  /// The thing itself, or a digest of it.
  public let value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// Where a recipe is carried out.
public struct Room: Sendable {
  /// An empty folder, which becomes the result when the build succeeds.
  public let result: FilePath
  /// An empty folder for what is thrown away.
  public let work: FilePath
  /// Where the programs that it runs write.
  public let log: FilePath
}
