import ArgumentParser
import DroneLayout
import Foundation
import ImageCheck
import ImageContents
import SystemPackage
import Workshop

/// What the commands that look into an image say about paths.
private let aboutPaths = """
  An image is a CD image, the folder of a network boot tree, a drone's archive (chaos.rdz), or the program of kernel and \
  root (drone-x64.efi). A path names a file of the medium, and goes on into what is in it: a drone's root is below its \
  archive, the parts of such a program below that, and the files that UEFI starts below /efi-partition of a CD image. What \
  can be entered so ends in "/" in a list.

      droneforge ls build/drone.iso
      droneforge cat build/drone.iso /chaos/chaos.rdz/etc/passwd

  A path that the medium does not have is looked for in the roots, and taken where one alone has it. A byte of a name that \
  is no text is shown, and typed, as \\x and two digits.
  """

/// What `ls` and `tree` take.
struct FolderArguments: ParsableArguments {
  @Argument(help: LookedImage.help, completion: .file()) var image: LookedImage
  @Argument(help: "A path in the image. (default: its top)") var path: String?
  @Flag(help: "Print a JSON array of objects.") var json = false

  /// Prints what a text is made of the image and the path's place in it.
  func show(_ text: @escaping @Sendable (ImageContents, ImagePath) -> String) async throws {
    try await image.find(path ?? "/") { print(text($0, $1)) }
  }
}

/// `droneforge ls IMAGE [PATH]`.
struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "List what is in an image, or in a folder or archive of it.", discussion: aboutPaths)

  @OptionGroup var folder: FolderArguments

  func run() async throws {
    let json = folder.json
    try await folder.show { contents, place in
      let entry = contents[place]
      let shown = entry?.isFolder == false ? [entry].compactMap(\.self) : contents.children(of: place)
      return json ? JSON.array(shown.map(\.json)).text : listText(shown)
    }
  }
}

/// `droneforge tree IMAGE [PATH]`.
struct TreeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tree", abstract: "List all that is below a folder or archive of an image.",
    discussion: "What can be entered is listed when PATH names it.\n\n" + aboutPaths)

  @OptionGroup var folder: FolderArguments

  func run() async throws {
    let json = folder.json
    try await folder.show { contents, place in
      json
        ? JSON.array(contents.entries(below: place).map(\.json)).text
        : ([place.description] + treeLines(contents, below: place)).joined(separator: "\n")
    }
  }
}

/// `droneforge cat IMAGE PATH`.
struct CatCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cat", abstract: "Write a file of an image to standard output.",
    discussion: "Links are followed within the root that they are in.\n\n" + aboutPaths)

  @Argument(help: LookedImage.help, completion: .file()) var image: LookedImage
  @Argument(help: "A file in the image.") var path: String

  func run() async throws {
    let linked: ImagePath? = try await image.find(path, keeping: true) { contents, place in
      guard let entry = try contents.followed(place), entry.kind == .file else {
        throw BuildError.input("\(place) is no file: `droneforge ls` lists a folder.")
      }
      guard entry.read != nil || entry.size == 0 else { return entry.path }
      try write(entry)
      return nil
    }
    guard let linked else { return }
    // What a link leads to is known only now.
    try await image.find(at: linked, keeping: true) { contents in
      if let entry = contents[linked] { try write(entry) }
    }
  }

  private func write(_ entry: ImageEntry) throws {
    try fileOperation("standard output", "Write it to a file that has room") {
      try entry.forEachPiece { piece in
        do { _ = try FileDescriptor.standardOutput.writeAll(piece) } catch Errno.brokenPipe {
          // Whoever reads has enough, as `head` does.
          throw ExitCode(128 + SIGPIPE)
        }
      }
    }
  }
}

/// `droneforge extract IMAGE [PATH…] --into DIR`.
struct ExtractCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract", abstract: "Write files of an image to a new folder.",
    discussion: """
      Without a path all of the medium is written. A file goes where it is in its medium or root; of an archive that is named \
      its files are written, and any other as the file that it is:

          droneforge extract build/drone.iso /chaos/chaos.rdz --into root

      The folder is there with all files or not at all, and nothing is written outside of it. Modes are the image's, without \
      setuid and setgid. Owners are so for root alone, as are devices, which are left out and named for others.


      """ + aboutPaths)

  @Argument(help: LookedImage.help, completion: .file()) var image: LookedImage
  @Argument(help: "Paths in the image. (default: all of the medium)") var paths: [String] = []
  @Option(
    help: ArgumentHelp("A folder that is not there yet, or is empty.", valueName: "folder"), completion: .directory)
  var into: String

  func run() async throws {
    try await image.find(paths, keeping: true) { contents, places in
      let extraction = try Extraction(places, of: contents)
      for sentence in try await extraction.write(to: FilePath(into)) { notice(sentence) }
    }
  }
}

/// The image that is looked into.
struct LookedImage: ExpressibleByArgument, Sendable {
  static let help: ArgumentHelp = "A CD image, a network boot tree, a drone's archive, or its program for UEFI."

  let path: String

  init(argument: String) { path = argument }

  /// As `find` of several, for one path.
  func find<Result: Sendable>(
    _ typed: String, keeping: Bool = false,
    _ body: @escaping @Sendable (ImageContents, ImagePath) async throws -> Result
  ) async throws -> Result {
    try await find([typed], keeping: keeping) { try await body($0, $1[0]) }
  }

  /// Reads as much as it takes to find these paths, and gives their places; everything when they are not found so.
  func find<Result: Sendable>(
    _ typed: [String], keeping: Bool = false,
    _ body: @escaping @Sendable (ImageContents, [ImagePath]) async throws -> Result
  ) async throws -> Result {
    let paths = typed.map { ImagePath(typed: $0) }
    // A path is perhaps counted from a root.
    @Sendable func isWanted(_ path: ImagePath) -> Bool {
      keeping
        && (paths.isEmpty
          || paths.contains { wanted in
            path.names.indices.contains { path.names[$0...].starts(with: wanted.names) }
          })
    }
    let found = try await read(opening: { place in paths.contains { $0.isAt(orBelow: place) } }, keeping: isWanted) {
      contents -> Result? in
      guard paths.allSatisfy({ $0.isTop || contents[$0] != nil }) else { return nil }
      return try await body(contents, paths)
    }
    if let found { return found }
    return try await read(keeping: isWanted) { contents in
      try await body(contents, paths.map { try contents.place(of: $0) })
    }
  }

  /// Reads what is on the way to one path that is there.
  func find(at place: ImagePath, keeping: Bool, _ body: @escaping @Sendable (ImageContents) async throws -> Void)
    async throws
  {
    try await read(opening: { place.isAt(orBelow: $0) }, keeping: { keeping && $0 == place }, body)
  }

  /// Reads an image; Ctrl-C and a reader of the output who ends early leave nothing behind. Warnings go to standard error.
  func read<Result: Sendable>(
    opening: @escaping @Sendable (ImagePath) -> Bool = { _ in true },
    keeping: @escaping @Sendable (ImagePath) -> Bool = { _ in false },
    _ body: @escaping @Sendable (ImageContents) async throws -> Result
  ) async throws -> Result {
    let path = try existingImage(path)
    // A reader who has enough would end this program with its temporary files left.
    signal(SIGPIPE, SIG_IGN)
    return try await stoppable {
      try await withImageContents(of: path, opening: opening, keeping: keeping) { contents in
        contents.warnings.forEach(notice)
        return try await body(contents)
      }
    }
  }
}
