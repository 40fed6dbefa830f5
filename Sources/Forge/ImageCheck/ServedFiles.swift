import BootServer
import Image
import Target
import Workshop

/// Checks what a CD holds for the drone that boots others from it (`tyd -pm`): every file that it serves, a boot
/// configuration that names no other, and for each root archive a public part that ends where the root does and holds no secret.
func checkServedFiles(_ members: [Member], for target: ImageTarget) -> [Finding] {
  var findings: [Finding] = []
  let files = Dictionary(
    members.filter { $0.kind == .file }.map { ($0.path, $0.content) }, uniquingKeysWith: { first, _ in first })
  let served = (0..<ServedFile.count).compactMap { ServedFile.at($0) }.filter {
    $0.group == .standard || target.drones.count > 1
  }
  let names = Set(served.map { "/\($0.name)" })
  for file in served {
    if files["/\(file.source)"] == nil {
      findings.append(Finding(.presence, "/\(file.source)", "no drone could boot others without it"))
    }
    if "\(file.name)" == "pxelinux.cfg/default", let content = files["/\(file.source)"] {
      findings +=
        content.bytes.map { checkConfiguration($0, at: "/\(file.source)", folder: "/", files: names) }
        ?? [Finding(.configuration, "/\(file.source)", "with \(content.size) bytes it is too large to be looked at")]
    }
  }
  for file in served {
    if let root = ServedRoot(at: file.source) { findings += checkPublicPart(of: root, files) }
  }
  return findings
}

private func checkPublicPart(of root: ServedRoot, _ files: [String: Content]) -> [Finding] {
  let place = "/\(root.publicPart)"
  func wrong(_ reason: String) -> [Finding] { [Finding(.secret, place, reason)] }
  guard let archive = files["/\(root.path)"]?.source else { return [] }
  guard let text = files[place]?.bytes else {
    return [Finding(.presence, place, "no drone could boot others without it")]
  }
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
  var findings = checkSecrets(members, in: "/\(root.path):")
  if members.contains(where: { $0.path.hasPrefix(Credential.folder) }) {
    findings += wrong("the public part of the archive holds a credential")
  }
  return findings
}
