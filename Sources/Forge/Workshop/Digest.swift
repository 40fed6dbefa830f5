import COpenSSL
import Foundation
import SystemPackage

/// A SHA-256 digest (FIPS 180-4), computed by OpenSSL.
public struct SHA256: Hashable, Sendable, CustomStringConvertible {
  public let bytes: [UInt8]

  public init(_ data: [UInt8]) {
    var digest = [UInt8](repeating: 0, count: 32)
    _ = COpenSSL.SHA256(data, data.count, &digest)
    bytes = digest
  }

  fileprivate init(digest: [UInt8]) { bytes = digest }

  public init(contentsOf path: FilePath) throws {
    var stream = Stream()
    try readPieces(of: path) { stream.add($0) }
    self = stream.finish()
  }

  /// 64 lower-case hexadecimal digits.
  public var description: String { hexadecimal(bytes) }

  /// A digest over bytes that come piece by piece; where one piece ends makes no difference.
  public struct Stream: ~Copyable {
    private let context: OpaquePointer?

    public init() {
      context = EVP_MD_CTX_new()
      _ = EVP_DigestInit_ex(context, EVP_sha256(), nil)
    }

    deinit { EVP_MD_CTX_free(context) }

    public mutating func add(_ piece: UnsafeRawBufferPointer) {
      _ = EVP_DigestUpdate(context, piece.baseAddress, piece.count)
    }

    /// The digest of all pieces; nothing can be added afterwards.
    public consuming func finish() -> SHA256 {
      var digest = [UInt8](repeating: 0, count: 32)
      _ = EVP_DigestFinal_ex(context, &digest, nil)
      return SHA256(digest: digest)
    }
  }

  /// A digest over several pieces. Each is preceded by its length, so that no two lists of pieces run into each other.
  public struct Hasher: Sendable {
    private var collected: [UInt8] = []

    public init() {}

    /// Adds a piece with its length before it.
    public mutating func add(_ piece: [UInt8]) {
      withUnsafeBytes(of: UInt64(piece.count).littleEndian) { collected.append(contentsOf: $0) }
      collected += piece
    }

    public mutating func add(_ piece: String) { add([UInt8](piece.utf8)) }

    public func finish() -> SHA256 { SHA256(collected) }
  }
}

/// An MD5 digest (RFC 1321), computed by OpenSSL: for formats that ask for it, and never for security.
public struct MD5: Hashable, Sendable, CustomStringConvertible {
  public let bytes: [UInt8]

  public init(_ data: [UInt8]) {
    var digest = [UInt8](repeating: 0, count: 16)
    var count: UInt32 = 0
    _ = EVP_Digest(data, data.count, &digest, &count, EVP_md5(), nil)
    bytes = digest
  }

  /// 32 lower-case hexadecimal digits.
  public var description: String { hexadecimal(bytes) }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
