import BuildCache
import DebianArchive
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
  /// Nil where another kernel is given.
  public let kernel: FilePath?
  /// The kernel's finished `.config`.
  public let kernelConfiguration: FilePath?
  /// What its drivers say of themselves, the firmware that they ask for among it.
  public let kernelInformation: FilePath?

  /// What `BusyBox` and `Kernel` made.
  public init(busybox: FilePath, kernel: FilePath?) throws {
    let links = String(decoding: try contents(of: busybox.appending("busybox.links")), as: UTF8.self)
    self.busybox = busybox.appending("busybox")
    busyboxUnstripped = busybox.appending("busybox.unstripped")
    busyboxApplets = links.split(separator: "\n").map(String.init).sorted()
    self.kernel = kernel?.appending("bzImage")
    kernelConfiguration = kernel?.appending("config")
    kernelInformation = kernel?.appending(Kernel.information)
  }
}

/// The binary package that holds the kernel's source.
public let kernelPackage = "linux-source-6.1"

/// What everything is built from.
public let sourcePackages = [
  SourcePackage("musl", title: "musl"), SourcePackage("busybox", title: "BusyBox"),
  SourcePackage("openssl", title: "OpenSSL"), SourcePackage(kernelPackage, title: "the kernel", isBinary: true),
]

/// Where all targets' sources stand.
public func sourceCache(in cache: FilePath) -> BuildCache { BuildCache(folder: cache.appending("sources")) }
