import BuildCache
import DebianArchive
import SystemPackage
import Target
import Toolchain
import Workshop

/// What a target's programs are built against: in the cache, never changed after it appeared there.
public struct Sysroot: Sendable {
  public let target: DroneTarget
  /// C headers of musl and of the kernel.
  public let includes: FilePath
  /// `crt1.o` and `libc.a`.
  public let library: FilePath
  /// OpenSSL's headers, and `libssl.a` and `libcrypto.a`.
  public let opensslIncludes: FilePath
  public let opensslLibrary: FilePath

  public init(
    target: DroneTarget, includes: FilePath, library: FilePath, opensslIncludes: FilePath, opensslLibrary: FilePath
  ) {
    self.target = target
    self.includes = includes
    self.library = library
    self.opensslIncludes = opensslIncludes
    self.opensslLibrary = opensslLibrary
  }
}

/// Those parts of an image that others wrote, in the cache as well.
public struct SystemParts: Sendable {
  /// BusyBox as it goes into the image, and with its symbols for whoever disassembles it.
  public let busybox: FilePath
  public let busyboxUnstripped: FilePath
  /// Where BusyBox's names belong, as absolute paths: `/bin/ls`.
  public let busyboxApplets: [String]
  public let kernel: FilePath
  /// The kernel's finished `.config`.
  public let kernelConfiguration: FilePath
}

/// How many steps `prepareSysroot` and `prepareSystem` show.
public let sysrootSteps = 4
public let systemSteps = 2

/// Gives the sysroot for `target`, building those parts that the cache does not hold.
///
/// Each part stands in `cache` under the hash of all that it is made from and appears there complete, by a rename; two
/// builds at once wait for each other. With everything cached neither the network nor apt is touched. All targets are
/// built from the same delivery of the sources.
///
/// - Parameters:
///   - recipes: the checkout's folder `sysroot`.
///   - progress: shows `sysrootSteps` steps.
/// - Throws: `BuildError`, each a sentence.
public func prepareSysroot(
  for target: DroneTarget, recipes: FilePath, cache: FilePath, progress: Workshop.Progress
) async throws -> (Sysroot, Sources) {
  let (sysroot, libraries, _) = try await preparedParts(
    for: target, recipes: recipes, cache: cache, progress: progress)
  return (sysroot, libraries.sources)
}

/// Gives the sysroot for `target` and what else an image holds, in the same way. Shows `sysrootSteps` and `systemSteps`
/// steps.
public func prepareSystem(
  for target: DroneTarget, recipes: FilePath, cache: FilePath, progress: Workshop.Progress
) async throws -> (Sysroot, SystemParts, Sources) {
  let (sysroot, libraries, parts) = try await preparedParts(
    for: target, recipes: recipes, cache: cache, progress: progress)
  let sources = libraries.sources
  let busybox = try await parts.part(
    BusyBox(compiler: libraries.compiler, source: sources["busybox"], musl: libraries.musl, recipes: recipes), progress)
  let kernel = try await parts.part(
    Kernel(target: target, source: sources["linux-source-6.1"], recipes: recipes), progress)
  let links = String(decoding: try contents(of: busybox.folder.appending("busybox.links")), as: UTF8.self)
  let system = SystemParts(
    busybox: busybox.folder.appending("busybox"),
    busyboxUnstripped: busybox.folder.appending("busybox.unstripped"),
    busyboxApplets: links.split(separator: "\n").map(String.init).sorted(),
    kernel: kernel.folder.appending("bzImage"),
    kernelConfiguration: kernel.folder.appending("config"))
  return (sysroot, system, sources)
}

/// What everything is built from.
public let sourcePackages = [
  SourcePackage("musl", title: "musl"), SourcePackage("busybox", title: "BusyBox"),
  SourcePackage("openssl", title: "OpenSSL"), SourcePackage("linux-source-6.1", title: "the kernel", isBinary: true),
]

public func sourceCache(in cache: FilePath) -> BuildCache { BuildCache(folder: cache.appending("sources")) }

/// What the other parts of a target are built with.
private struct LibraryParts {
  let compiler: CrossCompiler
  let sources: Sources
  let musl: Part
}

private func preparedParts(
  for target: DroneTarget, recipes: FilePath, cache: FilePath, progress: Workshop.Progress
) async throws -> (Sysroot, LibraryParts, BuildCache) {
  let parts = BuildCache(folder: cache.appending(target.name))
  let compiler = try await CrossCompiler(.found(), for: target)

  let sources = try await Sources.prepared(sourcePackages, in: sourceCache(in: cache), progress)
  let headers = try await parts.part(KernelHeaders(target: target, source: sources["linux-source-6.1"]), progress)
  let musl = try await parts.part(Musl(compiler: compiler, source: sources["musl"], headers: headers), progress)
  let openssl = try await parts.part(
    OpenSSL(compiler: compiler, source: sources["openssl"], musl: musl, recipes: recipes), progress)
  let sysroot = Sysroot(
    target: target,
    includes: musl.folder.appending("include"),
    library: musl.folder.appending("lib"),
    opensslIncludes: openssl.folder.appending("include"),
    opensslLibrary: openssl.folder.appending("lib"))
  return (sysroot, LibraryParts(compiler: compiler, sources: sources, musl: musl), parts)
}
