import Bytes

@testable import NFS

/// What tests write calls with.
enum Records {
  static let secretBytes: [UInt8] = Array(0x10...0x1F)
  static var secret: SessionSecret? { SessionSecret(secretBytes) }

  static func words(_ numbers: UInt32...) -> [UInt8] {
    var out: [UInt8] = []
    for number in numbers { out.append(networkOrder: number) }
    return out
  }

  static func long(_ number: UInt64) -> [UInt8] {
    var out: [UInt8] = []
    out.append(networkOrder: number)
    return out
  }

  static func opaque(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.append(opaque: bytes)
    return out
  }

  static func opaque(_ text: String) -> [UInt8] { opaque([UInt8](text.utf8)) }

  /// A call with AUTH_SYS and an empty verifier, without a mark.
  static func call(
    xid: UInt32 = 7, rpc: UInt32 = 2, _ program: UInt32, version: UInt32 = 3, _ procedure: UInt32,
    _ arguments: [UInt8] = []
  ) -> [UInt8] {
    words(xid, 0, rpc, program, version, procedure, 1) + opaque(words(0, 0, 0, 0, 0)) + words(0, 0) + arguments
  }

  /// Tree 1, object 2.
  static var handle: [UInt8] { opaque(secretBytes + words(1, 0, 2)) }

  /// One call of each kind with arguments as a client sends them.
  static var samples: [(program: UInt32, procedure: UInt32, arguments: [UInt8])] {
    let name = handle + opaque("name")
    // Mode 0640, no owner, group 9, size 5, access time now, modification time given.
    let setting = words(1, 0o640, 0, 1, 9, 1, 0, 5, 1, 2, 100, 200)
    let path = opaque("/101112131415161718191a1b1c1d1e1f/home/alice")
    let nfs: [[UInt8]] = [
      [], handle, handle + setting + words(1, 3, 4), name, handle + words(0x3F), handle,
      handle + long(4096) + words(100),
      handle + long(8) + words(3, 2) + opaque("abc"), name + words(0) + setting, name + setting,
      name + setting + opaque("../target"), name + words(7) + setting, name, name, name + name, handle + name,
      handle + long(3) + long(0) + words(4096), handle + long(3) + long(0) + words(1024, 4096), handle, handle, handle,
      handle + long(0) + words(0),
    ]
    let mount: [[UInt8]] = [[], path, [], path, [], []]
    return nfs.enumerated().map { (RPCProgram.nfs, UInt32($0), $1) }
      + mount.enumerated().map { (RPCProgram.mount, UInt32($0), $1) }
  }
}
