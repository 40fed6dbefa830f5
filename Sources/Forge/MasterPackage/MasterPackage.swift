import Foundation
import Image
import SystemPackage
import Target
import Workshop

/// A Debian package with the programs that make a full Linux a node of a cluster.
///
///     let built = try await MasterPackage(target: .x86_64, programs: …, sources: …, files: "master").build(in: "build")
public struct MasterPackage: Sendable {
  public let target: DroneTarget
  public let programs: [Program]
  /// The sources whose code is in the programs.
  public let sources: [SourceNotice]
  /// The checkout's folder `master`.
  public let files: FilePath

  /// A program, where it goes, and the names that are links to it, all absolute paths.
  public struct Program: Sendable {
    public let path: String
    public let file: FilePath
    public let links: [String]

    public init(path: String, file: FilePath, links: [String]) {
      self.path = path
      self.file = file
      self.links = links
    }
  }

  public init(target: DroneTarget, programs: [Program], sources: [SourceNotice], files: FilePath) {
    self.target = target
    self.programs = programs
    self.sources = sources
    self.files = files
  }

  /// Writes `tyd_VERSION_ARCHITECTURE.deb` into `folder` and gives its path.
  ///
  /// The version and the date of everything in it are those of the newest entry of `changelog`; the same parts give the
  /// same bytes. Throws `BuildError`.
  public func build(in folder: FilePath) async throws -> FilePath {
    let release = try await Release(changelog: files.appending("changelog"))
    let contents = try await manifest().resolved()
    let output = folder.appending("tyd_\(release.version)_\(target.debianArchitecture).deb")
    try await withTemporaryFolder(in: folder) { work in
      let tree = work.appending("tyd")
      try await write(contents.adding(control(contents, release)), asFolder: tree, date: release.date)
      try await replacing(output) { temporary in
        // dpkg-deb decides by the name's ending what to do.
        let package = work.appending("package.deb")
        _ = try await Command(
          "dpkg-deb",
          [
            "--root-owner-group",
            "--uniform-compression",
            "-Zxz",
            "-z9",
            "--threads-max=1",
            "--build", tree.string, package.string,
          ],
          environment: ["LC_ALL": "C", "TZ": "UTC", "SOURCE_DATE_EPOCH": "\(release.date)", "XZ_OPT": nil]
        ).output()
        try fileOperation(output, "Make room for it or choose another folder") {
          try FileManager.default.moveItem(atPath: package.string, toPath: temporary.string)
        }
      }
    }
    return output
  }

  /// The manual's pages in `files`.
  static let pages = ["mosmon.8", "mtop.8", "showmap.8", "tyd.8"]

  /// What the package puts into a system.
  func manifest() async throws -> Manifest {
    func compressed(_ name: String) async throws -> Entry.Content {
      .bytes(try await Command("gzip", ["-9", "--no-name", "--stdout", files.appending(name).string]).output())
    }
    func file(_ path: String, _ name: String, why: String) -> Entry {
      .file(path, .file(files.appending(name)), why: why)
    }
    var entries = [
      Entry.directory("/etc/tyd", mode: 0o700, why: "the cluster's credential, put there by the operator"),
      file("/etc/default/tyd", "tyd.default", why: "options of the service"),
      file("/usr/lib/systemd/system/tyd.service", "tyd.service", why: "the service"),
      .file("/usr/share/doc/tyd/changelog.gz", try await compressed("changelog"), why: "what is new"),
      file("/usr/share/doc/tyd/copyright", "copyright", why: "whose it is"),
    ]
    for page in MasterPackage.pages {
      entries.append(.file("/usr/share/man/man8/\(page).gz", try await compressed(page), why: "the manual"))
    }
    for notice in sources {
      entries.append(
        .file(
          "/usr/share/doc/tyd/copyright.\(notice.source.package)", .bytes(notice.copyright), why: "whose it is in part")
      )
    }
    for program in programs {
      entries.append(.file(program.path, .file(program.file), executable: true, why: "a program"))
      for link in program.links { entries.append(.link(link, to: program.path, why: "a program by its own name")) }
    }
    return try Manifest(entries)
  }

  /// What dpkg reads and keeps (deb-control(5), deb-conffiles(5), deb-md5sums(5)).
  private func control(_ contents: ResolvedManifest, _ release: Release) throws -> [Entry] {
    var sums = ""
    var bytes = 0
    for resolved in contents.entries {
      guard let content = resolved.content else { continue }
      bytes += content.size
      let path = resolved.entry.path
      guard !path.hasPrefix("/etc/") else { continue }
      sums += "\(MD5(try content.bytes()))  \(path.dropFirst())\n"
    }
    func text(_ name: String, _ text: String) -> Entry {
      .file("/DEBIAN/\(name)", .bytes([UInt8](text.utf8)), why: "for dpkg")
    }
    let linked = sources.map { "\($0.source.package) (= \($0.source.version))" }.joined(separator: ", ")
    return [
      text(
        "control",
        """
        Package: tyd
        Version: \(release.version)
        Architecture: \(target.debianArchitecture)
        Maintainer: \(release.maintainer)
        Installed-Size: \((bytes + 1023) / 1024)
        Static-Built-Using: \(linked)
        Section: net
        Priority: optional
        Description: node of a cluster that speaks only through IPsec
         tyd makes this machine a node of a cluster of drones: small computers that boot
         a Linux image of the droneforge project and live in RAM only. Nodes prove who
         they are by certificates, find each other, notice who is gone, and whatever
         two of them send each other travels through IPsec with their own keys.
         .
         The program is static and needs a kernel with XFRM and nf_tables, such as Debian's.

        """),
      text("md5sums", sums),
      text("conffiles", "/etc/default/tyd\n"),
    ]
      + ["postinst", "prerm", "postrm"].map {
        .file("/DEBIAN/\($0)", .file(files.appending($0)), executable: true, why: "for dpkg")
      }
  }
}
