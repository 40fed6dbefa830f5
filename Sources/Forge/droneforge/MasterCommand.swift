import DroneLayout
import ArgumentParser
import Pipeline
import SystemPackage
import Target
import Workshop

/// `droneforge master`.
struct MasterCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "master",
    abstract: "Build the Debian package that makes any 64-bit Linux a node of a cluster.",
    discussion: """
      Builds the missing parts (C library, OpenSSL, tyd), writes tyd_VERSION_amd64.deb, and checks its program. The
      package holds no credential: see `droneforge cluster export` and tyd(8). The same sources give the same bytes.
      """)

  @Option(help: ArgumentHelp("The folder for the package. (default: build in the checkout)", valueName: "folder"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "The project's folder. (default: the one above this program, else above this folder)", valueName: "folder"))
  var checkout: String?

  func run() async throws {
    let product = try await stoppable {
      let checkout = try Checkout(named: checkout).folder
      let pipeline = MasterPackagePipeline(
        for: .master, folders: BuildFolders(checkout: checkout),
        output: output.map { FilePath($0) } ?? checkout.appending("\(BuiltFile.folder)"))
      return try await pipeline.run()
    }
    print("\(product.path): \(product.report == nil ? "up to date" : "built and checked")")
    product.notices.forEach(notice)
  }
}
