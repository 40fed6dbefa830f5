import Foundation
import ImageContents
import SystemPackage
import Workshop

/// Reads what is in an image and gives it to `body`: a CD image, a network boot tree, a drone's archive, or a program of
/// kernel and root. Contents that were kept can be read within `body` alone.
///
/// Throws a sentence for what is none of them or cannot be read at all; what of it cannot be read is in the contents'
/// warnings.
///
/// - Parameters:
///   - opening: whether what is in a file that can be entered is wanted.
///   - keeping: whether a file's content is wanted.
public func withImageContents<Result>(
  of image: FilePath, opening: @escaping (ImagePath) -> Bool = { _ in true },
  keeping: @escaping (ImagePath) -> Bool = { _ in false }, _ body: (ImageContents) async throws -> Result
) async throws -> Result {
  try await withTemporaryFolder(in: temporaryFolder) { scratch in
    var reader = ContentsReader(scratch: scratch, opening: opening, keeping: keeping)
    return try await body(reader.read(image))
  }
}

private struct ContentsReader {
  let scratch: FilePath
  let opening: (ImagePath) -> Bool
  let keeping: (ImagePath) -> Bool
  private var entries: [ImageEntry] = []
  private var warnings: [String] = []
  private var shelves = 0

  init(scratch: FilePath, opening: @escaping (ImagePath) -> Bool, keeping: @escaping (ImagePath) -> Bool) {
    (self.scratch, self.opening, self.keeping) = (scratch, opening, keeping)
  }

  mutating func read(_ image: FilePath) throws -> ImageContents {
    func contents(_ form: ImageContents.Form, _ size: Int) -> ImageContents {
      ImageContents(form, size: size, entries, warnings: warnings.map(printable))
    }
    if isFolder(image) {
      guard exists(image.appending(String(kernelPath.dropFirst()))) else {
        throw BuildError.input("\(image) is a folder and no network boot tree: \(kernelPath) is not in it.")
      }
      let members = try readTree(image)
      // A folder of the builder's has the builder's owners.
      add(members, below: .top, knowsModes: false)
      return contents(.tree, members.reduce(0) { $0 + $1.content.size })
    }
    var look = stat()
    guard stat(image.string, &look) != 0 || look.st_mode & S_IFMT == S_IFREG else {
      throw BuildError.file(
        path: image.string, reason: "it is neither a file nor a folder",
        remedy: "Name an image, or the folder of a network boot tree.")
    }
    let bytes = try FileBytes(image)
    do throws(ArchiveError) {
      switch inside(bytes) {
      case .archive:
        try open(archive: bytes, .top)
        return contents(.archive, bytes.count)
      case .program:
        open(program: bytes, .top)
        return contents(.program, bytes.count)
      default: break
      }
      guard bytes.has("CD001", at: Volume.firstDescriptor * Volume.sector + 1) else {
        throw ArchiveError(
          reason:
            "it is no CD image, no cpio archive, compressed by xz or not, and no program for UEFI with a kernel in it")
      }
      // What can be entered is known by its first bytes.
      try add(readCD(bytes, shelf: shelf { _ in true }), below: .top)
    } catch {
      throw BuildError.file(
        path: image.string, reason: printable(error.reason),
        remedy: "Name an image, or the folder of a network boot tree.")
    }
    var ignored: [Finding] = []
    if let partition = SystemPartition.read(bytes, &ignored).bytes(of: bytes) { open(partition: partition) }
    return contents(.cd, bytes.count)
  }

  /// A shelf for the files of one archive.
  private mutating func shelf(_ keeps: @escaping (ImagePath) -> Bool) throws(ArchiveError) -> Shelf {
    shelves += 1
    let folder = scratch.appending("\(shelves)")
    do { try makeFolder(folder) } catch { throw ArchiveError(reason: "\(error)") }
    return Shelf(folder: folder) { path, _ in keeps(ImagePath(bytes: path.utf8)) }
  }

  /// - Parameter knowsModes: their file system has modes and owners.
  private mutating func add(_ members: [Member], below place: ImagePath, knowsModes: Bool = true) {
    for member in members {
      let bytes = member.rawPath ?? [UInt8](member.path.utf8)
      let path = ImagePath(bytes: bytes)
      // Linux unpacks none of that length (PATH_MAX), and nobody makes folders so deep.
      guard bytes.count < 4096, path.names.count <= 128 else {
        warnings.append(
          "A path in \(place) has \(bytes.count) bytes and \(path.names.count) names, and is left out: 4095 and 128 are read."
        )
        continue
      }
      var entry = ImageEntry(
        path.isTop ? place.appending([UInt8(ascii: ".")]) : place.appending(path), member.kind.entry)
      if knowsModes {
        entry.mode = member.mode
        entry.owner = .init(user: member.user, group: member.group)
      }
      entry.device = member.device
      entry.target = member.rawTarget ?? member.target.map { [UInt8]($0.utf8) }
      add(entry, member.content)
    }
  }

  /// Adds an entry, and what is in it.
  private mutating func add(_ given: ImageEntry, _ content: Content) {
    var entry = given
    let volume = entry.path
    if entry.kind == .file {
      entry.size = content.size
      entry.digest = content.digest
      if let source = content.source { entry.read = { offset, count in source.part(offset, count) } }
      if entry.inside == nil, let source = content.source, let inside = inside(source), entered.contains(inside) {
        entry.inside = inside
      }
    }
    entries.append(entry)
    guard let source = content.source, opening(volume) else { return }
    switch entry.inside {
    case .archive:
      do throws(ArchiveError) {
        try open(archive: source, volume)
      } catch {
        entries[entries.count - 1].inside = nil
        warnings.append("\(volume) cannot be read to its end (\(error.reason)), so nothing in it is shown.")
      }
    case .program: open(program: source, volume)
    case .partition, nil: break
    }
  }

  /// What is entered where it reads: of a program its root, within a root nothing.
  private var entered: Set<ImageEntry.Inside> = [.archive, .program]

  private mutating func open(archive: any ByteSource, _ place: ImagePath) throws(ArchiveError) {
    let keeping = keeping
    let shelf = try shelf { keeping(place.appending($0)) }
    let members =
      archive.has("070701", at: 0)
      ? try readCpioArchives(archive, shelf: shelf) : try readRoot(archive, shelf: shelf).members
    let outer = entered
    entered = []
    add(members, below: place)
    entered = outer
  }

  private mutating func open(program: any ByteSource, _ place: ImagePath) {
    var findings: [Finding] = []
    let outer = entered
    entered = [.archive]
    defer { entered = outer }
    if let header = try? EFIProgram(program), let kernel = UnifiedKernel(header, program, at: "\(place)", &findings) {
      func add(_ name: [UInt8], _ content: Content) { self.add(ImageEntry(place.appending(name), .file), content) }
      add(ImageContents.kernelSection, Content(of: kernel.kernel))
      if let root = kernel.root { add(ImageContents.rootSection, Content(of: root)) }
      if let line = kernel.commandLine { add(ImageContents.lineSection, Content(line)) }
      if !kernel.system.isEmpty { add(ImageContents.systemSection, Content(kernel.system)) }
    }
    warnings += findings.map { "\($0.place): \($0.reason)." }
  }

  private mutating func open(partition: Extent) {
    var entry = ImageEntry(.partition, .file)
    let content = Content(of: partition)
    entry.inside = .partition
    add(entry, content)
    guard opening(.partition) else { return }
    var findings: [Finding] = []
    if let volume = FATFileSystem.read(partition, at: partitionName, &findings) {
      add(volume.members(at: partitionName, &findings), below: .partition, knowsModes: false)
    }
    warnings += findings.map { "\($0.place): \($0.reason)." }
  }
}

/// What a file is by its first bytes; nil for what cannot be entered.
private func inside(_ bytes: any ByteSource) -> ImageEntry.Inside? {
  if bytes.has("070701", at: 0) || bytes.part(0, XZStream.magic.count).map({ [UInt8]($0) }) == XZStream.magic {
    return .archive
  }
  guard bytes.has("MZ", at: 0), let program = try? EFIProgram(bytes) else { return nil }
  return program.sections.contains { $0.name == ".linux" } ? .program : nil
}

extension Member.Kind {
  fileprivate var entry: ImageEntry.Kind {
    switch self {
    case .file: .file
    case .directory: .folder
    case .symbolicLink: .symbolicLink
    case .characterDevice: .characterDevice
    case .other: .other
    }
  }
}
