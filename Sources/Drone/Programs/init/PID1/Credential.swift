import DroneLayout
import Bytes
import Linux
import Reporting

/// Where tyd finds the cluster's credential: the authority's certificate, and on a CD's drone its key.
/// Only root may look (0700, files 0600).
let clusterFolder = Path(DronePath.cluster)

/// Moves the credential that the image carries from the root to /run, so that the root is the one that certaintyd knows, and
/// reports which cluster the drone is for. Reports nothing when the image carries none.
func moveCredential() {
  let carried = Path(DronePath.credential)
  guard exists(carried) else { return }
  do {
    try makeDirectory(clusterFolder, permissions: 0o700)
    for name in directoryEntries(carried) {
      // The kernel keeps a root's files in memory: a copy on /run uses the room that the first one frees.
      try replaceFile(clusterFolder / name, try readFile(carried / name, limit: 1 << 16), permissions: 0o600)
      removeFile(carried / name)
    }
    try removeDirectory(carried)
  } catch {
    report(.failed, "cluster", error.text)
    return
  }
  let lines = ((try? readFile(clusterFolder / CredentialFile.description, limit: 1 << 12)) ?? []).split(
    separator: UInt8(ascii: "\n"))
  var text = [UInt8](lines.first ?? [])
  if lines.count > 1 { text += [UInt8](" ") + [UInt8](lines[1].prefix(9)) }
  text +=
    exists(clusterFolder / CredentialFile.key)
    ? [UInt8](", may admit itself and others") : [UInt8](", must be approved by a member")
  report(.ok, "cluster", text)
}
