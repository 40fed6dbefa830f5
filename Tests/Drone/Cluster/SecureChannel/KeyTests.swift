import Addresses
import Foundation
import Testing

@testable import SecureChannel

@Suite("Keys, fingerprints, PEM")
struct KeyTests {
  @Test("the private key of RFC 8410's example is read, and its public key is the RFC's")
  func example() throws {
    // RFC 8410, §10.3 and §10.1.
    let key = try SigningKey(
      ascii(
        """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
        -----END PRIVATE KEY-----
        """))
    #expect(
      PEM.encoded(key.publicKey.der, label: "PUBLIC KEY")
        == ascii(
          """
          -----BEGIN PUBLIC KEY-----
          MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
          -----END PUBLIC KEY-----

          """))
    #expect(try SigningKey(key.pem) == key && SigningKey(key.der) == key)
  }

  @Test("a signature is the one that RFC 8032 expects, openssl verifies it, and nothing else passes for it")
  func signatures() throws {
    // RFC 8032, §7.1, test 3.
    let seed: [UInt8] = [
      0xC5, 0xAA, 0x8D, 0xF4, 0x3F, 0x9F, 0x83, 0x7B, 0xED, 0xB7, 0x44, 0x2F, 0x31, 0xDC, 0xB7, 0xB1,
      0x66, 0xD3, 0x85, 0x35, 0x07, 0x6F, 0x09, 0x4B, 0x85, 0xCE, 0x3A, 0x2E, 0x0B, 0x44, 0x58, 0xF7,
    ]
    let key = try SigningKey(try SigningKey().der.dropLast(32) + seed)
    let signature = try #require(key.signature(of: [0xAF, 0x82]))
    #expect(signature.count == 64 && signature.starts(with: [0x62, 0x91, 0xD6, 0x57, 0xDE, 0xEC, 0x24, 0x02]))
    #expect(key.publicKey.verifies(signature, of: [0xAF, 0x82]))
    for (other, statement) in [
      (signature, [0xAF, 0x83]), (signature, []), ([UInt8](signature.dropLast()), [0xAF, 0x82]),
      (signature + [0], [0xAF, 0x82]), ([], [0xAF, 0x82]), ([UInt8](repeating: 0, count: 64), [0xAF, 0x82]),
    ] as [([UInt8], [UInt8])] { #expect(!key.publicKey.verifies(other, of: statement)) }
    #expect(try !SigningKey().publicKey.verifies(signature, of: [0xAF, 0x82]))
    // Neither is a point of the curve's large group, or any at all: no key, and no failure.
    for point in [[UInt8](repeating: 0, count: 32), [UInt8](repeating: 0xFF, count: 32)] {
      #expect(PublicKey(point)?.verifies(signature, of: [0xAF, 0x82]) == false)
    }
    try withFolder { folder in
      try Data(PEM.encoded(key.publicKey.der, label: "PUBLIC KEY")).write(to: URL(filePath: folder + "/key"))
      try Data([0xAF, 0x82]).write(to: URL(filePath: folder + "/statement"))
      try Data(signature).write(to: URL(filePath: folder + "/signature"))
      let said = try openssl(
        "pkeyutl", "-verify", "-pubin", "-inkey", folder + "/key", "-rawin", "-in", folder + "/statement", "-sigfile",
        folder + "/signature")
      #expect(said.status == 0, "\(said.text)")
    }
  }

  @Test("two fresh keys differ")
  func fresh() throws {
    let (one, other) = (try SigningKey(), try SigningKey())
    #expect(one != other && one.publicKey.fingerprint != other.publicKey.fingerprint)
  }

  @Test(
    "what is no such key is refused",
    arguments: ["", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "MC4CAQ"])
  func noKey(text: String) {
    #expect(throws: SecureChannelError.badKey) { try SigningKey(ascii(text)) }
  }

  @Test("a block holds any number of bytes", arguments: [0, 1, 2, 3, 47, 48, 49, 1000])
  func blocks(count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    let text = PEM.encoded(bytes, label: "CERTIFICATE")
    #expect(PEM.decoded(text, label: "CERTIFICATE") == bytes)
    #expect(PEM.decoded(ascii("before\n") + text + ascii("after\n"), label: "CERTIFICATE") == bytes)
    #expect(PEM.decoded(text, label: "PRIVATE KEY") == nil)
    let windows = text.flatMap { $0 == 10 ? [13, 10] : [$0] }
    #expect(PEM.decoded(windows, label: "CERTIFICATE") == bytes)
  }

  @Test(
    "what is not base64 is no block",
    arguments: ["A", "AAA", "A===", "AA=A", "====", "AB==", "AAB=", "AA-A", "AAAA A"])
  func noBase64(content: String) {
    let text = ascii("-----BEGIN CERTIFICATE-----\n\(content)\n-----END CERTIFICATE-----\n")
    #expect(PEM.decoded(text, label: "CERTIFICATE") == nil)
  }
}
