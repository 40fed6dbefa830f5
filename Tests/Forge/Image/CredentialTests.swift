import Foundation
import SystemPackage
import Testing
import Workshop

@testable import Image

@Suite("What an image carries of a cluster")
struct CredentialTests {
  private func credential(_ name: String, key: Bool) -> Credential {
    Credential(
      cluster: name, fingerprint: "00ff of \(name)", certificate: Array("certificate of \(name)\n".utf8),
      key: key ? Array("key of \(name)\n".utf8) : nil)
  }

  private func mode(_ path: FilePath) -> mode_t {
    var look = stat()
    return stat(path.string, &look) == 0 ? look.st_mode & 0o7777 : 0
  }

  @Test("it is an archive of three files for root alone")
  func archive() throws {
    let records = try readCpio(cpioArchive(of: credential("lab", key: true).manifest))
    #expect(
      records.map { "\(String(decoding: $0.name, as: UTF8.self)) \(String($0.mode, radix: 8)) \($0.user):\($0.group)" }
        == [
          "credential 40700 0:0", "credential/ca.crt 100600 0:0", "credential/ca.key 100600 0:0",
          "credential/cluster 100600 0:0",
        ])
    #expect(records.last.map { Array($0.content) } == Array("lab\n00ff of lab\n".utf8))
    let names = try readCpio(cpioArchive(of: credential("lab", key: false).manifest)).map(\.name)
    #expect(!names.contains(Array("credential/ca.key".utf8)))
  }

  @Test("the bill names the cluster and says nothing of the key but that it is there")
  func bill() throws {
    let items = try credential("lab", key: true).items
    let key = try #require(items.first { $0.path == "/credential/ca.key" })
    #expect(key.size == nil && key.sha256 == nil && key.mode == "0600")
    #expect(items.filter { $0.kind == .file && $0.sha256 == nil }.count == 1)
  }

  @Test("the root is the same bytes for every cluster and for none; the same cluster gives the same image")
  func sameRoot() async throws {
    try await withFolder { folder in
      var parts = try await fakeParts(in: folder)
      func archive(_ credential: Credential?, _ name: String) async throws -> (bytes: [UInt8], bill: BillOfMaterials) {
        parts.credential = credential
        let output = folder.appending(name)
        try makeFolder(output)
        let built = try await buildImage(.network, from: parts, in: output)
        return (
          try contents(of: built.path.appending("chaos/chaos.rdz")), try BillOfMaterials(json: contents(of: built.bill))
        )
      }
      let none = try await archive(nil, "none")
      let lab = try await archive(credential("lab", key: false), "lab")
      let again = try await archive(credential("lab", key: false), "again")
      let home = try await archive(credential("home", key: false), "home")
      #expect(lab.bytes.starts(with: none.bytes) && home.bytes.starts(with: none.bytes))
      #expect(lab.bytes.count > none.bytes.count && lab.bytes == again.bytes && lab.bytes != home.bytes)
      #expect(lab.bytes.count % 4 == 0)
      #expect(none.bill.cluster == nil && lab.bill.drones[0].root == none.bill.drones[0].root)
      #expect(lab.bill.cluster?.name == "lab" && lab.bill.cluster?.mayAdmit == false)
      #expect(lab.bill.cluster?.fingerprint == "00ff of lab")
    }
  }

  @Test("an image with a key is for its owner alone, and another cluster makes another image")
  func modes() async throws {
    try await withFolder { folder in
      var parts = try await fakeParts(in: folder)
      parts.credential = credential("lab", key: true)
      let (image, bill) = (
        folder.appending(Medium.cd.outputName(for: .i586)), folder.appending(Medium.cd.billName(for: .i586))
      )
      // Before it has its place, too.
      try await isBuilt(.cd, from: parts, in: folder) { #expect(mode($0.path) == 0o600) }
      #expect(mode(image) == 0o600 && mode(bill) == 0o644)
      #expect(try await !isBuilt(.cd, from: parts, in: folder))
      parts.credential = credential("home", key: true)
      #expect(try await isBuilt(.cd, from: parts, in: folder))
      parts.credential = credential("home", key: false)
      #expect(try await isBuilt(.cd, from: parts, in: folder))
      #expect(mode(image) == 0o644)
    }
  }

  @Test("a network boot tree with a key is refused, and an earlier tree stays")
  func refused() async throws {
    try await withFolder { folder in
      var parts = try await fakeParts(in: folder)
      try await isBuilt(.network, from: parts, in: folder)
      parts.credential = credential("lab", key: true)
      let said = await sentence { try await isBuilt(.network, from: parts, in: folder) }
      #expect(said.contains("anybody can fetch it by TFTP"))
      parts.credential = nil
      #expect(try await !isBuilt(.network, from: parts, in: folder))
    }
  }
}
