import ArgumentParser
import DroneLayout
import Foundation
import Image
import ImageContents
import SystemPackage
import Workshop

/// `droneforge size IMAGE`.
struct SizeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "size", abstract: "Say how many bytes each file and folder of an image takes.",
    discussion: """
      First the medium with the bytes that its files take of the image, then each root with its files as they are unpacked, \
      the largest first:

          droneforge size build/drone.iso --svg build/drone.svg

      What is smaller than one per cent is counted; --all lists it.
      """)

  @Argument(help: LookedImage.help, completion: .file()) var image: LookedImage
  @Flag(help: "List everything, however small.") var all = false
  @Flag(help: "Print a JSON array with an object for each file system.") var json = false
  @Option(
    help: ArgumentHelp("Also draw the image as rectangles whose areas are the bytes.", valueName: "file"),
    completion: .file())
  var svg: String?

  func run() async throws {
    let name = escaped([UInt8](image.path.utf8))
    try await image.read { contents in
      if let svg {
        let heading = "\(name), a \(contents.form.rawValue) of \(contents.size) bytes"
        try await write(contents.treemap(named: name).picture(heading: heading).utf8, to: FilePath(svg))
      }
      print(
        json
          ? JSON.array(contents.sizes.map(\.json)).text
          : sizeText(contents.sizes, of: name, contents.form, least: all ? 0 : 0.01))
    }
  }
}

/// `droneforge diff IMAGE IMAGE`.
struct DiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Name what two images do not have in common.",
    discussion: """
      Compares media, roots, and what UEFI starts: files by their content, and kinds, modes, owners and links. Beside each \
      path is where its file comes from, as far as the images' manifests tell.

          droneforge diff build/drone-x86_64.iso build/own/drone-x86_64.iso

      Prints one line for each path, + for what only the second has, - for what only the first has, ~ for what is not the \
      same, and exits with status 1 when there is any.
      """)

  @Argument(help: LookedImage.help, completion: .file()) var image: LookedImage
  @Argument(help: "The other image.", completion: .file()) var other: LookedImage
  @Flag(help: "Print a JSON array of objects.") var json = false

  func run() async throws {
    let count = try await image.read { one in
      try await other.read { two in
        let (before, after) = (image.knownProvenance(of: one), other.knownProvenance(of: two))
        let differences = one.differences(to: two).map { difference in
          let origin =
            difference.after.flatMap { after?.origin(ofFile: $0) }
            ?? difference.before.flatMap { before?.origin(ofFile: $0) }
          return (difference, origin.map(printable))
        }
        if json {
          print(JSON.array(differences.map { $0.json(from: $1) }).text)
        } else {
          for (difference, origin) in differences { print(difference.text + (origin.map { "  (\($0))" } ?? "")) }
          let added = differences.count { $0.0.before == nil }
          let removed = differences.count { $0.0.after == nil }
          print("\(added) added, \(removed) removed, \(differences.count - added - removed) changed")
        }
        return differences.count
      }
    }
    if count > 0 { throw ExitCode(1) }
    let files = [absolute(image.path), absolute(other.path)]
    if !files.contains(where: isFolder), try SHA256(contentsOf: files[0]) != SHA256(contentsOf: files[1]) {
      notice("The files in them are the same; other bytes of the images are not.")
      throw ExitCode(1)
    }
  }
}

/// `droneforge why IMAGE PATH`.
struct WhyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why", abstract: "Say why a file is in an image, and where it comes from.",
    discussion: """
      The manifest beside the image tells it:

          droneforge why build/drone.iso /chaos/chaos.rdz/bin/busybox
      """)

  @Argument(help: LookedImage.help, completion: .file()) var image: LookedImage
  @Argument(help: "A path in the image, as `droneforge ls` has them.") var path: String
  @Option(help: "The image's manifest. (default: the one beside it)", completion: .file()) var manifest: String?
  @Flag(help: "Print a JSON object.") var json = false

  func run() async throws {
    try await image.find(path) { contents, place in
      guard let provenance = try image.provenance(of: contents, from: manifest) else {
        throw BuildError.input("No manifest of \(image.path) is beside it. Name it with --manifest.")
      }
      guard let item = provenance[place] else {
        throw BuildError.input("The image's manifest says nothing of \(place).")
      }
      let isOther = contents[place].map { !item.tells(of: $0) } ?? true
      if json {
        print(
          JSON.object([
            ("path", .string(place.description)), ("why", .string(item.why)),
            ("origin", item.origin.map { .string($0) } ?? .null), ("from", .string(provenance.origin(of: item))),
            ("sha256", item.sha256.map { .string($0) } ?? .null), ("isAsBuilt", .bool(!isOther)),
          ]).text)
      } else {
        print("\(place)\nwhy   \(printable(item.why))\nfrom  \(printable(provenance.origin(of: item)))")
        if isOther { print("It is not what the manifest tells of: its content, kind or target is another.") }
      }
    }
  }
}

extension LookedImage {
  /// As `provenance`; nil also where the manifest is of no use, after a sentence that says so.
  fileprivate func knownProvenance(of contents: ImageContents) -> Provenance? {
    do { return try provenance(of: contents) } catch {
      notice("\(error)")
      return nil
    }
  }

  /// Where its files come from, by a named manifest or the one beside it; of a file of a network boot tree it is beside the
  /// tree. Nil without one. Throws a sentence for one that cannot be read, or is of another image.
  func provenance(of contents: ImageContents, from named: String? = nil) throws -> Provenance? {
    let image = absolute(path)
    let isPart = contents.form == .archive || contents.form == .program
    var places = [Medium.bill(beside: image)]
    var folder = image.removingLastComponent()
    while isPart, places.count < 5, !folder.isEmpty, folder.lastComponent != nil {
      places.append(Medium.bill(beside: folder))
      folder = folder.removingLastComponent()
    }
    guard let file = named.map({ FilePath($0) }) ?? places.first(where: exists) else { return nil }
    let bill = try BillOfMaterials(json: Workshop.contents(of: file))
    guard let provenance = Provenance(bill, of: isPart ? try SHA256(contentsOf: image) : nil) else {
      throw BuildError.input("\(file) is the manifest of another build: it tells of no file that is \(path).")
    }
    return provenance
  }
}
