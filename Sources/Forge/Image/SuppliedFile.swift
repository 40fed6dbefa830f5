import SystemPackage
import Workshop

/// A file that something else than an image's build made, and where that comes from.
public struct SuppliedFile: Sendable {
  public var path: FilePath
  public var origin: Origin

  public init(_ path: FilePath, from origin: Origin) {
    self.path = path
    self.origin = origin
  }
}
