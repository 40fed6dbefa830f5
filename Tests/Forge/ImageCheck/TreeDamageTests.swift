import Foundation
import SystemPackage
import Testing
import Workshop

@testable import Image
@testable import ImageCheck

@Suite struct TreeDamageTests {
  /// One way to damage a network boot tree, and the finding that must name it.
  struct Damage: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var check: Finding.Check
    var says: String
    var apply: @Sendable (FilePath) async throws -> Void
  }

  private static func set(_ mode: mode_t, _ path: FilePath) throws {
    try fileOperation(path, "Look at the test") {
      guard chmod(path.string, mode) == 0 else { throw Errno(rawValue: errno) }
    }
  }

  static let all: [Damage] = [
    Damage(testDescription: "loader missing", check: .presence, says: "/pxelinux.0: no PC boots") {
      try FileManager.default.removeItem(atPath: $0.appending("pxelinux.0").string)
    },
    Damage(testDescription: "core missing", check: .presence, says: "/ldlinux.c32: it is missing") {
      try FileManager.default.removeItem(atPath: $0.appending("ldlinux.c32").string)
    },
    Damage(testDescription: "configuration missing", check: .configuration, says: "no boot configuration") {
      try FileManager.default.removeItem(atPath: $0.appending("pxelinux.cfg/default").string)
    },
    Damage(testDescription: "kernel renamed", check: .configuration, says: "it names chaos/bzImage, which is not") {
      try FileManager.default.moveItem(
        atPath: $0.appending("chaos/bzImage").string, toPath: $0.appending("chaos/bzimage").string)
    },
    Damage(testDescription: "kernel cut off", check: .kernel, says: "it is cut off") {
      let path = $0.appending("chaos/bzImage")
      try await write(contents(of: path).dropLast(100), to: path)
    },
    Damage(testDescription: "root cut off", check: .archive, says: "cannot be read to its end") {
      let path = $0.appending("chaos/chaos.rdz")
      try await write(contents(of: path).dropLast(100), to: path)
    },
    Damage(testDescription: "a private key", check: .secret, says: "/boot.ipxe: it holds a private key") {
      let path = $0.appending("boot.ipxe")
      try await write(try contents(of: path) + ("-----BEGIN RSA PRIVATE " + "KEY-----\n").utf8, to: path)
    },
    Damage(testDescription: "a file added", check: .presence, says: "/chaos/notes: it is not in the manifest") {
      try await write("x".utf8, to: $0.appending("chaos/notes"))
    },
    Damage(testDescription: "a folder added", check: .presence, says: "/more: it is not in the manifest") {
      try makeFolder($0.appending("more"))
    },
    Damage(testDescription: "a link for a file", check: .manifest, says: "/dnsmasq.conf: it is a symbolic link") {
      let path = $0.appending("dnsmasq.conf").string
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/dnsmasq.conf")
    },
    Damage(testDescription: "a screen changed", check: .manifest, says: "/screens/f4.txt: it has") {
      try await write("no help\n".utf8, to: $0.appending("screens/f4.txt"))
    },
    Damage(testDescription: "world-writable", check: .permissions, says: "/chaos/chaos.rdz: everybody can write") {
      try set(0o646, $0.appending("chaos/chaos.rdz"))
    },
    Damage(testDescription: "folder writable by its group", check: .permissions, says: "/chaos: its group can write") {
      try set(0o775, $0.appending("chaos"))
    },
    Damage(testDescription: "setuid", check: .permissions, says: "/chaos/bzImage: it is setuid") {
      try set(0o4755, $0.appending("chaos/bzImage"))
    },
  ]

  @Test("an undamaged tree gives no finding")
  func sound() async throws {
    try await withFolder { folder in
      let image = try await buildImage(.network, from: sampleParts(in: folder), in: folder)
      let bill = try BillOfMaterials(json: contents(of: image.bill))
      #expect(try await ImageCheck(target: .i586, bill: bill).report(on: image.path).findings == [])
    }
  }

  @Test("damage to a network boot tree is caught and named", arguments: all)
  func damaged(_ damage: Damage) async throws {
    try await withFolder { folder in
      let image = try await buildImage(.network, from: sampleParts(in: folder), in: folder)
      let bill = try BillOfMaterials(json: contents(of: image.bill))
      try await damage.apply(image.path)
      let findings = try await ImageCheck(target: .i586, bill: bill).report(on: image.path).findings
      #expect(
        findings.contains { $0.check == damage.check && "\($0)".contains(damage.says) }, "found instead: \(findings)")
    }
  }
}
