import Bytes
import NFS
import TestSupport
import Testing

@Suite struct NFSRequestTests {
  private static func request(_ program: UInt32, _ procedure: UInt32, _ arguments: [UInt8]) -> ServedRequest? {
    try? RPCCall(Records.call(program, procedure, arguments)).request()
  }

  @Test("each call is read as what it is")
  func kinds() {
    let handle = ObjectHandle(Records.handle.dropFirst(4))
    let name = NameInFolder(folder: handle, name: Array("name".utf8))
    let setting = AttributeSetting(
      mode: 0o640, group: 9, size: 5, accessed: .now, modified: .to(FileTime(seconds: 100, nanoseconds: 200)))
    let listing = ListingRequest(folder: handle, cookie: 3, verifier: 0, names: 4096, limit: 4096)
    let nfs: [NFSRequest] = [
      .null, .attributes(handle), .setAttributes(handle, setting, guardTime: FileTime(seconds: 3, nanoseconds: 4)),
      .lookUp(name), .access(handle, AccessRights(rawValue: 0x3F)), .readLink(handle),
      .read(handle, offset: 4096, count: 100),
      .write(handle, offset: 8, count: 3, .file, data: Array("abc".utf8)[...]), .create(name, .unchecked(setting)),
      .makeFolder(name, setting), .makeLink(name, setting, target: Array("../target".utf8)),
      .makeSpecial(name, .fifo(setting)), .remove(name), .removeFolder(name), .rename(name, to: name),
      .link(handle, as: name), .list(listing),
      .listWithAttributes(ListingRequest(folder: handle, cookie: 3, verifier: 0, names: 1024, limit: 4096)),
      .fileSystem(handle), .limits(handle), .pathLimits(handle), .commit(handle, offset: 0, count: 0),
    ]
    let path = MountPath(Array("/101112131415161718191a1b1c1d1e1f/home/alice".utf8)[...])
    let mount: [MountRequest] = [.null, .mount(path), .dump, .unmount, .unmountAll, .exports]
    let wanted = nfs.map { ServedRequest.nfs($0) } + mount.map { ServedRequest.mount($0) }
    for ((program, procedure, arguments), request) in zip(Records.samples, wanted) {
      #expect(Self.request(program, procedure, arguments) == request, "\(program) \(procedure)")
    }
  }

  @Test("arguments that lack a byte, or have four more, are garbage")
  func lengths() {
    for (program, procedure, arguments) in Records.samples {
      for count in 0..<arguments.count {
        #expect(Self.request(program, procedure, Array(arguments.prefix(count))) == nil, "\(program) \(procedure)")
      }
      #expect(Self.request(program, procedure, arguments + [0, 0, 0, 0]) == nil)
    }
  }

  static let garbage: [(name: String, procedure: UInt32, arguments: [UInt8])] = [
    ("a flag of 2", 2, Records.handle + Records.words(2)),
    ("a way of setting times that is none", 2, Records.handle + Records.words(0, 0, 0, 0, 3, 0, 0)),
    ("a second of nanoseconds", 2, Records.handle + Records.words(0, 0, 0, 0, 2, 0, 1_000_000_000, 0, 0)),
    (
      "more bytes than the count says", 7,
      Records.handle + Records.long(0) + Records.words(2, 0) + Records.opaque("abc")
    ),
    ("a stability that is none", 7, Records.handle + Records.long(0) + Records.words(3, 3) + Records.opaque("abc")),
    ("a way of making that is none", 8, Records.handle + Records.opaque("a") + Records.words(3)),
    ("a kind that is none", 11, Records.handle + Records.opaque("a") + Records.words(8)),
    ("a name as long as memory", 3, Records.handle + Records.words(.max)),
  ]

  @Test("what no client means is garbage", arguments: garbage.indices)
  func meaningless(_ index: Int) {
    let (name, procedure, arguments) = Self.garbage[index]
    #expect(Self.request(RPCProgram.nfs, procedure, arguments) == nil, "\(name)")
  }

  @Test("a handle that no server of ours gave is none, and not garbage")
  func foreignHandles() {
    for count in [0, 4, 16, 27, 29, 32, 64] {
      let handle = Records.opaque([UInt8](repeating: 1, count: count))
      #expect(Self.request(RPCProgram.nfs, 1, handle) == .nfs(.attributes(nil)))
    }
    let handle = ObjectHandle(Records.handle.dropFirst(4))
    #expect(handle?.tree == 1 && handle?.object == 2 && handle?.secret == Records.secret)
    #expect(handle.map { ObjectHandle($0.bytes[...]) } == handle)
  }

  @Test("what must not be done twice is what changes names or attributes")
  func repeatable() {
    for (program, procedure, arguments) in Records.samples where program == RPCProgram.nfs {
      guard case .nfs(let request)? = Self.request(program, procedure, arguments) else { continue }
      #expect(request.isRepeatable == ![2, 8, 9, 10, 11, 12, 13, 14, 15].contains(procedure), "\(procedure)")
    }
  }

  @Test("a listing is never longer than asked for, and has one name even when names are to be few")
  func listingLimits() {
    for limit in stride(from: UInt32(0), through: 2000, by: 52) {
      for withAttributes in [true, false] {
        var listing = Listing(withAttributes: withAttributes, names: 1, limit: limit)
        let attributes = withAttributes ? GoldenTests.attributes : nil
        let handle = withAttributes ? ObjectHandle(Records.handle.dropFirst(4)) : nil
        var names = 0
        while listing.add(fileID: 1, name: Array("name".utf8), cookie: 1, attributes, handle) { names += 1 }
        // The mark, and a reply's head before the result.
        let reply = NFSReply.listed(GoldenTests.attributes, verifier: 0, listing, isAtEnd: false).record(7)
        #expect(names <= 1 && (names == 0 || reply.count - 28 <= Int(limit)), "\(limit)")
        #expect(limit < 300 || names == 1)
      }
    }
  }

  @Test("any bytes are a request or a denial; what is read has no more bytes than came")
  func anyBytes() {
    let samples = Records.samples
    let fault = Fuzzing.configured.firstFault { generator in
      guard let (program, procedure, arguments) = samples.randomElement(using: &generator) else { return nil }
      let call = Records.call(program, procedure, arguments).damaged(&generator)
      do throws(RPCRefusal) {
        let read = try RPCCall(call)
        _ = secret(in: read)
        if case .nfs(.write(_, _, let count, _, let data)) = try read.request(),
          data.count != Int(count) || data.count > call.count
        {
          return "\(call)"
        }
      } catch {
        if case .denied(let reply) = error, reply.count < 24 || Array(reply[4..<8]) != Array(call.prefix(4)) {
          return "\(call) is denied by \(reply)"
        }
      }
      return nil
    }
    #expect(fault == nil)
  }
}
