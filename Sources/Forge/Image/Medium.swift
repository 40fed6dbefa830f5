import DroneLayout
import BootServer
import SystemPackage
import Target
import Workshop

/// What an image is made from.
public struct ImageParts: Sendable {
  public var root: RootParts
  /// Of the form that the target's profile names.
  public var kernel: SuppliedFile
  /// The folder with the boot configuration and the screens: the checkout's `isolinux`.
  public var bootFiles: FilePath
  public var target: DroneTarget
  /// Where the programs come from, for the bill of materials.
  public var sources: [SourceRecord]
  /// Nil for a kernel without modules.
  public var modules: CarriedModules?
  /// What the image carries of a cluster.
  public var credential: Credential?
  /// Boot loaders for the EFI system partition by their paths there (`GRUB.Part.place`); empty for an image that no UEFI
  /// boots.
  public var loaders: [String: SuppliedFile]

  public init(
    root: RootParts, kernel: SuppliedFile, bootFiles: FilePath, target: DroneTarget, sources: [SourceRecord],
    modules: CarriedModules? = nil, credential: Credential? = nil, loaders: [String: SuppliedFile] = [:]
  ) {
    self.root = root
    self.kernel = kernel
    self.bootFiles = bootFiles
    self.target = target
    self.sources = sources
    self.modules = modules
    self.credential = credential
    self.loaders = loaders
  }

  /// The whole root, without what lies in archives of its own.
  public var rootManifest: Manifest {
    get throws { try Manifest(root: root, with: modules?.rootEntries ?? []) }
  }
}

/// How a drone is booted.
public enum Medium: String, Sendable, CaseIterable {
  /// A CD image that also boots from a disk.
  case cd
  /// A folder for a TFTP server.
  case network

  /// Whether anybody can read it: a TFTP server sends its files to everybody.
  public var isPublic: Bool { self == .network }

  /// The output's name: `drone.iso`, and `drone-x86_64.iso` for other computers than the standard ones.
  public func outputName(for target: DroneTarget) -> String {
    stem(for: target) + (self == .cd ? ".iso" : "")
  }

  /// The name of its bill of materials, beside the output.
  public func billName(for target: DroneTarget) -> String { "\(stem(for: target)).manifest.json" }

  private func stem(for target: DroneTarget) -> String {
    let name = self == .cd ? "drone" : "\(BuiltFile.networkTree)"
    return target.name == DroneTarget.standard.name ? name : "\(name)-\(target.name)"
  }

  /// Where the bill of materials of an image lies.
  public static func bill(beside image: FilePath) -> FilePath {
    image.removingLastComponent().appending("\(image.lastComponent?.stem ?? "drone").manifest.json")
  }
}

extension Medium {
  /// What is on the medium beside the root and the text about it.
  func fixedEntries(_ parts: ImageParts, _ profile: ImageProfile) throws -> [Entry] {
    var entries: [Entry] = [
      .file("/\(MediumPath.kernel)", .file(parts.kernel.path), why: "the kernel", origin: parts.kernel.origin)
    ]
    entries += try profile.bootWays.flatMap { try $0.entries(on: self, for: parts.target, bootFiles: parts.bootFiles) }
    if self == .network {
      func text(_ name: String, why: String) -> Entry { .bootFile("/\(name)", name, in: parts.bootFiles, why: why) }
      entries += [
        text("boot.ipxe", why: "the same for iPXE"),
        text("dnsmasq.conf", why: "sample for dnsmasq"),
        text("dhcpd.conf", why: "sample for ISC dhcpd"),
      ]
    }
    return entries
  }

  /// What is in the EFI system partition behind the medium's file system; empty where there is none.
  func partitionEntries(_ parts: ImageParts, _ profile: ImageProfile) throws -> [Entry] {
    self == .cd ? try profile.bootWays.flatMap { try $0.partitionEntries(parts.loaders) } : []
  }

  /// The compressed root. `publicPart`: how much of it everybody may have; a CD says so to the drone that boots others from
  /// it.
  func rootEntries(_ archive: FilePath, publicPart: PublicPart) -> [Entry] {
    let root = Entry.file("/\(MediumPath.root)", .file(archive), why: "the drone's root")
    guard self == .cd else { return [root] }
    return [
      root,
      .file(publicPartPath, .bytes(publicPart.text), why: "where the root ends and the credential begins"),
    ]
  }
}

/// Where a CD says how much of its archive is public.
public let publicPartPath = "/\(MediumPath.publicPart)"
