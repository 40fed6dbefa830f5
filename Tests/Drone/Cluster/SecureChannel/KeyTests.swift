import Addresses
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
