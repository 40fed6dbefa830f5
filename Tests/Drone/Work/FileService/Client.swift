import Bytes
import Foundation
import Linux
import NFS
import Testing

@testable import FileService

/// A server with a folder of its own, spoken to as a node does: by records.
final class Client {
  /// What holds the tree and what is beside it.
  let folder: String
  let tree: String
  let server: FileServer
  let secret: SessionSecret
  let root: [UInt8]
  private(set) var xid: UInt32 = 0

  struct NoReply: Error {}

  init(readOnly: Bool = false, visible: [String]? = nil, descriptors: Int = 4096) throws {
    folder = NSTemporaryDirectory() + "files-" + UUID().uuidString
    tree = folder + "/tree"
    try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
    secret = try #require(SessionSecret(Array(repeating: 7, count: 16)))
    server = FileServer(secret: secret, verifier: 99, descriptors: descriptors)
    try server.offer(
      Tree(path: Array(tree.utf8), isReadOnly: readOnly, visibleNames: visible?.map { Array($0.utf8) }))
    root = try Client.mount(server, secret, Array(tree.utf8)).handle ?? []
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Calls MNT.
  static func mount(
    _ server: FileServer, _ secret: SessionSecret, _ tree: [UInt8]
  ) throws -> (status: UInt32, handle: [UInt8]?) {
    let path = MountPath(secret: secret, tree: tree).bytes
    let reply = try #require(server.answer(Client.head(1, 100_005, 1) + opaque(path)))
    var reader = ByteReader<ReadingError>(reply)
    try reader.skip(28)
    let status = try reader.uint32()
    guard status == 0 else { return (status, nil) }
    return (0, [UInt8](try reader.bytes(Int(try reader.uint32()))))
  }

  static func head(_ xid: UInt32, _ program: UInt32, _ procedure: UInt32) -> [UInt8] {
    words(xid, 0, 2, program, 3, procedure, 0, 0, 0, 0)
  }

  /// A call's record and, behind the reply's head, its result.
  func result(_ procedure: UInt32, _ arguments: [UInt8]) throws -> Result {
    xid += 1
    return try repeated(xid, procedure, arguments)
  }

  /// A call with a number of its own.
  func repeated(_ xid: UInt32, _ procedure: UInt32, _ arguments: [UInt8]) throws -> Result {
    guard let reply = server.answer(Client.head(xid, 100_003, procedure) + arguments) else { throw NoReply() }
    var reader = ByteReader<ReadingError>(reply)
    // The mark is right, and the call was accepted.
    #expect(try reader.uint32() == 0x8000_0000 | UInt32(reply.count - 4))
    #expect(try reader.uint32() == xid)
    #expect(try reader.bytes(20).elementsEqual(words(1, 0, 0, 0, 0)))
    return Result(status: try reader.uint32(), reader: reader)
  }

  func path(_ name: String) -> String { tree + "/" + name }

  func make(_ name: String, _ content: String = "") throws {
    try Data(content.utf8).write(to: URL(fileURLWithPath: path(name)))
  }
}

/// A call's result; its reader is behind the status.
struct Result {
  let status: UInt32
  var reader: ByteReader<ReadingError>

  mutating func flag() throws -> Bool { try reader.uint32() == 1 }

  /// post_op_attr: size, fileid, links, mode.
  mutating func attributes() throws -> Attributes? { try flag() ? Attributes(&reader) : nil }

  /// wcc_data; the attributes after the change.
  mutating func change() throws -> Attributes? {
    if try flag() { try reader.skip(24) }
    return try attributes()
  }

  mutating func opaque() throws -> [UInt8] {
    let count = Int(try reader.uint32())
    let bytes = [UInt8](try reader.bytes(count))
    try reader.skip((4 - count % 4) % 4)
    return bytes
  }
}

struct Attributes: Equatable {
  let kind: UInt32
  let mode: UInt32
  let links: UInt32
  let size: UInt64
  let fileSystem: UInt64
  let fileID: UInt64
  let modified: UInt32
  let changed: [UInt8]

  init(_ reader: inout ByteReader<ReadingError>) throws {
    kind = try reader.uint32()
    mode = try reader.uint32()
    links = try reader.uint32()
    try reader.skip(8)
    size = try reader.uint64()
    try reader.skip(16)
    fileSystem = try reader.uint64()
    fileID = try reader.uint64()
    try reader.skip(8)
    modified = try reader.uint32()
    try reader.skip(4)
    changed = [UInt8](try reader.bytes(8))
  }
}

func words(_ numbers: UInt32...) -> [UInt8] {
  var out: [UInt8] = []
  for number in numbers { out.append(networkOrder: number) }
  return out
}

func long(_ number: UInt64) -> [UInt8] {
  var out: [UInt8] = []
  out.append(networkOrder: number)
  return out
}

func opaque(_ bytes: [UInt8]) -> [UInt8] {
  words(UInt32(bytes.count)) + bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
}

func opaque(_ text: String) -> [UInt8] { opaque([UInt8](text.utf8)) }

/// sattr3 that sets a mode and perhaps a size.
func setting(mode: UInt32? = nil, size: UInt64? = nil) -> [UInt8] {
  (mode.map { words(1, $0) } ?? words(0)) + words(0, 0) + (size.map { words(1) + long($0) } ?? words(0)) + words(0, 0)
}

extension Client {
  func attributes(_ handle: [UInt8]) throws -> (status: UInt32, attributes: Attributes?) {
    var result = try result(1, opaque(handle))
    return (result.status, result.status == 0 ? try Attributes(&result.reader) : nil)
  }

  func lookUp(_ folder: [UInt8], _ name: [UInt8]) throws -> (status: UInt32, handle: [UInt8]) {
    var result = try result(3, opaque(folder) + opaque(name))
    return (result.status, result.status == 0 ? try result.opaque() : [])
  }

  func lookUp(_ folder: [UInt8], _ name: String) throws -> (status: UInt32, handle: [UInt8]) {
    try lookUp(folder, [UInt8](name.utf8))
  }

  /// A handle of a path below the root that must be there.
  func handle(_ path: String) throws -> [UInt8] {
    var handle = root
    for name in path.split(separator: "/") {
      let (status, next) = try lookUp(handle, String(name))
      try #require(status == 0, "\(path)")
      handle = next
    }
    return handle
  }

  func read(_ handle: [UInt8], _ offset: UInt64 = 0, _ count: UInt32 = 4096) throws -> (
    status: UInt32, data: [UInt8], isAtEnd: Bool
  ) {
    var result = try result(6, opaque(handle) + long(offset) + words(count))
    _ = try result.attributes()
    guard result.status == 0 else { return (result.status, [], false) }
    _ = try result.reader.uint32()
    let isAtEnd = try result.flag()
    return (0, try result.opaque(), isAtEnd)
  }

  func write(_ handle: [UInt8], _ offset: UInt64, _ text: String, stability: UInt32 = 0) throws -> UInt32 {
    try result(7, opaque(handle) + long(offset) + words(UInt32(text.utf8.count), stability) + opaque(text)).status
  }

  func create(_ folder: [UInt8], _ name: [UInt8], how: [UInt8]) throws -> (status: UInt32, handle: [UInt8]) {
    var result = try result(8, opaque(folder) + opaque(name) + how)
    guard result.status == 0, try result.flag() else { return (result.status, []) }
    return (0, try result.opaque())
  }

  func remove(_ folder: [UInt8], _ name: String) throws -> UInt32 {
    try result(12, opaque(folder) + opaque(name)).status
  }

  func rename(_ from: [UInt8], _ name: String, _ to: [UInt8], _ newName: String) throws -> UInt32 {
    try result(14, opaque(from) + opaque(name) + opaque(to) + opaque(newName)).status
  }

  /// Names as READDIR or READDIRPLUS gives them, the whole folder in parts; `between` is called after each with its names.
  func list(
    _ folder: [UInt8], plus: Bool, limit: UInt32 = 4096, between: ([[UInt8]]) throws -> Void = { _ in }
  ) throws -> [(name: [UInt8], fileID: UInt64, handle: [UInt8]?)] {
    var out: [(name: [UInt8], fileID: UInt64, handle: [UInt8]?)] = []
    var cookie: UInt64 = 0
    while true {
      let place = opaque(folder) + long(cookie) + long(0)
      var result = try result(plus ? 17 : 16, place + (plus ? words(limit, limit) : words(limit)))
      try #require(result.status == 0)
      _ = try result.attributes()
      try result.reader.skip(8)
      var part: [[UInt8]] = []
      while try result.flag() {
        let fileID = try result.reader.uint64()
        let name = try result.opaque()
        cookie = try result.reader.uint64()
        var handle: [UInt8]?
        if plus {
          if let found = try result.attributes() { #expect(found.fileID == fileID) }
          handle = try result.flag() ? try result.opaque() : nil
        }
        out.append((name, fileID, handle))
        part.append(name)
      }
      if try result.flag() { return out }
      try between(part)
    }
  }
}
