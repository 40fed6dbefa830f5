import BootServer
import Bytes
import DroneLayout
import Linux
import SecureChannel
import UnifiedKernel

/// The files that a boot server hands out, by their names. They consist of open files of the medium, or of copies, and of some
/// bytes; none is in memory a second time.
final class ServedContent {
  private final class OpenFile {
    let descriptor: Descriptor
    let size: Int

    init(_ path: Path) throws(SystemError) {
      let file = try Descriptor(path, .read)
      size = Int(clamping: file.size ?? 0)
      descriptor = file
    }
  }

  private var open: [OpenFile] = []
  private(set) var names: [[UInt8]] = []
  private var contents: [ServedParts] = []

  /// Opens all files. Of a root archive the public part counts, with the certificate of this node's cluster behind it.
  /// - Parameters:
  ///   - folders: laid out as a medium; those of group `wide` may not be there.
  ///   - cluster: the folder with the cluster's credential.
  init(_ folders: ServedFolders, credentialIn cluster: Path) throws(SystemError) {
    // The certificate that is in the file, and not the file: somebody may have put a key beside it.
    guard
      let der = try? readFile(cluster / CredentialFile.certificate, limit: 1 << 16),
      let certificate = try? Certificate(der)
    else { throw SystemError("read", [UInt8](CredentialFile.certificate), number: 22) }
    let credential = PublicCredential(
      certificate: certificate.pem,
      description: (try? readFile(cluster / CredentialFile.description, limit: 1 << 12)) ?? [])
    for index in 0..<ServedFile.count {
      guard let served = ServedFile.at(index), let folder = folders.folder(of: served) else { continue }
      let file = try add(folder / served.source)
      var parts = ServedParts()
      if let root = ServedRoot(at: served.source) {
        guard let part = PublicPart(text: try readFile(folder / root.publicPart, limit: 256)) else {
          throw SystemError("read", [UInt8](root.publicPart), number: 22)
        }
        guard open[file].size >= part.size else { throw SystemError("read", [UInt8](served.source), number: 5) }
        parts.append(.file(file, from: 0), count: part.size)
        parts.append(credential.archive)
      } else {
        parts.append(.file(file, from: 0), count: open[file].size)
      }
      serve([UInt8](served.name), parts)
    }
    try addUnifiedKernel(folders)
  }

  /// Whether there is a file for UEFI of 64 bits.
  var servesUEFI: Bool { names.contains { $0.spells(MediumPath.unifiedKernel) } }

  func size(_ file: Int) -> Int { contents[file].size }

  private func add(_ path: Path) throws(SystemError) -> Int {
    open.append(try OpenFile(path))
    return open.count - 1
  }

  private func serve(_ name: [UInt8], _ parts: ServedParts) {
    names.append(name)
    contents.append(parts)
  }

  /// The one file for UEFI, where there is a stub and a kernel that it can start.
  private func addUnifiedKernel(_ folders: ServedFolders) throws(SystemError) {
    guard let wide = folders.wide, exists(wide / MediumPath.bootStub) else { return }
    let isBeside = folders.hasWideDrone
    let kernelPath = isBeside ? wide / MediumPath.wideKernel : folders.standard / MediumPath.kernel
    let rootName = isBeside ? MediumPath.wideRoot : MediumPath.root
    guard let root = names.firstIndex(where: { $0.spells(rootName) }) else { return }
    let kernel = try add(kernelPath)
    guard UnifiedDrone.canStart((try? open[kernel].descriptor.read(at: 0, count: 1024)) ?? []) else { return }
    let stub = try add(wide / MediumPath.bootStub)
    let beginning = try open[stub].descriptor.read(
      at: 0, count: min(open[stub].size, UnifiedKernelLayout.mostHeaderBytes))
    do throws(UnifiedKernelError) {
      serve(
        [UInt8](MediumPath.unifiedKernel),
        try UnifiedDrone.parts(
          stub: UnifiedDrone.Part(file: stub, size: open[stub].size), beginning: beginning,
          kernel: UnifiedDrone.Part(file: kernel, size: open[kernel].size), root: contents[root]))
    } catch {
      throw SystemError("read", [UInt8](MediumPath.bootStub), number: 8)
    }
  }

  /// So many bytes of a file from an offset; nil when they cannot be read.
  func read(_ file: Int, _ offset: Int, _ count: Int) -> [UInt8]? {
    guard contents.indices.contains(file), let pieces = contents[file].pieces(offset, count) else { return nil }
    var out: [UInt8] = []
    for piece in pieces {
      switch piece.source {
      case .bytes(let bytes): out += bytes[piece.offset..<piece.offset + piece.count]
      case .zeros: out += [UInt8](repeating: 0, count: piece.count)
      case .file(let number, _):
        guard let bytes = try? open[number].descriptor.read(at: Int64(piece.offset), count: piece.count),
          bytes.count == piece.count
        else { return nil }
        // Mostly the only one.
        if pieces.count == 1 { return bytes }
        out += bytes
      }
    }
    return out
  }
}

/// Where the served files lie, laid out as on a medium.
struct ServedFolders {
  let standard: Path
  /// For drones of 64 bits beside the first one, and for UEFI; nil where the medium has nothing of these.
  let wide: Path?

  /// Whether the medium has a second drone, of 64 bits.
  var hasWideDrone: Bool { wide.map { exists($0 / MediumPath.wideKernel) } ?? false }

  /// Whether the medium has what starts a drone from UEFI.
  var servesUEFI: Bool { wide.map { exists($0 / MediumPath.bootStub) } ?? false }

  /// Nil where the medium lacks the file's group.
  func folder(of file: ServedFile) -> Path? {
    switch file.group {
    case .standard: standard
    case .wide: hasWideDrone ? wide : nil
    }
  }
}
