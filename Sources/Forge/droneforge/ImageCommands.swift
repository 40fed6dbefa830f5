import DroneLayout
import ArgumentParser
import ClusterStore
import Foundation
import Image
import KernelPackages
import Pipeline
import SystemPackage
import Target
import Workshop

/// `droneforge iso`.
struct ISO: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "iso",
    abstract: "Build drone.iso, which boots from CD, USB stick and disk.",
    discussion: """
      Builds the missing parts (the sysroot, the drone's programs), writes drone.iso and its bill of materials
      drone.manifest.json, and checks them before they replace earlier ones. The same sources and the same cluster give the
      same bytes.

      The image carries the key of a cluster: whoever has the CD can start members. --credential public leaves the key out;
      its drones must be approved. With none they know no cluster.
      """)

  @OptionGroup var options: ImageOptions

  func run() async throws { try await options.build(.cd) }
}

/// `droneforge pxe`.
struct PXE: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pxe",
    abstract: "Build pxe, a folder for a TFTP server from which drones boot over the network.",
    discussion: """
      Builds the missing parts (the sysroot, the drone's programs), writes the folder pxe and its bill of materials
      pxe.manifest.json, and checks them before they replace earlier ones. The folder also holds samples for dnsmasq
      and ISC dhcpd and a script for iPXE.

      Anybody can fetch the tree by TFTP, so it holds the cluster's certificate and never its key: its drones must be
      approved.
      """)

  @OptionGroup var options: ImageOptions

  func run() async throws { try await options.build(.network) }
}

/// What `iso` and `pxe` have in common.
struct ImageOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The folder for the outputs. (default: build in the checkout)", valueName: "folder"))
  var output: String?

  @Option(help: "The computers: any (every PC), i586 (from the Pentium on, by a BIOS) or x86_64 (64 bits).")
  var target = ImageTarget.standard

  @Option(
    help: ArgumentHelp(
      "The kernel: own (signed by nobody), debian (the newest package, with modules), a linux-image-….deb, or a bzImage with everything built in or with --modules. It is for one kind of computer. (default: own for i586, debian for x86_64)",
      valueName: "own|debian|file"))
  var kernel: KernelChoice?

  @Option(
    help: ArgumentHelp(
      "The modules of a Debian kernel: all, pc (common network cards only), or names with commas between them; what every drone needs is always there. Of a bzImage: its lib/modules/RELEASE. (default: all)",
      valueName: "all|pc|names|folder"))
  var modules: String?

  @Option(
    help: ArgumentHelp(
      "Firmware that the drivers may ask for: a Linux's lib/firmware, or debian (its packages, as far as apt's lists name them). (default: none)",
      valueName: "folder|debian"))
  var firmware: FirmwareChoice?

  @Option(
    help: ArgumentHelp(
      "The project's folder. (default: the one above this program, else above this folder)", valueName: "folder"))
  var checkout: String?

  @Option(
    help: ArgumentHelp("The cluster that the image is for. (default: \"default\", made if missing)", valueName: "name"))
  var cluster: String?

  @Option(
    help: ArgumentHelp(
      "What the image carries of the cluster: full, public or none. (default: full on a CD, public in a tree)",
      valueName: "full|public|none"))
  var credential: CredentialChoice?

  @Option(
    help: ArgumentHelp(
      "Sign what UEFI starts by this key of your own (droneforge secureboot create). (default: Debian's signatures)",
      valueName: "name"))
  var secureboot: String?

  @Option(
    help: ArgumentHelp(
      "Boot words behind those of the standard label, in the program that UEFI starts as a whole: drone-x64.efi, and what --secureboot signs.",
      valueName: "words"))
  var words: String?

  enum CredentialChoice: String, ExpressibleByArgument, CaseIterable { case full, `public`, none }

  func build(_ medium: Medium) async throws {
    let product = try await stoppable {
      let checkout = try Checkout(named: checkout).folder
      var pipeline = try ImagePipeline(
        medium, for: target, folders: BuildFolders(checkout: checkout),
        output: output.map { FilePath($0) } ?? checkout.appending("\(BuiltFile.folder)"), kernel: try chosenKernel,
        modules: try selection, firmware: firmware)
      pipeline.signer = try secureboot.map { try programSigner(named: $0) }
      pipeline.words = try words.map { try bootWords($0, on: medium) } ?? []
      try pipeline.checkSigning()
      pipeline.credential = try await carriedCredential(on: medium)
      return try await pipeline.run()
    }
    if let sizes = product.report { print(sizes) }
    print("\(product.path): \(product.report == nil ? "up to date" : "built and checked")")
    if medium == .cd, (credential ?? .full) == .full {
      print(
        "It holds the key of the cluster \(cluster ?? ClusterName.standard.text), and so does every CD made from it: whoever"
          + " has one can add nodes. Only you can read the file (mode 600).")
    }
    product.notices.forEach(notice)
  }

  /// Whether `modules` is a folder.
  private var modulesAreFiles: Bool { modules?.contains("/") == true }

  private var selection: ModuleSelection? {
    get throws { modulesAreFiles ? nil : try modules.map { try ModuleSelection($0) } }
  }

  private var chosenKernel: KernelChoice? {
    get throws {
      guard let modules, modulesAreFiles else { return kernel }
      guard case .image(let path, _) = kernel else {
        throw BuildError.input(
          "\(modules) is a folder of modules, which goes with a kernel's file: say KERNEL=/path/vmlinuz as well.")
      }
      return .image(path, modules: FilePath(modules))
    }
  }

  /// Words for the boot line of the program that UEFI starts as a whole.
  private func bootWords(_ text: String, on medium: Medium) throws -> [String] {
    guard medium == .network || secureboot != nil else {
      throw BuildError.input(
        "WORDS are for a program with its boot line in it, and a CD has one only with SECUREBOOT=name. At its prompt words are typed."
      )
    }
    guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
      throw BuildError.input("\(text.debugDescription) cannot be boot words: a boot line has printable ASCII alone.")
    }
    return text.split(separator: " ").map(String.init)
  }

  /// What the image is to carry; the cluster that nobody named is made when it is missing.
  private func carriedCredential(on medium: Medium) async throws -> Credential? {
    let choice = credential ?? (medium == .cd ? .full : .public)
    if choice == .full, medium == .network {
      throw BuildError.input(
        "A network boot tree cannot hold a cluster's key: anybody can fetch it by TFTP. Leave --credential at public.")
    }
    if choice == .none {
      if let cluster {
        throw BuildError.input("With --credential none the image is for no cluster: leave out --cluster \(cluster).")
      }
      return nil
    }
    let store = ClusterStore()
    let name = try cluster.map { try ClusterName($0) } ?? .standard
    let found: ClusterCredential
    if cluster == nil, let person = ClusterStore.personBehindRoot() {
      let place = "in \(store.location(of: name)) and not among those of \(person), who used sudo."
      guard store.exists(name) else {
        throw BuildError.input(
          "The cluster \(name) would be made \(place) Run make as \(person): it asks for root where it needs it. If you mean"
            + " root's cluster: droneforge cluster create \(name).")
      }
      notice("The image is for the cluster \(name) \(place)")
    }
    if cluster == nil, !store.exists(name) {
      found = try await store.create(name, now: Int64(Date().timeIntervalSince1970), years: 20)
      print(creation(of: found, in: store))
    } else {
      found = try store.cluster(name)
    }
    return Credential(
      cluster: found.name.text, fingerprint: text(found.fingerprint.text), certificate: found.certificate.pem,
      key: choice == .full ? found.key.pem : nil)
  }
}

/// Kernels by their words.
extension KernelChoice: ExpressibleByArgument {
  public init?(argument: String) {
    switch argument {
    case "own": self = .own
    case "debian": self = .debian
    case "": return nil
    default:
      let path = FilePath(argument)
      self = path.extension == "deb" ? .package(path) : .image(path)
    }
  }
}

/// Firmware by its words.
extension FirmwareChoice: ExpressibleByArgument {
  public init?(argument: String) {
    switch argument {
    case "debian": self = .debian
    case "": return nil
    default: self = .folder(FilePath(argument))
    }
  }
}
