import BuildCache
import Foundation
import Image
import SystemPackage
import Target
import Workshop

/// A Debian package with the programs that make a full Linux a node of a cluster: `tyd_VERSION_ARCHITECTURE.deb`.
///
/// The version and the date of everything in it are those of the newest entry of its changelog; the same parts give the
/// same bytes.
public struct MasterPackage: Recipe {
  public let target: DroneTarget
  public let programs: [DroneProgram]
  /// The sources whose code is in the programs.
  private let sources: [SourceNotice]
  /// The checkout's folder `master`.
  private let files: FilePath
  private let release: Release
  private let manifest: Manifest
  public let inputs: [Input]

  /// Reads what the package is made from, of `files`, the checkout's folder `master`. Throws `BuildError`.
  public init(target: DroneTarget, programs: [DroneProgram], sources: [SourceNotice], files: FilePath) async throws {
    self.target = target
    self.programs = programs
    self.sources = sources
    self.files = files
    release = try await Release(changelog: files.appending("changelog"))
    manifest = try await Manifest(package: files, programs, sources)
    let digest = try appearance(
      of: manifest.entries + scripts(files),
      ["\(release)", target.debianArchitecture] + sources.map { "\($0.source)" })
    inputs = [Input("parts", digest.description)]
  }

  public var name: String { "tyd_\(release.version)_\(target.debianArchitecture).deb" }
  public var title: String { "Debian package" }

  public func build(in room: Room) async throws {
    let package = room.result.appending(name)
    let tree = room.work.appending("tyd")
    let contents = try manifest.resolved()
    try await write(contents.adding(control(contents)), asFolder: tree, date: release.date)
    _ = try await tool(
      "dpkg-deb",
      [
        "--root-owner-group",
        "--uniform-compression",
        "-Zxz",
        "-z9",
        "--threads-max=1",
        "--build", tree.string, package.string,
      ],
      environment: ["SOURCE_DATE_EPOCH": "\(release.date)"]
    ).output()
    try fileOperation(package, "Choose another folder") {
      guard chmod(package.string, 0o644) == 0 else { throw Errno(rawValue: errno) }
    }
  }

  /// What dpkg reads and keeps (deb-control(5), deb-conffiles(5), deb-md5sums(5)).
  private func control(_ contents: ResolvedManifest) throws -> [Entry] {
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
         two of them send each other travels through IPsec with their own keys. mosrun
         runs a command of this machine's on a drone, which need not have the program.
         .
         The program is static and needs a kernel with XFRM and nf_tables, such as Debian's.

        """),
      text("md5sums", sums),
      text("conffiles", "/etc/default/mosd\n/etc/default/tyd\n"),
    ] + scripts(files)
  }
}

/// The manual's pages in `master`; the last letter is the section.
let pages = ["mkill.1", "mosd.8", "mosmon.8", "mosrun.1", "mps.1", "mtop.8", "showmap.8", "tyd.8"]

extension Manifest {
  /// What the package puts into a system.
  init(package files: FilePath, _ programs: [DroneProgram], _ sources: [SourceNotice]) async throws {
    func compressed(_ name: String) async throws -> Entry.Content {
      .bytes(try await tool("gzip", ["-9", "--no-name", "--stdout", files.appending(name).string]).output())
    }
    func file(_ path: String, _ name: String, why: String) -> Entry {
      .file(path, .file(files.appending(name)), why: why)
    }
    var entries = [
      Entry.directory("/etc/tyd", mode: 0o700, why: "the cluster's credential, put there by the operator"),
      file("/etc/default/tyd", "tyd.default", why: "options of the service"),
      file("/etc/default/mosd", "mosd.default", why: "options of the service for work"),
      file("/usr/lib/systemd/system/tyd.service", "tyd.service", why: "the service"),
      file("/usr/lib/systemd/system/mosd.service", "mosd.service", why: "the service for work"),
      .file("/usr/share/doc/tyd/changelog.gz", try await compressed("changelog"), why: "what is new"),
      file("/usr/share/doc/tyd/copyright", "copyright", why: "whose it is"),
    ]
    for page in pages {
      let path = "/usr/share/man/man\(page.suffix(1))/\(page).gz"
      entries.append(.file(path, try await compressed(page), why: "the manual"))
    }
    for notice in sources {
      entries.append(
        .file(
          "/usr/share/doc/tyd/copyright.\(notice.source.package)", .bytes(notice.copyright), why: "whose it is in part")
      )
    }
    for program in programs {
      entries.append(.file(program.place.path, .file(program.stripped), executable: true, why: "a program"))
      for link in program.place.links {
        entries.append(.link(link, to: program.place.path, why: "a program by its own name"))
      }
    }
    try self.init(entries)
  }
}

/// What dpkg runs.
private func scripts(_ files: FilePath) -> [Entry] {
  ["postinst", "prerm", "postrm"].map {
    .file("/DEBIAN/\($0)", .file(files.appending($0)), executable: true, why: "for dpkg")
  }
}
