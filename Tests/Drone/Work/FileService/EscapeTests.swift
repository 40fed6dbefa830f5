import Foundation
import NFS
import Testing

@testable import FileService

/// A server gives nothing outside of its trees.
@Suite struct EscapeTests {
  @Test("only a tree that was offered is mounted, exactly as it was offered, and only with its secret")
  func mounts() throws {
    let client = try Client()
    let other = try #require(SessionSecret(Array(repeating: 8, count: 16)))
    let cases: [(SessionSecret, String, UInt32)] = [
      (client.secret, client.tree, 0), (client.secret, client.tree + "/", 2), (client.secret, "/", 2),
      (client.secret, client.folder, 2), (client.secret, client.tree + "/../tree", 2), (other, client.tree, 13),
    ]
    for (secret, path, status) in cases {
      #expect(try Client.mount(client.server, secret, Array(path.utf8)).status == status, "\(path)")
    }
    #expect(client.server.root(of: Array(client.tree.utf8))?.bytes == client.root)
    #expect(client.server.root(of: Array(client.folder.utf8)) == nil)
  }

  static let noNames: [(name: [UInt8], status: UInt32)] = [
    (Array("..".utf8), 13), ([], 13), (Array("../secret".utf8), 13), (Array("/etc".utf8), 13), (Array("a/b".utf8), 13),
    ([0], 13), (Array("a".utf8) + [0] + Array("b".utf8), 13), ([UInt8](repeating: 0x61, count: 256), 63),
  ]

  @Test("what is no name of one step down is refused by every call that has a name", arguments: noNames)
  func names(_ name: [UInt8], _ status: UInt32) throws {
    let client = try Client()
    try client.make("file")
    try FileManager.default.createDirectory(atPath: client.path("a"), withIntermediateDirectories: true)
    let folder = try client.handle("a")
    let file = try client.handle("file")
    let place = opaque(folder) + opaque(name)
    let good = opaque(client.root) + opaque("file")
    let calls: [(UInt32, [UInt8])] = [
      (3, place), (8, place + words(0) + setting(mode: 0o600)), (9, place + setting(mode: 0o700)),
      (10, place + setting() + opaque("x")), (11, place + words(7) + setting()), (12, place), (13, place),
      (14, place + opaque(folder) + opaque("n")), (14, good + place), (15, opaque(file) + place),
    ]
    for (procedure, arguments) in calls {
      #expect(try client.result(procedure, arguments).status == status, "\(procedure)")
    }
    #expect(FileManager.default.fileExists(atPath: client.path("file")))
  }

  @Test("`.` is the folder, and nothing is above a tree")
  func dots() throws {
    let client = try Client()
    #expect(try client.lookUp(client.root, ".") == (0, client.root))
    #expect(try client.lookUp(client.root, "..") == (0, client.root))
    for name in [".", ".."] {
      #expect(try client.create(client.root, Array(name.utf8), how: words(0) + setting()).status == 13)
      #expect(try client.result(13, opaque(client.root) + opaque(name)).status == 13)
    }
  }

  @Test("a link is text, wherever it points, and its contents are nobody's")
  func links() throws {
    let client = try Client()
    for (name, target) in [("up", ".."), ("root", "/"), ("passwd", "/etc/passwd")] {
      try FileManager.default.createSymbolicLink(atPath: client.path(name), withDestinationPath: target)
      let link = try client.handle(name)
      var result = try client.result(5, opaque(link))
      _ = try result.attributes()
      #expect(try result.opaque() == Array(target.utf8))
      #expect(try client.attributes(link).attributes?.kind == 5)
      #expect(try client.lookUp(link, "etc").status == 20)
      #expect(try client.read(link).status == 22)
      #expect(try client.write(link, 0, "x") == 22)
      #expect(try client.result(16, opaque(link) + long(0) + long(0) + words(4096)).status == 20)
      #expect(try client.create(client.root, Array(name.utf8), how: words(0) + setting(size: 0)).status == 17)
    }
  }

  @Test("a folder that becomes a link after it was looked up leads nowhere else", arguments: [true, false])
  func swapped(_ isHeld: Bool) throws {
    let client = try Client(descriptors: 16)
    try FileManager.default.createDirectory(atPath: client.folder + "/outside", withIntermediateDirectories: true)
    try Data("secret".utf8).write(to: URL(fileURLWithPath: client.folder + "/outside/file"))
    try FileManager.default.createDirectory(atPath: client.path("a/b"), withIntermediateDirectories: true)
    try client.make("a/b/file", "mine")
    let folder = try client.handle("a/b")
    let file = try client.handle("a/b/file")
    if !isHeld {
      for number in 0..<40 {
        try client.make("other\(number)")
        _ = try client.handle("other\(number)")
      }
    }
    try FileManager.default.moveItem(atPath: client.path("a/b"), toPath: client.path("a/c"))
    try FileManager.default.createSymbolicLink(
      atPath: client.path("a/b"), withDestinationPath: client.folder + "/outside")
    let (status, found) = try client.lookUp(folder, "file")
    #expect(isHeld ? status == 0 && found == file : status == 70)
    let read = try client.read(file)
    #expect(isHeld ? read.data == Array("mine".utf8) : read.status == 70)
  }

  @Test("a folder that is moved out of the tree leads to nothing above it")
  func movedOut() throws {
    let client = try Client()
    try FileManager.default.createDirectory(atPath: client.path("a"), withIntermediateDirectories: true)
    let folder = try client.handle("a")
    try FileManager.default.moveItem(atPath: client.path("a"), toPath: client.folder + "/a")
    #expect(try client.lookUp(folder, "..").status == 13)
    #expect(try client.lookUp(folder, "tree").status == 2)
  }

  @Test("a handle of another session, another tree or nobody opens nothing")
  func handles() throws {
    let client = try Client()
    try client.server.offer(Tree(path: Array(client.folder.utf8), isReadOnly: true))
    let damaged: [([UInt8], UInt32)] = [
      ([9] + client.root.dropFirst(), 10001),
      (client.root.prefix(19) + [1] + client.root.suffix(8), 10001),
      (client.root.prefix(19) + [2] + client.root.suffix(8), 10001),
      (client.root.prefix(16) + words(.max) + client.root.suffix(8), 10001),
      (client.root.dropLast() + [200], 10001), (client.root.dropLast() + [0], 10001),
      (client.root.prefix(20) + long(.max), 10001), (client.root + [0], 10001), ([], 10001),
    ]
    for (handle, status) in damaged {
      #expect(try client.attributes(handle).status == status)
      #expect(try client.lookUp(handle, "tree").status == status)
      #expect(try client.rename(handle, "a", client.root, "b") == status)
    }
  }

  @Test("the system's view shows programs and libraries, by no call anything else")
  func system() throws {
    let client = try Client(readOnly: true, visible: ["usr", "etc"])
    for name in ["usr", "etc", "home", "usr/home"] {
      try FileManager.default.createDirectory(atPath: client.path(name), withIntermediateDirectories: true)
    }
    #expect(try client.lookUp(client.root, "home").status == 2)
    #expect(try client.lookUp(try client.handle("usr"), "home").status == 0)
    for plus in [true, false] {
      let names = try client.list(client.root, plus: plus).map { String(decoding: $0.name, as: UTF8.self) }
      #expect(Set(names) == [".", "..", "usr", "etc"])
    }
    #expect(Tree.system.isReadOnly && Tree.system.shows(Array("usr".utf8)) && !Tree.system.shows(Array("home".utf8)))
  }

  @Test("a tree that is read-only refuses every change, and says so before anything else")
  func readOnly() throws {
    let client = try Client(readOnly: true)
    try client.make("file", "content")
    let file = try client.handle("file")
    let new = opaque(client.root) + opaque("new")
    let old = opaque(client.root) + opaque("file")
    let calls: [(UInt32, [UInt8])] = [
      (2, opaque(file) + setting(mode: 0o777) + words(0)), (7, opaque(file) + long(0) + words(1, 2) + opaque("x")),
      (8, new + words(0) + setting()), (8, old + words(0) + setting(size: 0)), (8, new + words(2) + long(1)),
      (9, new + setting()), (10, new + setting() + opaque("x")), (11, new + words(7) + setting()), (12, old),
      (13, old), (14, old + new), (15, opaque(file) + new), (21, opaque(file) + long(0) + words(0)),
    ]
    for (procedure, arguments) in calls {
      #expect(try client.result(procedure, arguments).status == 30, "\(procedure)")
    }
    #expect(try client.read(file).data == Array("content".utf8))
    var access = try client.result(4, opaque(client.root) + words(0x3F))
    _ = try access.attributes()
    #expect(try access.reader.uint32() == 3)
  }

  @Test("a name goes from one tree to another only when both may be changed")
  func betweenTrees() throws {
    let client = try Client()
    for (name, isReadOnly) in [("fixed", true), ("second", false)] {
      let path = client.folder + "/" + name
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try Data().write(to: URL(fileURLWithPath: path + "/file"))
      try client.server.offer(Tree(path: Array(path.utf8), isReadOnly: isReadOnly))
    }
    func root(_ name: String) throws -> [UInt8] {
      try #require(
        try Client.mount(client.server, client.secret, Array((client.folder + "/" + name).utf8)).handle)
    }
    try client.make("mine")
    let fixed = try root("fixed")
    let second = try root("second")
    #expect(try client.rename(client.root, "mine", fixed, "mine") == 30)
    #expect(try client.rename(fixed, "file", client.root, "file") == 30)
    let other = try client.lookUp(fixed, "file").handle
    #expect(try client.result(15, opaque(other) + opaque(client.root) + opaque("file")).status == 18)
    #expect(try client.result(15, opaque(try client.handle("mine")) + opaque(fixed) + opaque("x")).status == 30)
    #expect(try client.rename(client.root, "mine", second, "mine") == 0)
    #expect(try client.lookUp(second, "mine").status == 0)
    #expect(
      try client.attributes(second).attributes?.fileSystem != client.attributes(client.root).attributes?.fileSystem)
  }

  @Test("devices are not made; a named pipe and a socket are, and neither is opened here")
  func special() throws {
    let client = try Client()
    let kinds: [(kind: UInt32, more: [UInt8], status: UInt32)] = [
      (3, setting() + words(1, 3), 1), (4, setting() + words(1, 3), 1), (6, setting(mode: 0o600), 0),
      (7, setting(mode: 0o600), 0), (1, [], 10007),
    ]
    for (kind, more, status) in kinds {
      let name = "kind\(kind)"
      let place = opaque(client.root) + opaque(name)
      #expect(try client.result(11, place + words(kind) + more).status == status)
      #expect(FileManager.default.fileExists(atPath: client.path(name)) == (status == 0))
      guard status == 0 else { continue }
      let handle = try client.handle(name)
      #expect(try client.attributes(handle).attributes?.kind == kind)
      #expect(try client.read(handle).status == 22)
      #expect(try client.write(handle, 0, "x") == 22)
    }
  }

  @Test("a tree is one file system for clients, whatever is mounted in it, and no two objects have one number")
  func devices() throws {
    let client = try Client()
    try client.server.offer(Tree(path: [UInt8(ascii: "/")], isReadOnly: true))
    let root = try #require(try Client.mount(client.server, client.secret, [UInt8(ascii: "/")]).handle)
    let own = try #require(try client.attributes(root).attributes)
    let processes = try client.lookUp(root, "proc")
    #expect(processes.status == 0)
    let mounted = try #require(try client.attributes(processes.handle).attributes)
    // The root of the kernel's own file system is number 1 there.
    #expect(mounted.fileSystem == own.fileSystem && mounted.fileID != own.fileID && mounted.fileID > 1 << 32)
  }
}
