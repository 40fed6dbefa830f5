import DroneLayout
import BootServer
import Bytes
import Linux
import SecureChannel

/// One file that a boot server hands out: bytes of an open file, and bytes behind them.
final class ServedContent {
  let name: [UInt8]
  private let file: Descriptor
  /// How many bytes of the file count.
  private let limit: Int
  private let appended: [UInt8]

  private init(_ name: StaticString, _ file: consuming Descriptor, limit: Int, appended: [UInt8]) {
    self.name = [UInt8](name)
    self.file = file
    self.limit = limit
    self.appended = appended
  }

  var size: Int { limit + appended.count }

  /// Opens all files in a folder laid out as a medium. Of the root archive the public part counts, with the certificate of this
  /// node's cluster behind it.
  static func all(in folder: Path, credentialIn cluster: Path) throws(SystemError) -> [ServedContent] {
    // The certificate that is in the file, and not the file: somebody may have put a key beside it.
    guard
      let der = try? readFile(cluster / CredentialFile.certificate, limit: 1 << 16),
      let certificate = try? Certificate(der)
    else { throw SystemError("read", [UInt8](CredentialFile.certificate), number: 22) }
    let credential = PublicCredential(
      certificate: certificate.pem,
      description: (try? readFile(cluster / "cluster", limit: 1 << 12)) ?? [])
    guard let part = PublicPart(text: try readFile(folder / MediumPath.publicPart, limit: 256)) else {
      throw SystemError("read", [UInt8](MediumPath.publicPart), number: 22)
    }
    var all: [ServedContent] = []
    for index in 0..<ServedFile.count {
      guard let served = ServedFile.at(index) else { continue }
      let file = try Descriptor(folder / served.source, .read)
      let size = Int(clamping: file.size ?? 0)
      let isRoot = [UInt8](served.name).spells(MediumPath.root)
      guard !isRoot || size >= part.size else { throw SystemError("read", [UInt8](served.source), number: 5) }
      all.append(
        ServedContent(
          served.name, file, limit: isRoot ? part.size : size, appended: isRoot ? credential.archive : []))
    }
    return all
  }

  /// So many bytes from an offset; nil when they cannot be read.
  func read(_ offset: Int, _ count: Int) -> [UInt8]? {
    guard offset >= 0, count >= 0, offset <= size, count <= size - offset else { return nil }
    let fromFile = max(0, min(count, limit - offset))
    guard let bytes = fromFile == 0 ? [] : try? file.read(at: Int64(offset), count: fromFile), bytes.count == fromFile
    else { return nil }
    if fromFile == count { return bytes }
    let start = max(0, offset - limit)
    return bytes + appended[start..<(start + count - fromFile)]
  }
}
