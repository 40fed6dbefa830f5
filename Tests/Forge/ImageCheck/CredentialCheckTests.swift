import Image
import SecureChannel
import Testing

@testable import ImageCheck

@Suite("A cluster's credential in an image")
struct CredentialCheckTests {
  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  private struct Authority {
    let key: SigningKey
    let certificate: Certificate
    let fingerprint: String

    init() throws {
      key = try SigningKey()
      certificate = try .authority(name: Array("lab".utf8), key: key, notBefore: 0, notAfter: 4_000_000_000)
      fingerprint = CredentialCheckTests.text(certificate.fingerprint.text)
    }

    func bill(mayAdmit: Bool) -> BillOfMaterials.Cluster {
      .init(name: "lab", fingerprint: fingerprint, mayAdmit: mayAdmit, credential: [])
    }

    func members(key: [UInt8]?) -> [Member] {
      func file(_ path: String, _ bytes: [UInt8]) -> Member {
        Member(path: path, kind: .file, mode: 0o600, user: 0, group: 0, content: bytes)
      }
      var members = [
        Member(path: "/credential", kind: .directory, mode: 0o700, user: 0, group: 0, content: []),
        file("/credential/ca.crt", certificate.pem),
        file("/credential/cluster", Array("lab\n\(fingerprint)\n".utf8)),
      ]
      if let key { members.append(file("/credential/ca.key", key)) }
      return members
    }
  }

  private func reasons(_ members: [Member], _ cluster: BillOfMaterials.Cluster?) -> [String] {
    checkCredential(members, cluster, in: "r").map { "\($0.place): \($0.reason)" }
  }

  @Test("certificate and key that belong together are sound, and so is the certificate alone where that is meant")
  func sound() throws {
    let authority = try Authority()
    #expect(reasons(authority.members(key: authority.key.pem), authority.bill(mayAdmit: true)) == [])
    #expect(reasons(authority.members(key: nil), authority.bill(mayAdmit: false)) == [])
    #expect(reasons([], nil) == [])
  }

  @Test("a key too many, too few or of another cluster is found")
  func keys() throws {
    let (authority, other) = (try Authority(), try Authority())
    #expect(
      reasons(authority.members(key: authority.key.pem), authority.bill(mayAdmit: false)) == [
        "r:/credential/ca.key: it is there, and the image should hold no key"
      ])
    #expect(
      reasons(authority.members(key: nil), authority.bill(mayAdmit: true)) == [
        "r:/credential/ca.key: it is missing, and the drone is to admit nodes"
      ])
    #expect(
      reasons(authority.members(key: other.key.pem), authority.bill(mayAdmit: true)) == [
        "r:/credential/ca.key: it is not the key of the certificate"
      ])
    #expect(reasons(authority.members(key: nil), other.bill(mayAdmit: false)).count == 2)
    #expect(
      reasons(authority.members(key: nil), nil) == ["r:/credential: the image should hold no cluster's credential"])
  }

  @Test("what others than root may read is found")
  func modes() throws {
    let authority = try Authority()
    var members = authority.members(key: authority.key.pem)
    for place in members.indices { members[place].mode |= 0o044 }
    #expect(reasons(members, authority.bill(mayAdmit: true)).count == 4)
  }

  @Test("an Ed25519 key is found as PEM and as DER, anywhere in a file")
  func secrets() throws {
    let key = try SigningKey()
    for bytes in [key.pem, key.der, [1, 2, 3] + key.der + [4, 5, 6]] {
      let member = Member(path: "/x", kind: .file, mode: 0o644, user: 0, group: 0, content: bytes)
      #expect(checkSecrets([member], in: "").map(\.check) == [.secret])
    }
    let member = Member(
      path: "/x", kind: .file, mode: 0o644, user: 0, group: 0,
      content: try Certificate.joiner(key).der + key.publicKey.der)
    #expect(checkSecrets([member], in: "") == [])
  }
}
