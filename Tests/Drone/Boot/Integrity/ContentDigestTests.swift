import Integrity
import Testing

private func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

private func digest(_ bytes: [UInt8], piece: Int = .max) -> String {
  var hash = ContentDigest()
  var rest = bytes[...]
  while !rest.isEmpty {
    hash.add([UInt8](rest.prefix(piece)).span)
    rest = rest.dropFirst(piece)
  }
  return hexadecimal(hash.finish())
}

@Suite struct ContentDigestTests {
  /// NIST: the examples of FIPS 180-4, and short messages of the CAVP's SHA256ShortMsg.
  static let vectors: [(message: [UInt8], digest: String)] = [
    ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (bytes("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      bytes(
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
      ),
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
    ([0xd3], "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"),
    ([0x11, 0xaf], "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"),
    (
      [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000),
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    ),
  ]

  @Test("the standard's examples have the standard's digests", arguments: vectors.indices)
  func standard(_ index: Int) {
    let (message, expected) = Self.vectors[index]
    #expect(digest(message) == expected)
  }

  @Test("the digest does not depend on how the bytes come", arguments: [1, 7, 55, 56, 63, 64, 65, 128])
  func pieces(_ piece: Int) {
    for count in [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000] {
      let message = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + 1) }
      #expect(digest(message, piece: piece) == digest(message))
    }
  }
}
