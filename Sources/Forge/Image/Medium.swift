import DroneLayout
import BootServer
import SystemPackage
import Target
import Workshop

/// What a drone is made from, as an image holds it.
public struct DroneParts: Sendable {
  public var target: DroneTarget
  public var root: RootParts
  /// Of the form that the target's profile names.
  public var kernel: SuppliedFile
  /// Nil for a kernel without modules.
  public var modules: CarriedModules?
  /// What its drivers may ask for.
  public var firmware: [CarriedFirmware]

  public init(
    _ target: DroneTarget, root: RootParts, kernel: SuppliedFile, modules: CarriedModules? = nil,
    firmware: [CarriedFirmware] = []
  ) {
    self.target = target
    self.root = root
    self.kernel = kernel
    self.modules = modules
    self.firmware = firmware
  }

  /// The whole root, without what lies in archives of its own.
  public var rootManifest: Manifest {
    get throws { try Manifest(root: root, with: (modules?.rootEntries ?? []) + firmware.map(\.entry)) }
  }
}

/// What an image is made from.
public struct ImageParts: Sendable {
  public var target: ImageTarget
  /// One for each of the target's drones, in their order.
  public var drones: [DroneParts]
  /// The folder with the boot configuration and the screens: the checkout's `isolinux`.
  public var bootFiles: FilePath
  /// Where the programs come from, for the bill of materials.
  public var sources: [SourceRecord]
  /// What the image carries of a cluster.
  public var credential: Credential?
  /// Boot loaders of UEFI by their paths on the medium (`GRUB.Part.place`), and the boot stub; empty for an image that no UEFI
  /// boots.
  public var loaders: [String: SuppliedFile]
  /// Signs what UEFI starts, which is then one program with the drone's kernel, root and boot line; nil for an image that
  /// Debian's signatures are enough for.
  public var signer: ProgramSigner?
  /// Boot words behind those of the standard label, in the program that UEFI starts as a whole.
  public var words: [String] = []

  public init(
    _ target: ImageTarget, of drones: [DroneParts], bootFiles: FilePath, sources: [SourceRecord],
    credential: Credential? = nil, loaders: [String: SuppliedFile] = [:]
  ) {
    self.target = target
    self.drones = drones
    self.bootFiles = bootFiles
    self.sources = sources
    self.credential = credential
    self.loaders = loaders
  }
}

/// Where a medium has a drone's kernel and root.
public struct DronePlace: Sendable, Equatable {
  public let kernel: String
  public let root: String
  /// Where a CD says how much of the root is public.
  public let publicPart: String

  /// What boots where nothing else is asked for.
  public static let standard = DronePlace(
    kernel: "/\(MediumPath.kernel)", root: "/\(MediumPath.root)", publicPart: "/\(MediumPath.publicPart)")

  /// In a folder of the target's name beside that.
  fileprivate init(beside target: DroneTarget) {
    func beside(_ path: String) -> String {
      let file = FilePath(path)
      return file.removingLastComponent().appending(target.name).appending(file.lastComponent?.string ?? "").string
    }
    self.init(
      kernel: beside(Self.standard.kernel), root: beside(Self.standard.root),
      publicPart: beside(Self.standard.publicPart))
  }

  private init(kernel: String, root: String, publicPart: String) {
    self.kernel = kernel
    self.root = root
    self.publicPart = publicPart
  }
}

extension ImageTarget {
  /// Where a medium has this drone.
  public func place(of drone: DroneTarget) -> DronePlace {
    drone.name == drones.first?.name ? .standard : DronePlace(beside: drone)
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

  /// The output's name: `drone.iso`, and `drone-x86_64.iso` where it is not for every computer.
  public func outputName(for target: ImageTarget) -> String {
    stem(for: target) + (self == .cd ? ".iso" : "")
  }

  /// The name of its bill of materials, beside the output.
  public func billName(for target: ImageTarget) -> String { "\(stem(for: target)).manifest.json" }

  private func stem(for target: ImageTarget) -> String {
    let name = self == .cd ? "drone" : "\(BuiltFile.networkTree)"
    return target.name == ImageTarget.standard.name ? name : "\(name)-\(target.name)"
  }

  /// Where the bill of materials of an image lies.
  public static func bill(beside image: FilePath) -> FilePath {
    image.removingLastComponent().appending("\(image.lastComponent?.stem ?? "drone").manifest.json")
  }
}

extension ImageParts {
  /// A boot loader by its path. Throws a sentence when there is none.
  func loader(_ place: String, _ why: String) throws -> SuppliedFile {
    guard let file = loaders[place] else { throw BuildError.input("The image's parts have no \(place), which \(why).") }
    return file
  }
}

extension Medium {
  /// What is on the medium beside the roots and the text about them.
  func fixedEntries(_ parts: ImageParts) throws -> [Entry] {
    var entries: [Entry] = parts.drones.map { drone in
      .file(
        parts.target.place(of: drone.target).kernel, .file(drone.kernel.path), why: "the kernel",
        origin: drone.kernel.origin)
    }
    entries += try parts.target.bootWays.flatMap {
      try $0.entries(on: self, for: parts.target, bootFiles: parts.bootFiles)
    }
    if self == .cd, parts.target.wide != nil {
      let stub = try parts.loader(
        "/\(MediumPath.bootStub)", "makes one program of kernel and root for those whom a drone boots")
      entries.append(
        .file(
          "/\(MediumPath.bootStub)", .file(stub.path), why: "for others that UEFI boots from the network",
          origin: stub.origin))
    }
    if self == .network {
      func text(_ name: String, why: String) -> Entry { .bootFile("/\(name)", name, in: parts.bootFiles, why: why) }
      entries += try parts.target.bootWays.flatMap { try $0.loaderEntries(on: self, parts.loaders) }
      entries += [
        text("\(NetworkBootFile.iPXE)", why: "the same for iPXE"),
        text("dnsmasq.conf", why: "sample for dnsmasq"),
        text("dhcpd.conf", why: "sample for ISC dhcpd"),
        text("kea-dhcp4.conf", why: "sample for Kea"),
      ]
    }
    return entries
  }

  /// What is in the EFI system partition behind the medium's file system; empty where there is none.
  ///
  /// - Parameter own: entries that are there instead of those with the same paths.
  func partitionEntries(_ parts: ImageParts, own: [Entry] = []) throws -> [Entry] {
    guard self == .cd else { return [] }
    let places = Set(own.map(\.path))
    return try parts.target.bootWays.flatMap { try $0.loaderEntries(on: self, parts.loaders) }
      .filter { !places.contains($0.path) } + own
  }

  /// A compressed root. `publicPart`: how much of it everybody may have; a CD says so to the drone that boots others from it.
  func rootEntries(_ archive: FilePath, at place: DronePlace, publicPart: PublicPart) -> [Entry] {
    let root = Entry.file(place.root, .file(archive), why: "the drone's root")
    guard self == .cd else { return [root] }
    return [
      root,
      .file(
        place.publicPart, .bytes(publicPart.text), why: "where the root ends and the credential begins"),
    ]
  }
}
