import BuildCache
import SystemPackage
import Target
import Workshop

/// An image and its bill of materials as a cache builds them.
public struct ImageRecipe: Recipe {
  public let medium: Medium
  public let parts: ImageParts
  public let inputs: [Input]
  private let destination: FilePath
  private let archives: (@Sendable (DroneTarget) -> BuildCache)?

  /// Looks at all that the image is made from, from outside: what looks the same as before is not read again.
  ///
  /// - Parameters:
  ///   - destination: the folder in which the image will lie.
  ///   - archives: see `buildImage`.
  public init(
    _ medium: Medium, from parts: ImageParts, goingTo destination: FilePath,
    archives: (@Sendable (DroneTarget) -> BuildCache)? = nil
  ) throws {
    self.medium = medium
    self.parts = parts
    self.destination = destination
    self.archives = archives
    inputs = [Input("parts", try parts.digest(for: medium).description)]
  }

  public var name: String { medium.outputName(for: parts.target) }
  public var title: String { medium == .cd ? "CD image" : "Network boot tree" }
  /// What it makes.
  public var outputs: [String] { [name, medium.billName(for: parts.target)] }

  public func build(in room: Room) async throws -> BuiltImage {
    try await buildImage(medium, from: parts, in: room.result, goingTo: destination, archives: archives)
  }
}
