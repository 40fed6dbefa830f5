import Bytes

/// Names of a folder as READDIR's or READDIRPLUS's reply has them, as many as there is room for (RFC 1813 §3.3.16 and §3.3.17).
public struct Listing: Equatable, Sendable {
  /// Attributes, verifier, the end of the list, `eof`, and the status before them all.
  private static let frame: UInt32 = 4 + 88 + 8 + 4 + 4

  /// The entries, each with a flag before it.
  public private(set) var bytes: [UInt8] = []
  public private(set) var count = 0
  private let withAttributes: Bool
  private var roomForNames: UInt32
  private var room: UInt32

  /// - Parameters:
  ///   - names: the most bytes of numbers, names and cookies.
  ///   - limit: the most bytes of the reply's result.
  public init(withAttributes: Bool, names: UInt32, limit: UInt32) {
    self.withAttributes = withAttributes
    roomForNames = names
    room = limit > Listing.frame ? limit - Listing.frame : 0
  }

  /// Whether an entry of such a name can have room.
  public func hasRoom(name: [UInt8]) -> Bool {
    let plain = Listing.plainSize(name)
    return (count == 0 || plain <= roomForNames) && plain + (withAttributes ? Listing.mostAttributes : 0) <= room
  }

  /// Adds an entry; false when there is no room for it.
  /// - Parameter cookie: where the names behind this one begin.
  public mutating func add(
    fileID: UInt64, name: [UInt8], cookie: UInt64, _ attributes: FileAttributes? = nil, _ handle: ObjectHandle? = nil
  ) -> Bool {
    guard hasRoom(name: name) else { return false }
    let start = bytes.count
    bytes.append(flag: true)
    bytes.append(networkOrder: fileID)
    bytes.append(opaque: name)
    bytes.append(networkOrder: cookie)
    if withAttributes {
      bytes.append(optional: attributes)
      bytes.append(optional: handle)
    }
    count += 1
    room -= min(room, UInt32(clamping: bytes.count - start))
    roomForNames -= min(roomForNames, Listing.plainSize(name))
    return true
  }

  /// The flag, the number, the name with its length, and the cookie.
  private static func plainSize(_ name: [UInt8]) -> UInt32 {
    // No name is longer.
    let length = UInt32(min(name.count, 4096))
    return 4 + 8 + 4 + (length + 3) / 4 * 4 + 8
  }

  /// Attributes and a handle with their flags.
  private static let mostAttributes: UInt32 = 4 + 84 + 4 + 4 + 28
}
