import BuildCache
import DebianArchive
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
  let part = try await BuildCache(folder: cache.appending("debian")).part(KernelFromPackages(), progress)
  return DebianKernel(
    release: String(decoding: try contents(of: part.folder.appending("release")), as: UTF8.self),
    kernel: part.folder.appending("vmlinuz"), modules: part.folder)
}

private struct KernelFromPackages: Recipe {
  let name = "kernel"
  let title = "Debian's kernel"
  let inputs = [
    Input("recipe", "1"), Input("package", metapackage), Input("modules", keptModules.joined(separator: " ")),
  ]

  func build(in room: Room) async throws {
    let archive = try await PackageArchive.opened(.machine, work: room.work.appending("apt"), log: room.log)
    let fetched = room.work.appending("fetched")
    try makeFolder(fetched)
    try await archive.download(metapackage, to: fetched)
    let depends = try Payload(onlyPackage(in: fetched, "\(metapackage)_")).fields["Depends"] ?? "nothing"
    // `linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)`
    let package = String(depends.prefix { $0 != " " && $0 != "," })
    guard package.hasPrefix("linux-image-") else {
      throw BuildError.input("\(metapackage) depends on \(depends), which is no kernel.")
    }
    try await archive.download(package, to: fetched)
    let unpacked = room.work.appending("unpacked")
    let release = String(package.dropFirst("linux-image-".count))
    let folder = "lib/modules/\(release)"
    let indices = ["modules.builtin", "modules.builtin.modinfo", "modules.order"]
    let wanted = keptModules.map { "kernel/\($0)" } + indices
    try Payload.extract(onlyPackage(in: fetched, "\(package)_"), to: unpacked) { path in
      path == "/boot/vmlinuz-\(release)"
        || wanted.contains { path == "/\(folder)/\($0)" || path.hasPrefix("/\(folder)/\($0)/") }
    }
    try move(unpacked.appending("boot/vmlinuz-\(release)"), to: room.result.appending("vmlinuz"))
    try makeFolder(room.result.appending("lib/modules"))
    try move(unpacked.appending(folder), to: room.result.appending(folder))
    try await tool("/usr/sbin/depmod", ["-b", room.result.string, release]).run(log: room.log)
    try await write(release.utf8, to: room.result.appending("release"))
  }
}

private func onlyPackage(in folder: FilePath, _ beginning: String) throws -> FilePath {
  let names = try FileManager.default.contentsOfDirectory(atPath: folder.string)
  guard let name = names.first(where: { $0.hasPrefix(beginning) && $0.hasSuffix(".deb") }) else {
    throw BuildError.input("apt reported success but did not deliver \(beginning.dropLast()).")
  }
  return folder.appending(name)
}
