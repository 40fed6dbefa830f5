import ArgumentParser
import DroneLayout
import Foundation
import Image
import ImageCheck
import SystemPackage
import Target
import Workshop

/// `droneforge check FILE-OR-TREE`.
struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read a CD image or a network boot tree back and print what is wrong with it.",
    discussion: """
      Compares every file with the image's manifest, and checks the boot catalogue, the first sector, the tables of
      partitions, the EFI partition, its boot loaders' signatures, the kernel's header, the root archive and each program's
      instructions:

          droneforge check build/drone.iso

      Prints one line for each failed check and exits with status 1, or prints the files' sizes and whether the image starts
      under Secure Boot.
      """)

  @Argument(help: "A CD image, or the folder of a network boot tree.", completion: .file())
  var image: String

  @Option(help: "The image's manifest. (default: the one beside it)", completion: .file())
  var manifest: String?

  @Option(
    name: .customLong("symbols"), help: "A program of the root with its symbols; names functions in messages.",
    completion: .file())
  var unstripped: [String] = []

  func run() async throws {
    let path = try existingImage(image)
    let billPath = manifest.map { FilePath($0) } ?? Medium.bill(beside: path)
    guard FileManager.default.fileExists(atPath: billPath.string) else {
      throw BuildError.file(
        path: billPath.string, reason: "there is no such manifest", remedy: "Name it with --manifest.")
    }
    let bill = try BillOfMaterials(json: contents(of: billPath))
    let target = ImageTarget(named: bill.target, partition: bill.efiPartition?.map(\.path)) ?? .standard
    let check = ImageCheck(target: target, bill: bill, unstripped: unstripped.map { FilePath($0) })
    let report = try await stoppable { try await check.report(on: path) }
    guard report.findings.isEmpty else {
      for finding in report.findings { print(finding) }
      throw ExitCode(1)
    }
    print(report.summary(budget: check.budget))
  }
}

/// The path of an image. Throws a sentence when nothing is there.
func existingImage(_ image: String) throws -> FilePath {
  let path = FilePath(image)
  guard exists(path) else {
    let target = path.lastComponent?.string.hasPrefix("\(BuiltFile.networkTree)") == true ? "pxe" : "iso"
    throw BuildError.file(path: image, reason: "there is no such file or folder", remedy: "`make \(target)` builds it.")
  }
  return path
}
