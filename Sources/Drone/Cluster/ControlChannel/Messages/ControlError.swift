import Bytes

/// Why bytes are not a message. After any of these the connection is of no more use.
public enum ControlError: Error, Equatable, Sendable {
  /// The frame states more bytes than the connection may send at this point.
  case tooLong(stated: Int, limit: Int)
  /// The frame has not even a version and a type.
  case tooShort(stated: Int)
  case unknownVersion(UInt8)
  case unknownType(UInt8)
  /// The body ends within a field.
  case truncated(type: UInt8)
  /// The body goes on behind its last field.
  case excess(type: UInt8)
  /// A field holds what it cannot mean: a fingerprint of another length, a reserved SPI, an unknown cipher.
  case wrongValue(type: UInt8)

  /// One phrase for a log.
  public var text: [UInt8] {
    switch self {
    case .tooLong(let stated, let limit):
      [UInt8]("a message of \(stated) bytes where \(limit) are allowed")
    case .tooShort(let stated): [UInt8]("a message of \(stated) bytes")
    case .unknownVersion(let version): [UInt8]("a message of protocol version \(version)")
    case .unknownType(let type): [UInt8]("a message of the unknown type \(type)")
    case .truncated(let type): [UInt8]("a message of type \(type) that ends too early")
    case .excess(let type):
      [UInt8]("a message of type \(type) with more than it should have")
    case .wrongValue(let type): [UInt8]("a message of type \(type) with an impossible value")
    }
  }
}
