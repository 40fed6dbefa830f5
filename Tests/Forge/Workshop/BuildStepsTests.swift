import Foundation
import SystemPackage
import Testing
@testable import Workshop

@Suite struct DigestTests {
  @Test("SHA-256 of \"abc\" is FIPS 180-4's own example")
  func example() {
    #expect("\(SHA256([UInt8]("abc".utf8)))" == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test("pieces do not run into each other")
  func pieces() {
    func digest(_ pieces: [String]) -> SHA256 {
      var hasher = SHA256.Hasher()
      for piece in pieces { hasher.add(piece) }
      return hasher.finish()
    }
    #expect(digest(["ab", "c"]) != digest(["a", "bc"]))
  }
}

@Suite struct ReplacingTests {
  struct Stop: Error {}

  @Test("a failed write leaves the previous file and no other")
  func failure() async throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("replacing-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    let file = folder.appending("output")
    try await write("first".utf8, to: file)
    await #expect(throws: Stop.self) {
      try await replacing(file) { temporary in
        try await write("half".utf8, to: temporary)
        throw Stop()
      }
    }
    #expect(try contents(of: file) == [UInt8]("first".utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.string) == ["output"])
  }

  @Test("a folder that cannot be written is named in a sentence")
  func unwritable() async {
    let error = await #expect(throws: BuildError.self) { try await write("x".utf8, to: "/proc/no/such/file") }
    #expect(error.map { "\($0)".contains("/proc/no/such/file") } == true)
  }
}

@Suite struct CommandTests {
  @Test("arguments reach the program as they are")
  func arguments() async throws {
    let out = try await Command("printf", ["%s|", "a b", "$HOME", "`id`"]).output()
    #expect(String(decoding: out, as: UTF8.self) == "a b|$HOME|`id`|")
  }

  /// Each changes what a compiler, a makefile or an archiver makes, or stops it.
  static let orders = [
    "CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX", "CFLAGS", "HOSTCFLAGS", "LDFLAGS",
    "LOCALVERSION", "KBUILD_BUILD_TIMESTAMP", "KCONFIG_CONFIG", "KCFLAGS", "MAKEFLAGS", "MAKEFILES", "O", "V", "W",
    "TAR_OPTIONS", "GZIP", "XZ_OPT", "XZ_DEFAULTS", "PERL5OPT", "DEB_BUILD_OPTIONS", "SOURCE_DATE_EPOCH", "ONLY",
    "BASH_ENV", "ENV", "POSIXLY_CORRECT", "LANG", "LC_CTYPE", "TZ",
  ]

  @Test("a developer's settings do not reach a build's programs")
  func closed() async throws {
    var own = ["PATH": "/bin", "HOME": "/root"]
    for name in CommandTests.orders { own[name] = "no" }
    let program = tool("env", [], environment: ["AR": "llvm-ar"])
    #expect(
      program.variables(beside: own) == [
        "PATH": "/bin", "HOME": "/root", "TZ": "UTC", "LC_ALL": "C", "AR": "llvm-ar",
      ])
    let lines = String(decoding: try await program.output(), as: UTF8.self).split(separator: "\n")
    for line in ["TZ=UTC", "LC_ALL=C", "AR=llvm-ar"] { #expect(lines.contains { $0 == line }, "\(line)") }
    for name in ["PATH", "HOME"] { #expect(lines.contains { $0.hasPrefix("\(name)=") }, "\(name)") }
  }

  @Test("a program that another one waits for runs as long as that does", arguments: [nil, "cat"])
  func running(_ program: String?) async throws {
    let answered = BuildError.input("no answer")
    if let program {
      try await Command(program).running(silence: answered) { number in #expect(kill(number, 0) == 0) }
    } else {
      await #expect(throws: BuildError.self) { try await Command("true").running(silence: answered) { _ in } }
    }
  }

  @Test("lines of output and errors come one after the other, and the last ones are in the error")
  func lines() async throws {
    var lines: [String] = []
    try await Command("/bin/sh", ["-c", "echo one; echo two >&2; printf three"]).run { lines.append($0) }
    #expect(lines.map { $0.filter { !$0.isNewline } } == ["one", "two", "three"])
    let error = await #expect(throws: BuildError.self) {
      try await Command("/bin/sh", ["-c", "echo port taken >&2; exit 2"]).run { _ in }
    }
    guard case .commandFailed(_, _, nil, let last)? = error else {
      return #expect(Bool(false), "\(String(describing: error))")
    }
    #expect(last == ["port taken"])
  }

  @Test("a failing program's last words are in the error")
  func failing() async {
    let error = await #expect(throws: BuildError.self) { _ = try await Command("ls", ["/no/such/folder"]).output() }
    #expect(error.map { "\($0)".contains("/no/such/folder") } == true)
  }

  @Test("a program that does not exist is named")
  func missing() async {
    let error = await #expect(throws: BuildError.self) { _ = try await Command("no-such-program").output() }
    #expect(error.map { "\($0)".contains("no-such-program could not be started") } == true)
  }
}
