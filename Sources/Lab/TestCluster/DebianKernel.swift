import BuildCache
import KernelPackages
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
    let package = try await downloadNewestKernel(
      metapackage, to: room.work.appending("fetched"), work: room.work.appending("apt"), log: room.log)
    let indices = ["modules.builtin", "modules.builtin.modinfo", "modules.order"]
    let wanted = keptModules.map { "kernel/\($0)" } + indices
    let unpacked = try await UnpackedKernel(package, to: room.work.appending("unpacked"), log: room.log) { path in
      wanted.contains { path == $0 || path.hasPrefix("\($0)/") }
    }
    try move(unpacked.kernel, to: room.result.appending("vmlinuz"))
    try makeFolder(room.result.appending("lib/modules"))
    try move(unpacked.folder, to: room.result.appending("lib/modules").appending(unpacked.release))
    try await write(unpacked.release.utf8, to: room.result.appending("release"))
  }
}
