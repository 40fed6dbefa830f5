import Bytes
import NFS
import Testing

@Suite struct RPCCallTests {
  /// Reply, accepted, a verifier of flavour 0 without bytes, then the status and more.
  static func accepted(_ status: UInt32, _ more: UInt32...) -> [UInt8] {
    var out = Records.words(7, 1, 0, 0, 0, status)
    for number in more { out += Records.words(number) }
    return record(of: out)
  }
  static func denied(_ numbers: [UInt32]) -> [UInt8] {
    record(of: Records.words(7, 1, 1) + numbers.flatMap { Records.words($0) })
  }

  @Test("a call that cannot be carried out is denied as RFC 5531 says")
  func denials() {
    let nfs = RPCProgram.nfs
    let credential = Records.words(7, 0, 2, nfs, 3, 1, 1)
    let cases: [(name: String, call: [UInt8], refusal: RPCRefusal?)] = [
      ("NULL", Records.call(nfs, 0), nil),
      ("another version of RPC", Records.call(rpc: 3, nfs, 0), .denied(reply: Self.denied([0, 2, 2]))),
      ("another program", Records.call(100_000, 0), .denied(reply: Self.accepted(1))),
      ("NFS 4", Records.call(nfs, version: 4, 0), .denied(reply: Self.accepted(2, 3, 3))),
      ("MOUNT 1", Records.call(RPCProgram.mount, version: 1, 1), .denied(reply: Self.accepted(2, 3, 3))),
      ("procedure 22", Records.call(nfs, 22), .denied(reply: Self.accepted(3))),
      ("mount procedure 6", Records.call(RPCProgram.mount, 6), .denied(reply: Self.accepted(3))),
      ("GETATTR without a handle", Records.call(nfs, 1), .denied(reply: Self.accepted(4))),
      ("GETATTR with more", Records.call(nfs, 1, Records.handle + [0]), .denied(reply: Self.accepted(4))),
      (
        "a handle of 68 bytes", Records.call(nfs, 1, Records.opaque([UInt8](repeating: 1, count: 68))),
        .denied(reply: Self.accepted(4))
      ),
      ("no credential", Records.words(7, 0, 2, nfs, 3, 1), .denied(reply: Self.accepted(4))),
      ("half a credential", credential + Records.words(8, 0), .denied(reply: Self.accepted(4))),
      ("a credential of 404 bytes", credential + Records.words(404), .denied(reply: Self.denied([1, 1]))),
      ("a reply", Records.words(7, 1, 0, 0, 0, 0), .notRPC),
      ("nothing", [], .notRPC),
      ("GET / HTTP/1.1", Array("GET / HTTP/1.1\r\n\r\n".utf8), .notRPC),
    ]
    for (name, call, refusal) in cases {
      var found: RPCRefusal?
      do throws(RPCRefusal) { _ = try RPCCall(call).request() } catch { found = error }
      #expect(found == refusal, "\(name)")
    }
  }

  @Test("NULL is answered without a secret, and nothing else is NULL")
  func null() throws {
    for program in [RPCProgram.nfs, RPCProgram.mount] {
      let call = try RPCCall(Records.call(program, 0))
      #expect(call.isNull && secret(in: call) == nil)
      #expect(call.nullReply == Self.accepted(0))
    }
    #expect(try !RPCCall(Records.call(100_000, 0)).isNull)
    #expect(try !RPCCall(Records.call(RPCProgram.nfs, version: 4, 0)).isNull)
    #expect(try !RPCCall(Records.call(RPCProgram.nfs, 1, Records.handle)).isNull)
  }

  @Test("every call that names an object or a mounted path shows its session's secret")
  func secrets() throws {
    for (program, procedure, arguments) in Records.samples {
      let call = try RPCCall(Records.call(program, procedure, arguments))
      let hasNone = procedure == 0 || (program == RPCProgram.mount && ![1, 3].contains(procedure))
      #expect(secret(in: call) == (hasNone ? nil : Records.secret), "\(program) \(procedure)")
    }
    let short = try RPCCall(Records.call(RPCProgram.nfs, 1, Records.opaque(Array(0x10...0x1E))))
    #expect(secret(in: short) == nil)
  }

  static let paths: [(String, String?)] = [
    ("/101112131415161718191a1b1c1d1e1f/", "/"),
    ("/101112131415161718191A1B1C1D1E1F/home/alice", "/home/alice"),
    ("/101112131415161718191a1b1c1d1e1f//", "//"),
    ("/101112131415161718191a1b1c1d1e1f", nil),
    ("/101112131415161718191a1b1c1d1e1f0/", nil),
    ("/101112131415161718191a1b1c1d1e/", nil),
    ("101112131415161718191a1b1c1d1e1f/", nil),
    ("//101112131415161718191a1b1c1d1e1f/", nil),
    ("/101112131415161718191a1b1c1d1e1g/", nil),
    ("/home/alice", nil), ("/", nil), ("", nil),
  ]

  @Test("what is mounted is a secret and an absolute path", arguments: paths)
  func path(_ text: String, _ tree: String?) {
    let path = MountPath(Array(text.utf8)[...])
    #expect(path?.tree == tree.map { Array($0.utf8) })
    if let path { #expect(path.secret == Records.secret && MountPath(path.bytes[...]) == path) }
  }

  @Test("secrets are equal in all of their bits or not at all")
  func comparison() throws {
    let secret = try #require(Records.secret)
    #expect(SessionSecret(Records.secretBytes) == secret && secret.bytes == Records.secretBytes)
    for bit in 0..<128 {
      var bytes = Records.secretBytes
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(SessionSecret(bytes) != secret)
    }
    #expect(
      SessionSecret([UInt8](repeating: 0, count: 15)) == nil && SessionSecret([UInt8](repeating: 0, count: 17)) == nil)
  }
}
