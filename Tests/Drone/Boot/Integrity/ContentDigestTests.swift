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

private func numbers(_ count: Int) -> [UInt8] { (0..<count).map { UInt8($0 % 251) } }

@Suite struct ContentDigestTests {
  /// The algorithm's own test vectors (test_vectors.json of BLAKE3-team/BLAKE3, the first 32 bytes of `hash`), and around the
  /// ends of a block what b3sum says: so many bytes that count from 0 to 250 again and again.
  static let vectors: [(count: Int, digest: String)] = [
    (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
    (1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"),
    (63, "e9bc37a594daad83be9470df7f7b3798297c3d834ce80ba85d6e207627b7db7b"),
    (64, "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98"),
    (65, "de1e5fa0be70df6d2be8fffd0e99ceaa8eb6e8c93a63f2d8d1c30ecb6b263dee"),
    (1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"),
    (1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"),
    (1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"),
    (2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"),
    (2049, "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030"),
    (3072, "b98cb0ff3623be03326b373de6b9095218513e64f1ee2edd2525c7ad1e5cffd2"),
    (3073, "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3"),
    (4096, "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969"),
    (5120, "9cadc15fed8b5d854562b26a9536d9707cadeda9b143978f319ab34230535833"),
    (31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"),
    (102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"),
  ]

  @Test("the algorithm's examples have their digests", arguments: vectors.indices)
  func standard(_ index: Int) {
    let (count, expected) = Self.vectors[index]
    #expect(digest(numbers(count)) == expected)
    #expect(hexadecimal(contentDigest(numbers(count))) == expected)
  }

  @Test("the digest does not depend on how the bytes come", arguments: [1, 7, 63, 64, 65, 128, 1023, 1025])
  func pieces(_ piece: Int) {
    for count in [0, 1, 63, 64, 65, 127, 128, 129, 1024, 1025, 2048, 7169] {
      #expect(digest(numbers(count), piece: piece) == digest(numbers(count)))
    }
  }
}
