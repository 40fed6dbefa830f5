import BuildCache
import DroneLayout
import Foundation
import Jobs
import Supervision
import SystemPackage
import Target
import TestSupport
import Testing
import TydCommand
import Workshop

@testable import MasterPackage

/// Packages are read back with dpkg-deb and bsdtar.
@Suite struct MasterPackageTests {

  /// A package with a stand-in for the program.
  private func package(
    in folder: FilePath, links: [String] = ["/usr/bin/showmap"], of files: FilePath = checkout.appending("master")
  ) async throws -> MasterPackage {
    let program = folder.appending("program")
    try await write([0x7F] + "ELF".utf8, to: program)
    return try await MasterPackage(
      target: .x86_64,
      programs: [
        DroneProgram(
          ProgramPlace(product: "tyd", path: "/usr/sbin/tyd", links: links), stripped: program, unstripped: program)
      ],
      sources: [
        SourceNotice(
          source: SourceRecord(name: "musl_1.2.3-1.debian.tar.xz", version: "1.2.3-1", sha256: "00"),
          copyright: [UInt8]("of musl\n".utf8))
      ],
      files: files)
  }

  /// Builds a package as a cache does.
  private func made(_ package: MasterPackage, in folder: FilePath) async throws -> FilePath {
    _ = try await BuildCache(folder: folder).outputs(
      [package.name], of: package, Workshop.Progress(total: 1, quiet: true))
    return folder.appending(package.name)
  }

  private func withFolder<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory()), body)
  }

  private func text(_ program: String, _ arguments: [String]) async throws -> String {
    String(
      decoding: try await Command(program, arguments, environment: ["LC_ALL": "C", "TZ": "UTC"]).output(), as: UTF8.self
    )
  }

  @Test(
    "a package holds the program, its links, the services, the manual and an empty folder for the credential, all root's"
  )
  func contents() async throws {
    try await withFolder { folder in
      let built = try await made(package(in: folder), in: folder)
      #expect(
        built.lastComponent?.string == "tyd_\(String(decoding: SoftwareVersion.current.text, as: UTF8.self))_amd64.deb")
      #expect(try await text("bsdtar", ["-tf", built.string]) == "debian-binary\ncontrol.tar.xz\ndata.tar.xz\n")
      let lines = try await text("dpkg-deb", ["--contents", built.string]).split(separator: "\n")
      func line(_ path: String) -> Substring? {
        lines.first { $0.hasSuffix(" ./\(path)") || $0.contains(" ./\(path) -> ") }
      }
      let modes = [
        ("usr/sbin/tyd", "-rwxr-xr-x"), ("etc/tyd/", "drwx------"), ("etc/default/tyd", "-rw-r--r--"),
        ("etc/default/mosd", "-rw-r--r--"), ("usr/lib/systemd/system/mosd.service", "-rw-r--r--"),
        ("usr/share/man/man8/mosd.8.gz", "-rw-r--r--"), ("usr/share/man/man1/mosrun.1.gz", "-rw-r--r--"),
        ("usr/share/man/man1/mps.1.gz", "-rw-r--r--"), ("usr/share/man/man1/mkill.1.gz", "-rw-r--r--"),
        ("usr/lib/systemd/system/tyd.service", "-rw-r--r--"), ("usr/share/man/man8/tyd.8.gz", "-rw-r--r--"),
        ("usr/share/man/man8/mosmon.8.gz", "-rw-r--r--"), ("usr/share/man/man8/showmap.8.gz", "-rw-r--r--"),
        ("usr/share/man/man8/mtop.8.gz", "-rw-r--r--"),
        ("usr/share/doc/tyd/copyright", "-rw-r--r--"), ("usr/share/doc/tyd/copyright.musl", "-rw-r--r--"),
        ("usr/share/doc/tyd/changelog.gz", "-rw-r--r--"), ("usr/bin/showmap", "lrwxrwxrwx"), ("", "drwxr-xr-x"),
      ]
      for (path, mode) in modes { #expect(line(path)?.hasPrefix(mode) == true, "\(path): \(line(path) ?? "missing")") }
      #expect(line("usr/bin/showmap")?.hasSuffix(" -> /usr/sbin/tyd") == true)
      #expect(lines.allSatisfy { $0.contains(" root/root ") })
      let all =
        modes.map(\.0) + ["etc/", "etc/default/", "usr/", "usr/bin/", "usr/sbin/", "usr/lib/", "usr/lib/systemd/"]
        + ["usr/lib/systemd/system/", "usr/share/", "usr/share/man/", "usr/share/man/man1/", "usr/share/man/man8/"]
        + ["usr/share/doc/", "usr/share/doc/tyd/"]
      #expect(lines.count == all.count)
    }
  }

  @Test("dpkg reads what the package is; each file's digest is right; the configuration files are named as such")
  func control() async throws {
    try await withFolder { folder in
      let built = try await made(package(in: folder), in: folder)
      func field(_ name: String) async throws -> String {
        try await text("dpkg-deb", ["--field", built.string, name]).trimmingCharacters(in: .whitespacesAndNewlines)
      }
      #expect(try await field("Package") == "tyd")
      #expect(try await field("Version") == String(decoding: SoftwareVersion.current.text, as: UTF8.self))
      #expect(try await field("Architecture") == "amd64")
      #expect(try await field("Static-Built-Using") == "musl (= 1.2.3-1)")
      #expect(try await field("Depends") == "")
      let (control, tree) = (folder.appending("control"), folder.appending("tree"))
      _ = try await text("dpkg-deb", ["--control", built.string, control.string])
      _ = try await text("dpkg-deb", ["--extract", built.string, tree.string])
      #expect(try await text("cat", [control.appending("conffiles").string]) == "/etc/default/mosd\n/etc/default/tyd\n")
      let sums = Command(
        "md5sum", ["--check", "--quiet", "--strict", control.appending("md5sums").string], workingDirectory: tree.string
      )
      #expect(try await sums.output() == [])
      for script in ["postinst", "prerm", "postrm"] {
        #expect(FileManager.default.isExecutableFile(atPath: control.appending(script).string), "\(script)")
      }
    }
  }

  @Test("the same parts give the same bytes, in any folder and at any time")
  func sameBytes() async throws {
    try await withFolder { folder in
      let first = try await made(package(in: folder), in: folder)
      let other = folder.appending("other")
      try makeFolder(other)
      // Files of the checkout have other dates there.
      _ = try await Command("cp", ["-R", checkout.appending("master").string, other.string]).output()
      let again = try await made(package(in: other, of: other.appending("master")), in: other)
      #expect(try Workshop.contents(of: first) == Workshop.contents(of: again))
    }
  }

  @Test("the manual names every option of tyd --help, and none that tyd does not know")
  func manual() async throws {
    let page = try String(contentsOfFile: checkout.appending("master/tyd.8").string, encoding: .utf8)
    let help = "\(TydCommand.help)"
    // Options begin with a hyphen after a space or at a line's beginning; roff writes it `\-`.
    func options(_ text: String) -> Set<String> {
      Set(
        text.split(whereSeparator: { " \n\",[]()|".contains($0) }).filter {
          $0.first == "-" && $0.dropFirst().contains { $0.isLetter }
        }
        .map { String($0.prefix { $0.isLetter || $0 == "-" }) })
    }
    let entries = page.split(separator: ".SH OPTIONS")[1].split(separator: ".SH EXIT STATUS")[0]
      .replacingOccurrences(of: "\\-", with: "-").replacingOccurrences(of: "\\f", with: " \\f")
    #expect(options(help).subtracting(options(entries)) == [])
    for option in options(entries) {
      do throws(TydCommandError) { _ = try TydCommand([[UInt8](option.utf8)]) } catch {
        #expect(!String(decoding: error.sentence, as: UTF8.self).contains("no option"), "\(option)")
      }
    }
    #expect(page.contains("tyd \(String(decoding: SoftwareVersion.current.text, as: UTF8.self))\""))
  }

  @Test("groff has nothing to say against the manual", arguments: pages)
  func roff(_ name: String) async throws {
    let page = checkout.appending("master/\(name)").string
    let warnings = try await text("sh", ["-c", "man --local-file --warnings \"$0\" 2>&1 >/dev/null", page])
    #expect(warnings == "")
  }

  @Test(
    "the service starts the program of the package, waits for a credential where the package has a folder for it, and keeps what a crash needs"
  )
  func service() throws {
    let unit = try String(contentsOfFile: checkout.appending("master/tyd.service").string, encoding: .utf8)
    let lines = unit.split(separator: "\n").map(String.init)
    for line in [
      "ConditionPathExists=/etc/tyd/ca.crt", "ExecStart=/usr/sbin/tyd --resume $TYD_OPTIONS", "Restart=on-failure",
      "RuntimeDirectory=tyd", "RuntimeDirectoryPreserve=yes", "EnvironmentFile=-/etc/default/tyd",
      "RestartPreventExitStatus=2 \(toldToEnd)", "LimitCORE=0",
    ] { #expect(lines.contains(line), "\(line)") }
    #expect(try TydCommand([[UInt8]("--resume".utf8)]).isResuming)
    // After a farewell nobody looks for a node that is only started again.
    #expect(!lines.contains { $0.hasPrefix("ExecStop") })
    // These would keep tyd from the kernel's settings or from netlink.
    #expect(!lines.contains("ProtectKernelTunables=yes") && !lines.contains("PrivateNetwork=yes"))
    #expect(lines.first { $0.hasPrefix("RestrictAddressFamilies=") }?.contains("AF_NETLINK") == true)
    #expect(lines.first { $0.hasPrefix("CapabilityBoundingSet=") } == "CapabilityBoundingSet=CAP_NET_ADMIN")
  }

  @Test("the service for work runs nobody else's until its administrator says so, and keeps no file from its users")
  func workService() throws {
    let unit = try String(contentsOfFile: checkout.appending("master/mosd.service").string, encoding: .utf8)
    let lines = unit.split(separator: "\n").map(String.init)
    for line in [
      "ExecStart=/usr/sbin/mosd --foreground $MOSD_OPTIONS", "EnvironmentFile=-/etc/default/mosd",
      "Environment=\"MOSD_OPTIONS=--work off\"", "RuntimeDirectory=mosd", "Delegate=yes", "KillMode=process",
      "RestartPreventExitStatus=2", "LimitCORE=0",
    ] { #expect(lines.contains(line), "\(line)") }
    let options = try String(contentsOfFile: checkout.appending("master/mosd.default").string, encoding: .utf8)
    #expect(options.split(separator: "\n").contains("MOSD_OPTIONS=\"--work off\""))
    #expect(try MosdOptions(["--foreground", "--work", "off"].map { [UInt8]($0.utf8) }).slots == 0)
    // These would hide or guard files of users, or keep jobs, which inherit them, from being any programs.
    for word in [
      "Protect", "Private", "Restrict", "SystemCall", "MemoryDeny", "ReadOnly", "Inaccessible", "RootDirectory",
    ] { #expect(!lines.contains { $0.hasPrefix(word) }, "\(word)") }
  }

  static let workPages = [
    ("mosrun.1", "\(MosrunOptions.help)"), ("mosd.8", "\(MosdOptions.help)"), ("mps.1", "\(MpsOptions.help)"),
    ("mkill.1", "\(MkillOptions.help)"),
  ]

  @Test("the manual names every option of the programs for work", arguments: workPages)
  func workManual(_ name: String, _ help: String) throws {
    let page = try String(contentsOfFile: checkout.appending("master/\(name)").string, encoding: .utf8)
      .replacingOccurrences(of: "\\-", with: "-")
    for word in help.split(whereSeparator: { " \n,".contains($0) }) where word.first == "-" && word.count > 1 {
      #expect(page.contains(word), "\(word)")
    }
    #expect(page.contains("tyd \(String(decoding: SoftwareVersion.current.text, as: UTF8.self))\""))
  }

  @Test("a changelog without a date, or none at all, is one sentence")
  func noRelease() async throws {
    try await withFolder { folder in
      await #expect(throws: BuildError.self) { try await Release(changelog: folder.appending("missing")) }
      try await write("tyd (1.0) unstable; urgency=low\n\n  * x\n".utf8, to: folder.appending("changelog"))
      await #expect(throws: BuildError.self) { try await Release(changelog: folder.appending("changelog")) }
    }
  }
}
