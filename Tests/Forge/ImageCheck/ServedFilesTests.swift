import BootServer
import Image
import Integrity
import Target
import Testing
import Workshop

@testable import ImageCheck

/// What a CD holds for the drone that boots others.
@Suite struct ServedFilesTests {
  private func members() async throws -> [Member] { try readCD(try await Sample.shared.value.cd, shelf: Shelf()) }

  @Test("a CD as it was built has everything, and its archive begins with what is public")
  func whole() async throws {
    #expect(try await checkServedFiles(members(), for: .i586).isEmpty)
  }

  @Test("each file that is missing is named", arguments: 0..<ServedFile.count)
  func missing(_ index: Int) async throws {
    let file = try #require(ServedFile.at(index))
    let source = "/\(file.source)"
    // The sample has one drone, so the second one's files are missing in any case.
    let target: ImageTarget = file.group == .wide ? .any : .i586
    let findings = checkServedFiles(try await members().filter { $0.path != source }, for: target)
    #expect(findings.contains { $0.description.contains(source) }, "\(source)")
  }

  @Test("a public part that is too long, other bytes, or no text at all is found")
  func publicPart() async throws {
    let members = try await members()
    let archive =
      try #require(members.first { $0.path == "/chaos/chaos.rdz" }?.content.bytes)
    let texts: [[UInt8]] = [
      PublicPart(size: archive.count + 4, digest: contentDigest(archive)).text,
      PublicPart(size: archive.count - 4, digest: contentDigest(archive)).text,
      Array("public\n".utf8),
    ]
    for text in texts {
      let damaged = members.map { member in
        var member = member
        if member.path == "/chaos/public" { member.content = Content(text) }
        return member
      }
      #expect(checkServedFiles(damaged, for: .i586).count == 1)
    }
  }
}
