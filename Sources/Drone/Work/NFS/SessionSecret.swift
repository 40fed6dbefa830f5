import Bytes

/// The number that opens one session's trees: whoever has it has the user's files, so it goes over encrypted connections only.
public struct SessionSecret: Equatable, Sendable {
  /// How many bytes it has.
  public static let count = 16

  private let high: UInt64
  private let low: UInt64

  /// Nil unless there are 16 bytes; they come from the kernel's random numbers.
  public init?(_ bytes: ArraySlice<UInt8>) {
    guard bytes.count == SessionSecret.count else { return nil }
    high = UInt64(networkOrder: bytes.prefix(8))
    low = UInt64(networkOrder: bytes.suffix(8))
  }

  public init?(_ bytes: [UInt8]) { self.init(bytes[...]) }

  /// Reads 32 hexadecimal digits.
  public init?(hexadecimal text: ArraySlice<UInt8>) {
    guard let bytes = hexadecimalBytes(text, count: SessionSecret.count) else { return nil }
    self.init(bytes)
  }

  public var bytes: [UInt8] {
    var out: [UInt8] = []
    out.append(networkOrder: high)
    out.append(networkOrder: low)
    return out
  }

  /// Always looks at all bits, so that the time tells nothing of how many are right.
  public static func == (left: SessionSecret, right: SessionSecret) -> Bool {
    (left.high ^ right.high) | (left.low ^ right.low) == 0
  }
}

/// What a client mounts: `/`, the secret's 32 hexadecimal digits, and the tree's absolute path.
public struct MountPath: Equatable, Sendable {
  public let secret: SessionSecret
  /// With a slash at its beginning; `/` is the whole root.
  public let tree: [UInt8]

  public init(secret: SessionSecret, tree: [UInt8]) {
    self.secret = secret
    self.tree = tree
  }

  public init?(_ path: ArraySlice<UInt8>) {
    let rest = path.dropFirst()
    guard path.first == UInt8(ascii: "/"), let secret = SessionSecret(hexadecimal: rest.prefix(2 * SessionSecret.count))
    else { return nil }
    let tree = rest.dropFirst(2 * SessionSecret.count)
    guard tree.first == UInt8(ascii: "/") else { return nil }
    self.secret = secret
    self.tree = [UInt8](tree)
  }

  public var bytes: [UInt8] { [UInt8(ascii: "/")] + hexadecimalText(secret.bytes) + tree }
}

/// The secret that a call shows: in the path of a MNT, or at the beginning of a handle. Nil for calls without one, and for those that
/// cannot be read.
public func secret(in call: RPCCall) -> SessionSecret? {
  guard call.refusal == nil, call.procedure > 0 else { return nil }
  var reader = XDRReader(call.arguments)
  if call.program == RPCProgram.nfs {
    // Each call but NULL begins with a handle (RFC 1813 §3.3).
    guard let handle = try? reader.opaque(upTo: ObjectHandle.longest) else { return nil }
    return SessionSecret(handle.prefix(SessionSecret.count))
  }
  // MNT, UMNT
  guard call.procedure == 1 || call.procedure == 3, let path = try? reader.opaque(upTo: MountRequest.longestPath) else {
    return nil
  }
  return MountPath(path)?.secret
}
