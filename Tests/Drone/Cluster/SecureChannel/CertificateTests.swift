import Addresses
import Bytes
import Foundation
import Testing

@testable import SecureChannel

@Suite("Certificates")
struct CertificateTests {
  @Test("a certificate says what it was made to say")
  func content() throws {
    let cluster = try Cluster("lab 7")
    let authority = cluster.authority
    #expect(authority.role == .authority && authority.name == ascii("lab 7") && authority.isAuthority)
    #expect(authority.isSelfSigned && authority.notBefore == began && authority.notAfter == ends)
    let key = try SigningKey()
    let node = try authority.issue(for: key.publicKey, key: cluster.key)
    #expect(node.role == .node && !node.isAuthority && !node.isSelfSigned && node.publicKey == key.publicKey)
    #expect(node.notBefore == began && node.notAfter == ends)
    #expect(
      node.name
        == ascii(String(decoding: key.publicKey.fingerprint.text, as: UTF8.self).replacing("-", with: "")).prefix(32)
        .map { $0 })
    let joiner = try Certificate.joiner(key)
    #expect(joiner.role == .joiner && joiner.isSelfSigned && !joiner.isAuthority)
    #expect(joiner.notBefore == 0 && joiner.notAfter == 253_402_300_799)
    #expect(joiner.fingerprint == node.fingerprint && joiner != node)
    for certificate in [authority, node, joiner] {
      #expect(try Certificate(certificate.pem) == certificate && Certificate(certificate.der) == certificate)
    }
  }

  @Test("two certificates of one key have different serial numbers")
  func serial() throws {
    let cluster = try Cluster()
    let key = try SigningKey()
    let one = try cluster.authority.issue(for: key.publicKey, key: cluster.key)
    let other = try cluster.authority.issue(for: key.publicKey, key: cluster.key)
    #expect(one.serial != other.serial && one.serial.count == 16)
  }

  @Test(
    "dates of any year come back",
    arguments: [0, 951_782_400, 951_868_799, 1_709_251_199, 2_524_607_999, 2_524_608_000, 253_402_300_799])
  func dates(seconds: Int64) throws {
    let key = try SigningKey()
    let certificate = try Certificate.authority(
      name: ascii("x"), key: key, notBefore: seconds, notAfter: 253_402_300_799)
    #expect(certificate.notBefore == seconds)
  }

  @Test("only the authority's key issues")
  func otherKey() throws {
    let cluster = try Cluster()
    let key = try SigningKey()
    #expect(throws: SecureChannelError.otherKey) { try cluster.authority.issue(for: key.publicKey, key: key) }
    #expect(throws: SecureChannelError.otherKey) {
      try ChannelIdentity(key: key, certificate: cluster.authority, authority: cluster.authority)
    }
  }

  @Test("a name is 1 to 64 printable characters", arguments: ["", "a\nb", "é", String(repeating: "n", count: 65)])
  func names(name: String) throws {
    let key = try SigningKey()
    #expect(throws: SecureChannelError.badName) {
      try Certificate.authority(name: ascii(name), key: key, notBefore: began, notAfter: ends)
    }
  }

  @Test("a member's certificate stands under its own authority and only while that lives")
  func objections() throws {
    let (ours, theirs) = (try Cluster(), try Cluster())
    let key = try SigningKey()
    let node = try ours.authority.issue(for: key.publicKey, key: ours.key)
    #expect(node.objection(under: ours.authority, at: present) == nil)
    #expect(node.objection(under: theirs.authority, at: present) == .wrongAuthority)
    #expect(node.objection(under: ours.authority, at: ends + 1) == .expired)
    #expect(node.objection(under: ours.authority, at: began - 1) == .notYetValid)
    #expect(ours.authority.objection(under: ours.authority, at: present) == .badCertificate)
    #expect(try Certificate.joiner(key).objection(under: ours.authority, at: present) == .wrongAuthority)
  }

  @Test("a certificate with any one byte changed is none of a member")
  func changed() throws {
    let cluster = try Cluster()
    let node = try cluster.authority.issue(for: SigningKey().publicKey, key: cluster.key)
    for place in node.der.indices {
      var der = node.der
      der[place] ^= 0x01
      guard let read = try? Certificate(der) else { continue }
      #expect(read.objection(under: cluster.authority, at: present) != nil, "byte \(place)")
    }
    #expect(throws: SecureChannelError.badCertificate) { try Certificate(node.der + [0]) }
    #expect(throws: SecureChannelError.badCertificate) { try Certificate([UInt8](node.der.dropLast())) }
    #expect(throws: SecureChannelError.badCertificate) { try Certificate([]) }
  }

  @Test("openssl verifies our certificates, for both directions, and names the same fingerprint")
  func readByOpenSSL() throws {
    let cluster = try Cluster()
    let key = try SigningKey()
    let node = try cluster.authority.issue(for: key.publicKey, key: cluster.key)
    try withFolder { folder in
      let (ca, leaf, secret) = (folder + "/ca.crt", folder + "/node.crt", folder + "/node.key")
      try Data(cluster.authority.pem).write(to: URL(filePath: ca))
      try Data(node.pem).write(to: URL(filePath: leaf))
      try Data(key.pem).write(to: URL(filePath: secret))
      for purpose in ["sslclient", "sslserver"] {
        let verified = try openssl(
          "verify", "-x509_strict", "-purpose", purpose, "-attime", "\(present)", "-CAfile", ca, leaf)
        #expect(verified.status == 0 && verified.text.contains("OK"), "\(verified.text)")
      }
      let text = try openssl("x509", "-in", leaf, "-noout", "-text").text
      for part in ["ED25519", "CA:FALSE", "Digital Signature", "TLS Web Server Authentication", "OU = node"] {
        #expect(text.contains(part), "\(part) in \(text)")
      }
      #expect(try openssl("x509", "-in", ca, "-noout", "-text").text.contains("CA:TRUE, pathlen:0"))
      let spki = folder + "/node.pub"
      #expect(try openssl("pkey", "-in", secret, "-pubout", "-outform", "DER", "-out", spki).status == 0)
      let digest = try openssl("dgst", "-sha256", "-r", spki).text.prefix(64)
      #expect(Fingerprint(text: ascii(String(digest))) == node.fingerprint)
      // And what openssl makes, we read.
      let made = folder + "/made.key"
      #expect(try openssl("genpkey", "-algorithm", "ed25519", "-out", made).status == 0)
      _ = try SigningKey([UInt8](Data(contentsOf: URL(filePath: made))))
    }
  }
}

@Suite("The earliest that the present can be")
struct TimeFloorTests {
  @Test("a clock of 1980 gives way to the authority's beginning, and that to a member's time")
  func floor() throws {
    let authority = try Cluster().authority
    var floor = TimeFloor(authority: authority, clock: 315_532_800)
    #expect(floor.seconds == began)
    floor.told(present, under: authority)
    #expect(floor.seconds == present)
    floor.told(began, under: authority)
    #expect(floor.seconds == present)
    floor.observe(clock: present - 5)
    #expect(floor.seconds == present)
    floor.observe(clock: present + 5)
    #expect(floor.seconds == present + 5)
    #expect(TimeFloor(authority: authority, clock: ends + 9).seconds == ends + 9)
  }

  @Test("a member that tells a time beyond the authority's end does not end the cluster")
  func wrongClock() throws {
    let cluster = try Cluster()
    var floor = TimeFloor(authority: cluster.authority, clock: present)
    floor.told(ends + 1, under: cluster.authority)
    #expect(floor.seconds == present)
    // Nor does one that tells the very last moment, and the latest that is believed ends nothing.
    floor.told(ends, under: cluster.authority)
    #expect(floor.seconds == present)
    floor.told(ends - 1, under: cluster.authority)
    #expect(floor.seconds == ends - 1)
    #expect(try connected(cluster.member(), cluster.member(), at: floor.seconds).server.peer != nil)
  }

  @Test("two Pentiums that both say 1980 join, and a third that knows the end of the authority refuses")
  func all() throws {
    let cluster = try Cluster()
    let floor = TimeFloor(authority: cluster.authority, clock: 315_532_800)
    #expect(try connected(cluster.member(), cluster.member(), at: floor.seconds).server.peer != nil)
    let late = TimeFloor(authority: cluster.authority, clock: ends + 1)
    #expect(try connected(cluster.member(), cluster.member(), at: late.seconds).client.reason == .expired)
  }
}
