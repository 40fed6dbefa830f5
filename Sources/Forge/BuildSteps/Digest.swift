import COpenSSL
import Foundation
import SystemPackage

/// A SHA-256 digest (FIPS 180-4), computed by OpenSSL.
public struct SHA256: Hashable, Sendable, CustomStringConvertible {
  public let bytes: [UInt8]

  public init(_ data: [UInt8]) {
    var hasher = Hasher()
    hasher.update(data)
    self = hasher.finish()
  }

  fileprivate init(digest: [UInt8]) { bytes = digest }

  public init(contentsOf path: FilePath) throws { self.init(try contents(of: path)) }

  /// 64 lower-case hexadecimal digits.
  public var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// A digest over several pieces. Each is preceded by its length, so that no two lists of pieces run into each other.
  public struct Hasher: ~Copyable {
    private let context: OpaquePointer

    public init() {
      guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
        fatalError("OpenSSL has no memory for a SHA-256 context")
      }
      self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    public mutating func update(_ data: [UInt8]) {
      data.withUnsafeBytes { _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    }

    /// Adds a piece with its length before it.
    public mutating func add(_ piece: [UInt8]) {
      withUnsafeBytes(of: UInt64(piece.count).littleEndian) { update([UInt8]($0)) }
      update(piece)
    }

    public mutating func add(_ piece: String) { add([UInt8](piece.utf8)) }

    public consuming func finish() -> SHA256 {
      var digest = [UInt8](repeating: 0, count: 32)
      _ = EVP_DigestFinal_ex(context, &digest, nil)
      return SHA256(digest: digest)
    }
  }
}
