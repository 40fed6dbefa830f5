import Addresses
import Foundation
import SystemPackage
import Testing
import Workshop

@testable import BootServer
@testable import Image

@Suite struct ServedTests {
  private let certificate = Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8)

  private var made: PublicCredential {
    PublicCredential(certificate: certificate, description: Array("lab\nab:cd\n".utf8))
  }

  @Test("the credential for drones from the network is byte for byte the one that the build makes")
  func sameAsBuild() throws {
    let credential = Credential(cluster: "lab", fingerprint: "ab:cd", certificate: certificate, key: nil)
    #expect(made.archive == (try cpioArchive(of: credential.manifest)))
    #expect(made.archive.count % 4 == 0)
  }

  @Test("GNU cpio reads it")
  func cpio() async throws {
    let file = FilePath(NSTemporaryDirectory()).appending("credential-\(UUID()).cpio")
    defer { try? FileManager.default.removeItem(atPath: file.string) }
    try await write(made.archive, to: file)
    let listed = try await Command("cpio", ["--list", "--verbose", "--numeric-uid-gid", "--quiet", "-F", file.string])
      .output()
    let lines = String(decoding: listed, as: UTF8.self).split(separator: "\n")
    #expect(lines.map { $0.prefix(10) } == ["drwx------", "-rw-------", "-rw-------"])
    #expect(lines.map { $0.split(separator: " ").last } == ["credential", "credential/ca.crt", "credential/cluster"])
  }

  @Test("the public part's size and digest survive being written, and other texts are refused")
  func publicPart() throws {
    let part = PublicPart(size: 1024, digest: [UInt8](repeating: 0xA5, count: 32))
    #expect(PublicPart(text: part.text) == part)
    let digest = String(repeating: "a5", count: 32)
    for text in [
      "", "public\n", "public 1024 \(digest)", "public 1023 \(digest)\n", "public 0 \(digest)\n",
      "public 1024 \(digest.dropLast())x\n", "public 1024 \(digest)00\n", "public 99999999999 \(digest)\n",
      "public 1024 \(digest) \n",
    ] { #expect(PublicPart(text: Array(text.utf8)) == nil, "\(text)") }
  }

  @Test("news survives being written and read")
  func news() {
    let all: [BootNews] = [
      .ready, .leased(mac(1), IPv4Address(10, 0, 0, 1), .rom), .leased(mac(1), IPv4Address(10, 0, 0, 1), .bootp),
      .sent(IPv4Address(10, 0, 0, 1), file: Array("chaos/bzImage".utf8), percent: 40),
      .broken(IPv4Address(10, 0, 0, 1), file: Array("a".utf8)), .note(Array("two words".utf8)),
    ]
    for one in all { #expect(BootNews(line: one.line.dropLast()) == one) }
    for line in ["", "sent 10.0.0.1 101 a", "sent 10.0.0.1 10", "leased x 10.0.0.1 rom", "ready now", "leased"] {
      #expect(BootNews(line: Array(line.utf8)) == nil, "\(line)")
    }
    let known = KnownAddress(mac(1), IPv4Address(10, 0, 0, 1))
    #expect(KnownAddress(line: known.line.dropLast()) == known)
  }

  @Test("the table shows who boots and how far, tells of whole boots, and forgets the oldest when it is full")
  func table() {
    var table = BootTable()
    let address = IPv4Address(192, 168, 1, 100)
    #expect(table.record(.leased(mac(1), address, .rom), at: 1) != nil)
    #expect(table.record(.sent(address, file: Array("chaos/chaos.rdz".utf8), percent: 50), at: 2) == nil)
    #expect(table.boots.first?.percent == 50)
    #expect(table.record(.sent(address, file: Array("chaos/chaos.rdz".utf8), percent: 100), at: 3) != nil)
    #expect(table.completed == 1 && table.boots.first?.completed == 1)
    #expect(table.record(.sent(IPv4Address(9, 9, 9, 9), file: Array("x".utf8), percent: 100), at: 4) == nil)
    var again = BootTable()
    again.remember(table.known + Array("rubbish\n".utf8), at: 5)
    #expect(again.boots.map(\.address) == [address])
    for index in 0..<300 {
      let card = MACAddress(bits: UInt64(index + 10)) ?? .zero
      _ = table.record(.leased(card, IPv4Address(bits: UInt32(index + 10)), .dhcp), at: 10 + UInt64(index))
    }
    #expect(table.boots.count == BootTable.most && !table.boots.contains { $0.hardware == mac(1) })
  }
}
