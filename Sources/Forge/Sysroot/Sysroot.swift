import Foundation
import SystemPackage
import Target
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
  /// The folder of the source files that everything was built from, and what they are.
  public let sourceFolder: FilePath
  public let sources: [SourceRecord]

  /// A sentence for every package that is older than what the archive lists: for whoever builds an image of it.
  public var notices: [String] { sources.notices }

  /// A source package's record, and the copyright file that Debian made for it.
  public func notice(of package: String) async throws -> SourceNotice {
    guard
      let record = sources.first(where: { $0.name.hasPrefix("\(package)_") && $0.name.contains(".debian.tar.") })
    else { throw BuildError.input("\(sourceFolder) holds no \(package)_*.debian.tar.*: remove it and build again.") }
    let archive = sourceFolder.appending(record.name)
    let copyright = try await tool(
      "tar", ["--extract", "--to-stdout", "--file", archive.string, "debian/copyright"]
    ).output()
    return SourceNotice(source: record, copyright: copyright)
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
/// builds at once wait for each other. With everything cached neither the network nor apt is touched. All targets are
/// built from the same delivery of the sources.
///
/// - Parameters:
///   - recipes: the checkout's folder `sysroot`.
///   - progress: shows `sysrootSteps` steps.
/// - Throws: `BuildError`, each a sentence.
public func prepareSysroot(
  for target: DroneTarget, recipes: FilePath, cache: FilePath, progress: Workshop.Progress
) async throws -> Sysroot {
  let (sysroot, _, _) = try await preparedParts(for: target, recipes: recipes, cache: cache, progress: progress)
  return sysroot
}

/// Gives the sysroot for `target` and what else an image holds, in the same way. Shows `sysrootSteps` and `systemSteps`
/// steps.
public func prepareSystem(
  for target: DroneTarget, recipes: FilePath, cache: FilePath, progress: Workshop.Progress
) async throws -> (Sysroot, SystemParts) {
  let (sysroot, libraries, parts) = try await preparedParts(
    for: target, recipes: recipes, cache: cache, progress: progress)
  let sources = libraries.sources
  let busybox = try await BusyBox(
    compiler: libraries.compiler, sources: sources, musl: libraries.musl, recipes: recipes
  ).prepared(in: parts, progress)
  let kernel = try await Kernel(target: target, sources: sources, recipes: recipes).prepared(in: parts, progress)
  let links = String(decoding: try contents(of: busybox.folder.appending("busybox.links")), as: UTF8.self)
  let system = SystemParts(
    busybox: busybox.folder.appending("busybox"),
    busyboxUnstripped: busybox.folder.appending("busybox.unstripped"),
    busyboxApplets: links.split(separator: "\n").map(String.init).sorted(),
    kernel: kernel.folder.appending("bzImage"),
    kernelConfiguration: kernel.folder.appending("config"))
  return (sysroot, system)
}

/// Asks the Debian archive for newer versions of the sources and takes those that it delivers. What is built from them is
/// built anew when it is next wanted.
///
/// - Parameter names: packages as `Sysroot.sources` begins their files' names; empty for all.
/// - Returns: a sentence for each package.
/// - Throws: `BuildError`, when the archive does not answer; what is there stays.
public func refreshSources(
  _ names: [String], cache: FilePath, progress: Workshop.Progress
) async throws -> [String] {
  let packages = try names.map { name in
    guard let package = Sources.packages.first(where: { $0.name == name }) else {
      throw BuildError.input(
        "No package \(name) is built: name \(Sources.packages.map(\.name).joined(separator: ", ")), or none for all.")
    }
    return package
  }
  let parts = sourceCache(in: cache)
  let sources = try await Sources.prepared(in: parts, progress)
  return try await progress.step("Debian archive", log: Sources.refreshLog(in: parts)) {
    try await sources.refreshed(packages.isEmpty ? Sources.packages : packages, in: parts, from: .machine).said
  }
}

private func sourceCache(in cache: FilePath) -> PartCache { PartCache(folder: cache.appending("sources")) }

/// What the other parts of a target are built with.
private struct LibraryParts {
  let compiler: CrossCompiler
  let sources: Sources
  let musl: Part
}

private func preparedParts(
  for target: DroneTarget, recipes: FilePath, cache: FilePath, progress: Workshop.Progress
) async throws -> (Sysroot, LibraryParts, PartCache) {
  let toolchain = try Toolchain.found()
  let parts = PartCache(folder: cache.appending(target.name))
  let compiler = CrossCompiler(target: target, toolchain: toolchain, identity: try await toolchain.identity())

  let sources = try await Sources.prepared(in: sourceCache(in: cache), progress)
  let headers = try await KernelHeaders(target: target, sources: sources).prepared(in: parts, progress)
  let musl = try await Musl(compiler: compiler, sources: sources, headers: headers).prepared(in: parts, progress)
  let openssl = try await OpenSSL(compiler: compiler, sources: sources, musl: musl, recipes: recipes)
    .prepared(in: parts, progress)
  let sysroot = Sysroot(
    target: target,
    includes: musl.folder.appending("include"),
    library: musl.folder.appending("lib"),
    opensslIncludes: openssl.folder.appending("include"),
    opensslLibrary: openssl.folder.appending("lib"),
    sourceFolder: sources.part.folder,
    sources: sources.records)
  return (sysroot, LibraryParts(compiler: compiler, sources: sources, musl: musl), parts)
}
