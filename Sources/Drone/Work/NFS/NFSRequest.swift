import Bytes

/// A name in a folder (diropargs3, RFC 1813 §2.3.10). The name may be anything: the service refuses what is none.
public struct NameInFolder: Equatable, Sendable {
  /// Nil for a handle that is none of ours, here and in every request.
  public let folder: ObjectHandle?
  public let name: [UInt8]

  public init(folder: ObjectHandle?, name: [UInt8]) {
    self.folder = folder
    self.name = name
  }
}

/// When written bytes are to be on the medium (stable_how, RFC 1813 §3.3.7).
public enum Stability: UInt32, CaseIterable, Sendable {
  case unstable = 0
  case data = 1
  case file = 2
}

/// How a file is made (createmode3, RFC 1813 §3.3.8).
public enum Creation: Equatable, Sendable {
  /// One that is there is as good.
  case unchecked(AttributeSetting)
  case guarded(AttributeSetting)
  /// A call with the same verifier as that which made the file is its repetition.
  case exclusive(verifier: UInt64)
}

/// What MKNOD makes (RFC 1813 §3.3.11).
public enum SpecialFile: Equatable, Sendable {
  case fifo(AttributeSetting)
  case socket(AttributeSetting)
  /// A device.
  case device
  /// Something that is not made by this call.
  case other
}

/// Where a folder's names go on, and how much is wanted (RFC 1813 §3.3.16).
public struct ListingRequest: Equatable, Sendable {
  public let folder: ObjectHandle?
  public let cookie: UInt64
  public let verifier: UInt64
  /// The most bytes of names alone.
  public let names: UInt32
  /// The most bytes of the whole result.
  public let limit: UInt32

  public init(folder: ObjectHandle?, cookie: UInt64, verifier: UInt64, names: UInt32, limit: UInt32) {
    self.folder = folder
    self.cookie = cookie
    self.verifier = verifier
    self.names = names
    self.limit = limit
  }
}

/// A call of NFS version 3 (RFC 1813 §3.3).
public enum NFSRequest: Equatable, Sendable {
  case null
  case attributes(ObjectHandle?)
  /// The guard is the time of the last change that the caller knows.
  case setAttributes(ObjectHandle?, AttributeSetting, guardTime: FileTime?)
  case lookUp(NameInFolder)
  case access(ObjectHandle?, AccessRights)
  case readLink(ObjectHandle?)
  case read(ObjectHandle?, offset: UInt64, count: UInt32)
  case write(ObjectHandle?, offset: UInt64, count: UInt32, Stability, data: ArraySlice<UInt8>)
  case create(NameInFolder, Creation)
  case makeFolder(NameInFolder, AttributeSetting)
  case makeLink(NameInFolder, AttributeSetting, target: [UInt8])
  case makeSpecial(NameInFolder, SpecialFile)
  case remove(NameInFolder)
  case removeFolder(NameInFolder)
  case rename(NameInFolder, to: NameInFolder)
  case link(ObjectHandle?, as: NameInFolder)
  case list(ListingRequest)
  case listWithAttributes(ListingRequest)
  case fileSystem(ObjectHandle?)
  case limits(ObjectHandle?)
  case pathLimits(ObjectHandle?)
  case commit(ObjectHandle?, offset: UInt64, count: UInt32)

  /// Whether carrying it out a second time could give another answer than the first.
  public var isRepeatable: Bool {
    switch self {
    case .setAttributes, .create, .makeFolder, .makeLink, .makeSpecial, .remove, .removeFolder, .rename, .link: false
    default: true
    }
  }

  init(_ procedure: UInt32, _ arguments: ArraySlice<UInt8>) throws(ReadingError) {
    var reader = XDRReader(arguments)
    self = try NFSRequest.read(procedure, &reader)
    try reader.end()
  }

  private static func read(_ procedure: UInt32, _ reader: inout XDRReader) throws(ReadingError) -> NFSRequest {
    switch procedure {
    case 0: .null
    case 1: .attributes(try reader.handle())
    case 2: try setAttributes(&reader)
    case 3: .lookUp(try reader.nameInFolder())
    case 4: .access(try reader.handle(), AccessRights(rawValue: try reader.uint32()))
    case 5: .readLink(try reader.handle())
    case 6: .read(try reader.handle(), offset: try reader.uint64(), count: try reader.uint32())
    case 7: try write(&reader)
    case 8: .create(try reader.nameInFolder(), try reader.creation())
    case 9: .makeFolder(try reader.nameInFolder(), try reader.attributeSetting())
    case 10:
      .makeLink(
        try reader.nameInFolder(), try reader.attributeSetting(), target: [UInt8](try reader.opaque(upTo: .max)))
    case 11: .makeSpecial(try reader.nameInFolder(), try reader.specialFile())
    case 12: .remove(try reader.nameInFolder())
    case 13: .removeFolder(try reader.nameInFolder())
    case 14: .rename(try reader.nameInFolder(), to: try reader.nameInFolder())
    case 15: .link(try reader.handle(), as: try reader.nameInFolder())
    case 16: try list(&reader)
    case 17: try listWithAttributes(&reader)
    case 18: .fileSystem(try reader.handle())
    case 19: .limits(try reader.handle())
    case 20: .pathLimits(try reader.handle())
    case 21: .commit(try reader.handle(), offset: try reader.uint64(), count: try reader.uint32())
    default: throw .value(offset: reader.offset)
    }
  }

  private static func setAttributes(_ reader: inout XDRReader) throws(ReadingError) -> NFSRequest {
    let handle = try reader.handle()
    let setting = try reader.attributeSetting()
    return .setAttributes(handle, setting, guardTime: try reader.flag() ? try reader.time() : nil)
  }

  private static func write(_ reader: inout XDRReader) throws(ReadingError) -> NFSRequest {
    let handle = try reader.handle()
    let offset = try reader.uint64()
    let count = try reader.uint32()
    let place = reader.offset
    guard let stability = Stability(rawValue: try reader.uint32()) else { throw .value(offset: place) }
    let data = try reader.opaque(upTo: .max)
    // RFC 1813 §3.3.7: the bytes are as many as the count says.
    guard UInt64(count) == UInt64(clamping: data.count) else { throw .value(offset: place) }
    return .write(handle, offset: offset, count: count, stability, data: data)
  }

  private static func list(_ reader: inout XDRReader) throws(ReadingError) -> NFSRequest {
    let folder = try reader.handle()
    let cookie = try reader.uint64()
    let verifier = try reader.uint64()
    let limit = try reader.uint32()
    return .list(ListingRequest(folder: folder, cookie: cookie, verifier: verifier, names: limit, limit: limit))
  }

  private static func listWithAttributes(_ reader: inout XDRReader) throws(ReadingError) -> NFSRequest {
    .listWithAttributes(
      ListingRequest(
        folder: try reader.handle(), cookie: try reader.uint64(), verifier: try reader.uint64(),
        names: try reader.uint32(), limit: try reader.uint32()))
  }
}

/// What may be done with an object (RFC 1813 §3.3.4).
public struct AccessRights: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let read = AccessRights(rawValue: 1)
  public static let lookUp = AccessRights(rawValue: 2)
  public static let modify = AccessRights(rawValue: 4)
  public static let extend = AccessRights(rawValue: 8)
  public static let delete = AccessRights(rawValue: 16)
  public static let execute = AccessRights(rawValue: 32)
}

extension ByteReader where Failure == ReadingError {
  fileprivate mutating func nameInFolder() throws(ReadingError) -> NameInFolder {
    NameInFolder(folder: try handle(), name: [UInt8](try opaque(upTo: .max)))
  }

  fileprivate mutating func creation() throws(ReadingError) -> Creation {
    let start = offset
    switch try uint32() {
    case 0: return .unchecked(try attributeSetting())
    case 1: return .guarded(try attributeSetting())
    case 2: return .exclusive(verifier: try uint64())
    default: throw .value(offset: start)
    }
  }

  fileprivate mutating func specialFile() throws(ReadingError) -> SpecialFile {
    let start = offset
    guard let kind = FileKind(rawValue: try uint32()) else { throw .value(offset: start) }
    switch kind {
    case .fifo: return .fifo(try attributeSetting())
    case .socket: return .socket(try attributeSetting())
    case .blockDevice, .characterDevice:
      _ = try attributeSetting()
      _ = try uint64()
      return .device
    case .file, .folder, .link: return .other
    }
  }
}
