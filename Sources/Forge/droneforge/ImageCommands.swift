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
      "The kernel: own, debian (the newest package, with modules), a linux-image-….deb, or a bzImage with everything built in. It is for one kind of computer. (default: own for i586, debian for x86_64)",
      valueName: "own|debian|file"))
  var kernel: KernelChoice?

  @Option(
    help: ArgumentHelp(
      "The modules of a Debian kernel: all, pc (common network cards only), or names with commas between them; what every drone needs is always there. (default: all)",
      valueName: "all|pc|names"))
  var modules: String?

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

  enum CredentialChoice: String, ExpressibleByArgument, CaseIterable { case full, `public`, none }

  func build(_ medium: Medium) async throws {
    let product = try await stoppable {
      let checkout = try Checkout(named: checkout).folder
      var pipeline = try ImagePipeline(
        medium, for: target, folders: BuildFolders(checkout: checkout),
        output: output.map { FilePath($0) } ?? checkout.appending("\(BuiltFile.folder)"), kernel: kernel,
        modules: try modules.map { try ModuleSelection($0) })
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
