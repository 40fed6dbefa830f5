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

  public init(contentsOf path: FilePath) throws { self.init(try contents(of: path)) }

  /// 64 lower-case hexadecimal digits.
  public var description: String { hexadecimal(bytes) }

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
