import BuildSteps
import DroneTarget
import Foundation
import SystemPackage

/// What the drone's programs are built against, and the parts of an image that others wrote: all for one target, all
/// in the cache, never changed after they appeared there.
public struct Sysroot: Sendable {
  public let target: DroneTarget
  /// C headers of musl and of the kernel.
  public let includes: FilePath
  /// `crt1.o` and `libc.a`.
  public let library: FilePath
  /// OpenSSL's headers, and `libssl.a` and `libcrypto.a`.
  public let opensslIncludes: FilePath
  public let opensslLibrary: FilePath
  /// BusyBox as it goes into the image, and with its symbols for whoever disassembles it.
  public let busybox: FilePath
  public let busyboxUnstripped: FilePath
  /// Where BusyBox's names belong, as absolute paths: `/bin/ls`.
  public let busyboxApplets: [String]
  public let kernel: FilePath
  /// The kernel's finished `.config`.
  public let kernelConfiguration: FilePath
  /// The source files everything was built from.
  public let sources: [SourceRecord]
}

/// One source file as the distribution delivered it; its signature chain was checked by apt.
public struct SourceRecord: Hashable, Sendable, Codable {
  /// The file's name: `musl_1.2.3-1.dsc`.
  public let name: String
  /// The package's version: `1.2.3-1`.
  public let version: String
  /// SHA-256 of the file, 64 hexadecimal digits.
  public let sha256: String
}

/// How many steps `prepareSysroot` shows.
public let sysrootSteps = 6

/// `${XDG_CACHE_HOME:-~/.cache}/droneforge`, shared by all checkouts.
public func defaultCache(
  environment: [String: String] = ProcessInfo.processInfo.environment, home: String = NSHomeDirectory()
) -> FilePath {
  // The XDG Base Directory Specification: a relative path is to be ignored.
  if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return FilePath(cache).appending("droneforge") }
  let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? home
  return FilePath(home).appending(".cache").appending("droneforge")
}

/// Gives the sysroot for `target`, building those parts that the cache does not hold.
///
/// Each part stands in `cache` under the hash of all that it is made from and appears there complete, by a rename; two
/// builds at once wait for each other. With everything cached neither the network nor apt is touched.
///
/// - Parameters:
///   - recipes: the checkout's folder `sysroot`.
///   - progress: shows `sysrootSteps` steps.
/// - Throws: `BuildError`, each a sentence.
public func prepareSysroot(
  for target: DroneTarget, recipes: FilePath, cache: FilePath, progress: BuildSteps.Progress
) async throws -> Sysroot {
  let toolchain = try Toolchain.found()
  let parts = PartCache(folder: cache.appending(target.name))
  let compiler = CrossCompiler(target: target, toolchain: toolchain, identity: try await toolchain.identity())

  let sources = try await Sources.prepared(in: parts, progress)
  let headers = try await KernelHeaders(target: target, sources: sources).prepared(in: parts, progress)
  let musl = try await Musl(compiler: compiler, sources: sources, headers: headers).prepared(in: parts, progress)
  let openssl = try await OpenSSL(compiler: compiler, sources: sources, musl: musl, recipes: recipes)
    .prepared(in: parts, progress)
  let busybox = try await BusyBox(compiler: compiler, sources: sources, musl: musl, recipes: recipes)
    .prepared(in: parts, progress)
  let kernel = try await Kernel(target: target, sources: sources, recipes: recipes).prepared(in: parts, progress)

  let links = String(decoding: try contents(of: busybox.folder.appending("busybox.links")), as: UTF8.self)
  return Sysroot(
    target: target,
    includes: musl.folder.appending("include"),
    library: musl.folder.appending("lib"),
    opensslIncludes: openssl.folder.appending("include"),
    opensslLibrary: openssl.folder.appending("lib"),
    busybox: busybox.folder.appending("busybox"),
    busyboxUnstripped: busybox.folder.appending("busybox.unstripped"),
    busyboxApplets: links.split(separator: "\n").map(String.init).sorted(),
    kernel: kernel.folder.appending("bzImage"),
    kernelConfiguration: kernel.folder.appending("config"),
    sources: sources.records)
}
