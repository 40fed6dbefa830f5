import Bytes

/// What a client knows an object by (RFC 1813 §2.3.3): the session's secret, which of its trees, and the object's number in it.
public struct ObjectHandle: Equatable, Sendable {
  /// NFS3_FHSIZE: the longest handle that any server gives.
  static let longest: UInt32 = 64
  private static let count = SessionSecret.count + 12

  public let secret: SessionSecret
  public let tree: UInt32
  public let object: UInt64

  public init(secret: SessionSecret, tree: UInt32, object: UInt64) {
    self.secret = secret
    self.tree = tree
    self.object = object
  }

  /// Nil for what no server of ours gave.
  public init?(_ bytes: ArraySlice<UInt8>) {
    guard bytes.count == ObjectHandle.count, let secret = SessionSecret(bytes.prefix(SessionSecret.count)) else {
      return nil
    }
    let rest = bytes.dropFirst(SessionSecret.count)
    self.secret = secret
    tree = UInt32(networkOrder: rest.prefix(4))
    object = UInt64(networkOrder: rest.dropFirst(4))
  }

  public var bytes: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(ObjectHandle.count)
    out += secret.bytes
    out.append(networkOrder: tree)
    out.append(networkOrder: object)
    return out
  }
}

extension ByteReader where Failure == ReadingError {
  /// Nil for a handle that is none of ours, for which there is a status of its own.
  mutating func handle() throws(ReadingError) -> ObjectHandle? {
    ObjectHandle(try opaque(upTo: ObjectHandle.longest))
  }
}
