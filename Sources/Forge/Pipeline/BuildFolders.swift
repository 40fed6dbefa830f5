import BuildCache
import SystemPackage

/// Where a build finds what it reads and keeps what it made.
public struct BuildFolders: Sendable {
  /// The project's folder.
  public var checkout: FilePath
  /// Configurations and options of what others wrote: the checkout's `sysroot`.
  public var recipes: FilePath
  /// The drone's own programs, and what their compiler keeps.
  public var scratch: FilePath
  /// What others wrote, compiled; shared by all checkouts.
  public var cache: FilePath

  /// The checkout's own folders and this user's cache.
  public init(checkout: FilePath) {
    self.checkout = checkout
    recipes = checkout.appending("sysroot")
    scratch = checkout.appending(".build-drone")
    cache = defaultCache()
  }
}
