import Image
import SecureChannel
import Workshop

/// Looks for private keys in bytes that come piece by piece: for PEM's headers (RFC 7468 §10, §11; RFC 1421's older ones
/// end in the same words) and for Ed25519 keys in DER (RFC 8410 §7).
struct KeySearch {
  private(set) var found = false
  /// The end of what came before: a key may begin in one piece and end in the next.
  private var end: [UInt8] = []

  // In two pieces each, so that this program itself does not look like a key.
  private static let patterns: [[UInt8]] = [
    [UInt8](("PRIVATE " + "KEY-----").utf8),
    [0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03] + [0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20],
  ]
  /// One byte less than the longest pattern.
  private static let overlap = 15

  mutating func add(_ piece: UnsafeRawBufferPointer) {
    guard !found else { return }
    let seam = end + piece.prefix(Self.overlap)
    for pattern in Self.patterns where !found {
      found = contains(piece, pattern) || seam.withUnsafeBytes { contains($0, pattern) }
    }
    end = (end + piece.suffix(Self.overlap)).suffix(Self.overlap)
  }
}

/// Private keys have no place where anybody can fetch them.
func checkSecrets(_ members: [Member], in container: String) -> [Finding] {
  members.filter { $0.kind == .file && $0.content.holdsKey }.map {
    Finding(.secret, container + $0.path, "it holds a private key, and anybody can read it")
  }
}

/// Checks that the credential in a root is what was meant: the certificate of the cluster's authority, with its key exactly
/// when the drone may admit nodes, for root alone.
func checkCredential(_ members: [Member], _ cluster: BillOfMaterials.Cluster?, in container: String) -> [Finding] {
  var findings: [Finding] = []
  func wrong(_ path: String, _ reason: String) { findings.append(Finding(.credential, "\(container):\(path)", reason)) }
  let parts = members.filter { $0.path == Credential.folder || $0.path.hasPrefix(Credential.folder + "/") }
  guard let cluster else {
    if !parts.isEmpty { wrong(Credential.folder, "the image should hold no cluster's credential") }
    return findings
  }
  for part in parts where part.mode & 0o077 != 0 { wrong(part.path, "others than root may read it") }
  func content(_ path: String) -> [UInt8]? { parts.first { $0.path == path && $0.kind == .file }?.content.bytes }
  guard let certificate = content(Credential.certificatePath).flatMap({ try? Certificate($0) }) else {
    wrong(Credential.certificatePath, "there is no certificate in it")
    return findings
  }
  if !certificate.isAuthority || !certificate.isSelfSigned {
    wrong(Credential.certificatePath, "it is not a cluster's authority")
  }
  let fingerprint = String(decoding: certificate.fingerprint.text, as: UTF8.self)
  if fingerprint != cluster.fingerprint {
    wrong(Credential.certificatePath, "it is of \(fingerprint) and should be of \(cluster.fingerprint)")
  }
  let description = content(Credential.descriptionPath).map { String(decoding: $0, as: UTF8.self) }
  if description != "\(cluster.name)\n\(cluster.fingerprint)\n" {
    wrong(Credential.descriptionPath, "it names another cluster")
  }
  switch (content(Credential.keyPath), cluster.mayAdmit) {
  case (nil, false): break
  case (nil, true): wrong(Credential.keyPath, "it is missing, and the drone is to admit nodes")
  case (_?, false): wrong(Credential.keyPath, "it is there, and the image should hold no key")
  case (let bytes?, true):
    if (try? SigningKey(bytes))?.publicKey != certificate.publicKey {
      wrong(Credential.keyPath, "it is not the key of the certificate")
    }
  }
  return findings
}
