import Foundation
import SystemPackage
import TestSupport
import Testing
import Workshop

@testable import Image

@Suite struct ManifestTests {
  @Test("entries come out sorted by path, with the directories that hold them")
  func sorted() throws {
    let manifest = try Manifest([
      .file("/b/c/d", .bytes([]), why: "test"), .file("/b-", .bytes([]), why: "test"), .directory("/a", why: "test"),
    ])
    #expect(manifest.entries.map(\.path) == ["/a", "/b", "/b-", "/b/c", "/b/c/d"])
    #expect(manifest["/b/c"]?.mode == 0o755)
  }

  @Test(
    "what no image can hold is refused in a sentence",
    arguments: [
      ([.directory("/a", why: "one"), .directory("/a", why: "two")], "twice"),
      ([.file("/a", .bytes([]), why: "test"), .file("/a/b", .bytes([]), why: "test")], "/a is not a directory"),
      ([.directory("a", why: "test")], "absolute path"),
      ([.directory("/a/", why: "test")], "absolute path"),
      ([.directory("/a//b", why: "test")], "absolute path"),
      ([.directory("/a/../b", why: "test")], "absolute path"),
      ([.directory("/a\nb", why: "test")], "control character"),
      ([.directory("/" + String(repeating: "n", count: 256), why: "test")], "256 bytes"),
      ([.directory(String(repeating: "/name", count: 900), why: "test")], "4500 bytes"),
      ([.link("/a", to: "", why: "test")], "target"),
      ([.link("/a", to: "/home/somebody/file", why: "test")], "not in the image"),
      ([.link("/a", to: "../../b", why: "test")], "outside the image"),
      ([.link("/a", to: "b", why: "test"), .link("/b", to: "a", why: "test")], "circle"),
      ([.link("/a", to: "/b/c", why: "test"), .file("/b", .bytes([]), why: "test")], "not a directory"),
    ] as [([Entry], String)])
  func refused(entries: [Entry], words: String) {
    let error = #expect(throws: BuildError.self) { try Manifest(entries) }
    #expect(error.map { "\($0)".contains(words) } == true, "\(String(describing: error))")
  }

  @Test(
    "a link may point at what is there, at what init makes, and through other links",
    arguments: ["/run/hosts", "/proc/mounts", "d/f", "/l/f", "l/../d/./f", "/d", "/"])
  func links(target: String) throws {
    _ = try Manifest([
      .file("/d/f", .bytes([]), why: "test"), .link("/l", to: "d", why: "test"), .link("/new", to: target, why: "test"),
      .directory("/run", why: "test"), .directory("/proc", why: "test"),
    ])
  }
}

@Suite struct RootManifestTests {
  @Test("the root has what the kernel and init need, owned by root and writable by root alone")
  func root() async throws {
    try await withFolder { folder in
      let root = try await Manifest(root: fakeParts(in: folder).drones[0].root)
      #expect(root["/init"]?.kind == .symbolicLink(target: "sbin/init"))
      #expect(root["/dev/console"]?.kind == .characterDevice(major: 5, minor: 1))
      #expect(root["/dev/null"]?.kind == .characterDevice(major: 1, minor: 3))
      #expect(root["/etc/hosts"]?.kind == .symbolicLink(target: "/run/hosts"))
      #expect(root["/bin/fix_hosts"]?.kind == .symbolicLink(target: "/sbin/init"))
      #expect(root["/bin/ls"]?.kind == .symbolicLink(target: "/bin/busybox"))
      for name in ["proc", "sys", "dev", "run", "tmp", "mnt/boot", "root", "etc", "bin", "sbin"] {
        #expect(root["/\(name)"]?.kind == .directory)
      }
      for entry in root.entries {
        #expect(entry.owner == .root)
        if case .symbolicLink = entry.kind { continue }
        #expect(entry.mode & 0o022 == 0, "\(entry.path)")
      }
    }
  }

  @Test("the drone's own init wins over BusyBox's applet of that name")
  func precedence() async throws {
    try await withFolder { folder in
      let parts = try await fakeParts(in: folder)
      #expect(
        try Manifest(root: parts.drones[0].root)["/sbin/init"]?.kind
          == .file(.file(parts.drones[0].root.programs[0].stripped)))
    }
  }

  @Test("modes come from the owner's execute bit, whatever the umask was")
  func modes() async throws {
    try await withFolder { folder in
      for (name, mode) in [("plain", 0o600), ("program", 0o700), ("open", 0o666)] as [(String, mode_t)] {
        try await write("x".utf8, to: folder.appending(name))
        chmod(folder.appending(name).string, mode)
      }
      let entries = try filesAsTheyAre(folder)
      #expect(entries.map(\.path) == ["/open", "/plain", "/program"])
      #expect(entries.map(\.mode) == [0o644, 0o644, 0o755])
    }
  }

  @Test("a socket, a FIFO and a device in rootfs are refused by name", arguments: [S_IFSOCK, S_IFIFO, S_IFCHR])
  func special(kind: mode_t) async throws {
    try await withFolder { folder in
      // Only root makes devices.
      guard mknod(folder.appending("odd").string, kind | 0o600, 0x103) == 0 else { return }
      let error = #expect(throws: BuildError.self) { try filesAsTheyAre(folder) }
      #expect(error.map { "\($0)".contains("odd is a ") } == true)
    }
  }

  @Test("a name that is not UTF-8 is refused")
  func bytes() async throws {
    try await withFolder { folder in
      let path = folder.string.utf8.map { CChar(bitPattern: $0) } + [0x2F, CChar(bitPattern: 0xFF), 0]
      close(open(path, O_CREAT | O_WRONLY, 0o600))
      let error = #expect(throws: BuildError.self) { try filesAsTheyAre(folder) }
      #expect(error.map { "\($0)".contains("not UTF-8") } == true)
    }
  }

  @Test("a path that is too long for the builder's own system is a sentence, too")
  func deep() async throws {
    try await withFolder { folder in
      let name = String(repeating: "n", count: 250)
      let descriptor = open(folder.string, O_DIRECTORY)
      var here = descriptor
      for _ in 0..<20 {
        mkdirat(here, name, 0o755)
        let next = openat(here, name, O_DIRECTORY)
        close(here)
        here = next
      }
      close(here)
      let error = #expect(throws: BuildError.self) { try Manifest(filesAsTheyAre(folder)) }
      #expect(error != nil)
      // FileManager cannot remove so deep a tree.
      _ = try await Command("rm", ["-rf", folder.string]).output()
    }
  }

  @Test("the checkout's own rootfs makes a root")
  func own() async throws {
    try await withFolder { folder in
      var parts = try await fakeParts(in: folder).drones[0].root
      parts.files = checkout.appending("rootfs")
      #expect(try Manifest(root: parts)["/etc/passwd"] != nil)
    }
  }
}
