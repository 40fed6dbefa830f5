import BootServer
import Image
import Workshop

/// Checks what a CD holds for the drone that boots others from it (`tyd -pm`): every file that it serves, a boot
/// configuration that names no other, and a public part of the archive that ends where the root does and holds no secret.
func checkServedFiles(_ members: [Member]) -> [Finding] {
  var findings: [Finding] = []
  let files = Dictionary(
    members.filter { $0.kind == .file }.map { ($0.path, $0.content) }, uniquingKeysWith: { first, _ in first })
  for index in 0..<ServedFile.count {
    guard let file = ServedFile.at(index) else { continue }
    if files["/\(file.source)"] == nil {
      findings.append(Finding(.presence, "/\(file.source)", "no drone could boot others without it"))
    }
    if "\(file.name)" == "pxelinux.cfg/default", let text = files["/\(file.source)"]?.bytes {
      findings += checkConfiguration(text, at: "/\(file.source)", folder: "/", files: servedNames)
    }
  }
  return findings + checkPublicPart(files)
}

private let servedNames = Set((0..<ServedFile.count).compactMap { ServedFile.at($0).map { "/\($0.name)" } })

private func checkPublicPart(_ files: [String: Content]) -> [Finding] {
  func wrong(_ reason: String) -> [Finding] { [Finding(.secret, publicPartPath, reason)] }
  guard let text = files[publicPartPath]?.bytes, let archive = files[rootPath]?.source else { return [] }
  guard let part = PublicPart(text: text) else { return wrong("it does not say how much of the archive is public") }
  guard part.size <= archive.count else { return wrong("it names more bytes than the archive has") }
  let beginning = Extent(whole: archive, count: part.size)
  guard beginning.sealed == part.digest else { return wrong("the archive does not begin as it says") }
  let members: [Member]
  do {
    members = try readRoot(beginning, shelf: Shelf(room: 0)).members
  } catch {
    return wrong("the archive's public part cannot be read to its end: \(error.reason)")
  }
  var findings = checkSecrets(members, in: "\(rootPath):")
  if members.contains(where: { $0.path.hasPrefix(Credential.folder) }) {
    findings += wrong("the public part of the archive holds a credential")
  }
  return findings
}
