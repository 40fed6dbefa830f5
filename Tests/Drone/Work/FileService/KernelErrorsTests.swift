import Foundation
import Linux
import NFS
import Testing

@testable import FileService

@Suite struct KernelErrorsTests {
  static let cases: [(number: Int32, status: UInt32)] = [
    (EPERM, 1), (ENOENT, 2), (EIO, 5), (ENXIO, 6), (EACCES, 13), (EEXIST, 17), (EXDEV, 18), (ENODEV, 19),
    (ENOTDIR, 20), (EISDIR, 21), (EINVAL, 22), (EFBIG, 27), (ENOSPC, 28), (EROFS, 30), (EMLINK, 31),
    (ENAMETOOLONG, 63), (ENOTEMPTY, 66), (EDQUOT, 69), (ESTALE, 70), (EOPNOTSUPP, 10004), (EMFILE, 10008),
    (ENFILE, 10008), (ENOMEM, 10008), (ETXTBSY, 13), (EBUSY, 13), (ELOOP, 22), (9999, 5),
  ]

  @Test("a client is told the kernel's error, and input/output where NFS has no word for it", arguments: cases)
  func table(_ number: Int32, _ status: UInt32) {
    #expect(NFSStatus(errno: number).rawValue == status)
  }

  @Test("a tree is a folder that is there; offered again it has new rules and the same handles")
  func offers() throws {
    let client = try Client()
    try client.make("file")
    for name in ["missing", "file"] {
      #expect(throws: SystemError.self) {
        try client.server.offer(Tree(path: Array(client.path(name).utf8), isReadOnly: true))
      }
    }
    try client.server.offer(Tree(path: Array(client.tree.utf8), isReadOnly: true))
    #expect(try Client.mount(client.server, client.secret, Array(client.tree.utf8)).handle == client.root)
    #expect(try client.remove(client.root, "file") == 30)
  }
}
