import BuildCache
import SystemPackage
import Target
import Workshop

/// Where a build finds what it reads and keeps what it made.
public struct BuildFolders: Sendable {
  /// The project's folder.
  public var checkout: FilePath
  /// Configurations and options of what others wrote: the checkout's `sysroot`.
  public var recipes: FilePath
  /// What the compiler of the drone's own programs keeps.
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

  /// Throws a sentence when one of the folders has a path over which another project's makefile or a compiler stumbles.
  func requirePlain() throws {
    try Workshop.requirePlain(cache, "The cache", "Set XDG_CACHE_HOME to another folder.")
    for folder in [checkout, recipes, scratch] {
      try Workshop.requirePlain(folder, "The folder", "Move the checkout, or give it another name.")
    }
  }

  /// The programs of a target and what is made from them alone, of the newest sources and a few before: another checkout of the same
  /// sources finds them. Who builds elsewhere than in the checkout wants them built.
  func programs(of target: DroneTarget) -> BuildCache {
    scratch == checkout.appending(".build-drone")
      ? BuildCache(folder: cache.appending("programs").appending(target.name), keepingOlder: 3)
      : BuildCache(folder: scratch.appending(target.name), keepingOlder: 0)
  }
}
