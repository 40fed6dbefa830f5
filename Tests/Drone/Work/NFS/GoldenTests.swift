import Bytes
import NFS
import Testing

/// Calls and replies byte by byte, as RFC 1813 and RFC 5531 write them.
@Suite struct GoldenTests {
  static let handleBytes: [UInt8] =
    [0, 0, 0, 28]  // length
    + [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17]  // secret
    + [0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F]
    + [0, 0, 0, 1]  // tree
    + [0, 0, 0, 0, 0, 0, 0, 2]  // object

  static let replyHead: [UInt8] =
    [0, 0, 0, 7]  // xid
    + [0, 0, 0, 1]  // REPLY
    + [0, 0, 0, 0]  // MSG_ACCEPTED
    + [0, 0, 0, 0]  // verifier: AUTH_NONE
    + [0, 0, 0, 0]  // of no bytes
    + [0, 0, 0, 0]  // SUCCESS

  static let attributes = FileAttributes(
    kind: .file, mode: 0o644, links: 1, owner: 1000, group: 100, size: 5_000_000_000, used: 4096, major: 0, minor: 0,
    fileSystem: 0x0102_0304_0506_0708, fileID: 42, accessed: FileTime(seconds: 1, nanoseconds: 2),
    modified: FileTime(seconds: 3, nanoseconds: 4), changed: FileTime(seconds: 5, nanoseconds: 6))

  static let attributeBytes: [UInt8] =
    [0, 0, 0, 1]  // NF3REG
    + [0, 0, 0x01, 0xA4]  // mode 0644
    + [0, 0, 0, 1]  // links
    + [0, 0, 0x03, 0xE8]  // uid
    + [0, 0, 0, 100]  // gid
    + [0, 0, 0, 1, 0x2A, 0x05, 0xF2, 0x00]  // size
    + [0, 0, 0, 0, 0, 0, 0x10, 0]  // used
    + [0, 0, 0, 0, 0, 0, 0, 0]  // rdev
    + [1, 2, 3, 4, 5, 6, 7, 8]  // fsid
    + [0, 0, 0, 0, 0, 0, 0, 42]  // fileid
    + [0, 0, 0, 1, 0, 0, 0, 2]  // atime
    + [0, 0, 0, 3, 0, 0, 0, 4]  // mtime
    + [0, 0, 0, 5, 0, 0, 0, 6]  // ctime

  private var handle: ObjectHandle? { ObjectHandle(Self.handleBytes.dropFirst(4)) }

  private func request(_ program: UInt32, _ procedure: UInt32, _ arguments: [UInt8]) throws -> ServedRequest {
    try RPCCall(Records.call(program, procedure, arguments)).request()
  }

  @Test("MNT")
  func mount() throws {
    let call: [UInt8] =
      [0, 0, 0, 7]  // xid
      + [0, 0, 0, 0]  // CALL
      + [0, 0, 0, 2]  // RPC version
      + [0, 0x01, 0x86, 0xA5]  // MOUNT
      + [0, 0, 0, 3]  // version
      + [0, 0, 0, 1]  // MNT
      + [0, 0, 0, 1, 0, 0, 0, 4, 9, 9, 9, 9]  // credential: AUTH_SYS of four bytes
      + [0, 0, 0, 0, 0, 0, 0, 0]  // verifier: AUTH_NONE
      + [0, 0, 0, 35] + Array("/101112131415161718191a1b1c1d1e1f/w".utf8) + [0]  // path, filled up
    let secret = try #require(Records.secret)
    #expect(
      try RPCCall(call).request()
        == .mount(.mount(MountPath(secret: secret, tree: [UInt8(ascii: "/"), UInt8(ascii: "w")]))))
    let reply = MountReply.mounted(try #require(handle)).record(7)
    #expect(
      reply == [0x80, 0, 0, 68] + Self.replyHead
        + [0, 0, 0, 0]  // MNT3_OK
        + Self.handleBytes
        + [0, 0, 0, 1]  // one flavour
        + [0, 0, 0, 1])  // AUTH_SYS
    #expect(MountReply.failed(.access).record(7) == [0x80, 0, 0, 28] + Self.replyHead + [0, 0, 0, 13])
  }

  @Test("LOOKUP")
  func lookUp() throws {
    let arguments = Self.handleBytes + [0, 0, 0, 5] + Array("names".utf8) + [0, 0, 0]  // name, filled up
    #expect(
      try request(RPCProgram.nfs, 3, arguments)
        == .nfs(.lookUp(NameInFolder(folder: handle, name: Array("names".utf8)))))
    let reply = NFSReply.found(try #require(handle), Self.attributes, folder: nil).record(7)
    #expect(
      reply == [0x80, 0, 0, 152] + Self.replyHead
        + [0, 0, 0, 0]  // NFS3_OK
        + Self.handleBytes
        + [0, 0, 0, 1] + Self.attributeBytes  // the object's attributes follow
        + [0, 0, 0, 0])  // the folder's do not
    #expect(
      NFSReply.failed(.missing, .attributes(nil)).record(7)
        == [0x80, 0, 0, 32] + Self.replyHead + [0, 0, 0, 2] + [0, 0, 0, 0])
  }

  @Test("READ")
  func read() throws {
    let arguments =
      Self.handleBytes
      + [0, 0, 0, 1, 0x2A, 0x05, 0xF2, 0x00]  // offset
      + [0, 0x10, 0, 0]  // count
    #expect(
      try request(RPCProgram.nfs, 6, arguments) == .nfs(.read(handle, offset: 5_000_000_000, count: 1 << 20)))
    let reply = NFSReply.read(Self.attributes, data: [1, 2, 3, 4, 5], isAtEnd: true).record(7)
    #expect(
      reply == [0x80, 0, 0, 136] + Self.replyHead
        + [0, 0, 0, 0]  // NFS3_OK
        + [0, 0, 0, 1] + Self.attributeBytes  // attributes follow
        + [0, 0, 0, 5]  // count
        + [0, 0, 0, 1]  // eof
        + [0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0])  // data, filled up
  }

  @Test("WRITE")
  func write() throws {
    let arguments =
      Self.handleBytes
      + [0, 0, 0, 0, 0, 0, 0, 9]  // offset
      + [0, 0, 0, 3]  // count
      + [0, 0, 0, 2]  // FILE_SYNC
      + [0, 0, 0, 3, 7, 8, 9, 0]  // data, filled up
    #expect(
      try request(RPCProgram.nfs, 7, arguments) == .nfs(.write(handle, offset: 9, count: 3, .file, data: [7, 8, 9])))
    let change = Change(before: Self.attributes.before)
    let reply = NFSReply.written(change, count: 3, .file, verifier: 0x0A0B_0C0D_0E0F_1011).record(7)
    #expect(
      reply == [0x80, 0, 0, 76] + Self.replyHead
        + [0, 0, 0, 0]  // NFS3_OK
        + [0, 0, 0, 1]  // before
        + [0, 0, 0, 1, 0x2A, 0x05, 0xF2, 0x00]  // size
        + [0, 0, 0, 3, 0, 0, 0, 4]  // mtime
        + [0, 0, 0, 5, 0, 0, 0, 6]  // ctime
        + [0, 0, 0, 0]  // nothing after
        + [0, 0, 0, 3]  // count
        + [0, 0, 0, 2]  // FILE_SYNC
        + [0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11])  // verifier
  }

  @Test("READDIRPLUS")
  func listing() throws {
    let arguments =
      Self.handleBytes
      + [0, 0, 0, 0, 0, 0, 0, 3]  // cookie
      + [0, 0, 0, 0, 0, 0, 0, 0]  // verifier
      + [0, 0, 4, 0]  // bytes of names
      + [0, 0, 16, 0]  // bytes of the result
    #expect(
      try request(RPCProgram.nfs, 17, arguments)
        == .nfs(
          .listWithAttributes(ListingRequest(folder: handle, cookie: 3, verifier: 0, names: 1024, limit: 4096))))
    var listing = Listing(withAttributes: true, names: 1024, limit: 4096)
    let isAdded = [
      listing.add(fileID: 42, name: [UInt8(ascii: "a")], cookie: 4, Self.attributes, handle),
      listing.add(fileID: 43, name: Array("..".utf8), cookie: 5),
    ]
    #expect(isAdded == [true, true])
    let reply = NFSReply.listed(nil, verifier: 0, listing, isAtEnd: true).record(7)
    #expect(
      reply == [0x80, 0, 0, 236] + Self.replyHead
        + [0, 0, 0, 0]  // NFS3_OK
        + [0, 0, 0, 0]  // no attributes of the folder
        + [0, 0, 0, 0, 0, 0, 0, 0]  // verifier
        + [0, 0, 0, 1]  // an entry
        + [0, 0, 0, 0, 0, 0, 0, 42]  // fileid
        + [0, 0, 0, 1, 0x61, 0, 0, 0]  // name, filled up
        + [0, 0, 0, 0, 0, 0, 0, 4]  // cookie
        + [0, 0, 0, 1] + Self.attributeBytes  // attributes follow
        + [0, 0, 0, 1] + Self.handleBytes  // a handle follows
        + [0, 0, 0, 1]  // another entry
        + [0, 0, 0, 0, 0, 0, 0, 43]  // fileid
        + [0, 0, 0, 2, 0x2E, 0x2E, 0, 0]  // name, filled up
        + [0, 0, 0, 0, 0, 0, 0, 5]  // cookie
        + [0, 0, 0, 0, 0, 0, 0, 0]  // neither attributes nor a handle
        + [0, 0, 0, 0]  // no further entry
        + [0, 0, 0, 1])  // the end of the folder
  }
}
