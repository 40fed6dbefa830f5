import Foundation
import SystemPackage
import Workshop

/// The kernel that Debian's own 64-bit machines run, for a virtual machine that stands for one of them: nothing of it goes
/// into an image.
public struct DebianKernel: Sendable {
  /// As `uname -r` gives it: `6.1.0-56-cloud-amd64`.
  public let release: String
  public let kernel: FilePath
  /// A folder that holds `lib/modules/RELEASE` with network, packet filter, IPsec and cryptography, and their indices.
  public let modules: FilePath
}

/// The package whose dependency is the newest kernel: the variant for virtual machines, which is small.
private let metapackage = "linux-image-cloud-amd64"

/// What of `lib/modules/RELEASE/kernel` is kept.
private let keptModules = [
  "net/core", "net/ipv4", "net/ipv6", "net/xfrm", "net/key", "net/netfilter", "crypto", "lib", "arch/x86/crypto",
  "drivers/virtio", "drivers/net/virtio_net.ko", "drivers/net/net_failover.ko",
]

/// Gives Debian's kernel, fetching it when the cache does not hold it; once it is there, neither the network nor apt is
/// touched. Shows one step. Throws `BuildError`.
public func prepareDebianKernel(cache: FilePath, progress: Workshop.Progress) async throws -> DebianKernel {
  let hash = recipeHash([
    ("recipe", "1"), ("package", metapackage), ("modules", keptModules.joined(separator: " ")),
  ])
  let parts = PartCache(folder: cache.appending("debian"))
  let part = try await parts.part("kernel", "Debian's kernel", hash, progress) { part, work, log in
    let archive = try await PackageArchive.opened(.machine, work: work.appending("apt"), log: log)
    let fetched = work.appending("fetched")
    try makeFolder(fetched)
    try await archive.download(metapackage, to: fetched)
    let depends = try await firstLine(
      of: tool("dpkg-deb", ["--field", try onlyPackage(in: fetched, "\(metapackage)_").string, "Depends"]))
    // `linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)`
    let package = String(depends.prefix { $0 != " " && $0 != "," })
    guard package.hasPrefix("linux-image-") else {
      throw BuildError.input("\(metapackage) depends on \(depends), which is no kernel.")
    }
    try await archive.download(package, to: fetched)
    let unpacked = work.appending("unpacked")
    try await tool(
      "dpkg-deb", ["--extract", try onlyPackage(in: fetched, "\(package)_").string, unpacked.string]
    ).run(log: log)
    let release = String(package.dropFirst("linux-image-".count))
    try move(unpacked.appending("boot/vmlinuz-\(release)"), to: part.appending("vmlinuz"))
    let from = unpacked.appending("lib/modules").appending(release)
    let to = part.appending("lib/modules").appending(release)
    for kept in keptModules {
      let place = to.appending("kernel").appending(kept)
      try makeFolder(place.removingLastComponent())
      try move(from.appending("kernel").appending(kept), to: place)
    }
    for index in ["modules.builtin", "modules.builtin.modinfo", "modules.order"] {
      try move(from.appending(index), to: to.appending(index))
    }
    try await tool("/usr/sbin/depmod", ["-b", part.string, release]).run(log: log)
    try await write(release.utf8, to: part.appending("release"))
  }
  return DebianKernel(
    release: String(decoding: try contents(of: part.folder.appending("release")), as: UTF8.self),
    kernel: part.folder.appending("vmlinuz"), modules: part.folder)
}

private func onlyPackage(in folder: FilePath, _ beginning: String) throws -> FilePath {
  let names = try FileManager.default.contentsOfDirectory(atPath: folder.string)
  guard let name = names.first(where: { $0.hasPrefix(beginning) && $0.hasSuffix(".deb") }) else {
    throw BuildError.input("apt reported success but did not deliver \(beginning.dropLast()).")
  }
  return folder.appending(name)
}
