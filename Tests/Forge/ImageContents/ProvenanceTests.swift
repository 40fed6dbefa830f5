import Foundation
import Image
import Testing
import Workshop

@testable import ImageContents

@Suite("Where a file comes from")
struct ProvenanceTests {
  private static func item(_ path: String, _ origin: String, _ why: String, sha256: String? = nil) -> String {
    #"{"path":"\#(path)","kind":"file","mode":"0644","user":0,"group":0,"why":"\#(why)","origin":"\#(origin)""#
      + (sha256.map { #","sha256":"\#($0)""# } ?? "") + "}"
  }

  static let archive = SHA256([1])
  static let bill: Result<BillOfMaterials, any Error> = Result {
    let root = [
      item("/", "ours", "the root itself"), item("/bin/busybox", "source busybox_1.dsc", "commands"),
    ].joined(separator: ",")
    let medium = [
      item("/chaos/bzImage", "source linux_6.deb", "narrow kernel"), item("/chaos/chaos.rdz", "ours", "narrow root"),
      item("/chaos/x86_64/bzImage", "package linux-image 6.1", "the kernel"),
      item("/chaos/x86_64/chaos.rdz", "ours", "a root", sha256: "\(archive)"),
      item("/drone-x64.efi", "package systemd-boot-efi", "one program"), item("/f1", "checkout isolinux/f1.txt", "F1"),
    ].joined(separator: ",")
    let text = #"""
      {"format":2,"target":"any","medium":[\#(medium)],"efiPartition":[\#(item("/EFI/A.EFI", "given", "loader"))],
      "drones":[{"target":"i586","kernel":"6","root":[\#(root)]},{"target":"x86_64","kernel":"6","root":[\#(root)]}],
      "unified":{"words":[]},"cluster":{"name":"c","fingerprint":"f","mayAdmit":false,
      "credential":[\#(item("/credential/ca.crt", "cluster", "authority"))]},
      "sources":[{"name":"busybox_1.dsc","version":"1:1.35","sha256":"abc"}]}
      """#
    return try BillOfMaterials(json: [UInt8](text.utf8))
  }

  @Test(
    "the manifest tells it of the medium, the EFI partition, each root, and what is in a program of kernel and root",
    arguments: [
      ("/chaos/chaos.rdz", "narrow root", "made by this build"), ("/f1", "F1", "isolinux/f1.txt of the checkout"),
      (
        "/chaos/chaos.rdz/bin/busybox", "commands",
        "built from the source busybox_1.dsc, version 1:1.35, SHA-256 abc"
      ), ("/chaos/x86_64/chaos.rdz/credential/ca.crt", "authority", "the cluster's credential"),
      ("/drone-x64.efi/.linux", "the kernel", "a file of Debian's package linux-image 6.1"),
      ("/drone-x64.efi/.initrd/bin/busybox", "commands", nil),
      ("/efi-partition/EFI/A.EFI", "loader", "a file that the builder named"),
    ])
  func tells(_ place: String, _ why: String, _ from: String?) throws {
    let provenance = try #require(Provenance(Self.bill.get()))
    let item = try #require(provenance[path(place)])
    #expect(item.why == why)
    if let from { #expect(provenance.origin(of: item) == from) }
  }

  @Test("it says nothing of what it does not hold")
  func silent() throws { #expect(try Provenance(Self.bill.get())?[path("/x")] == nil) }

  @Test("an archive by itself is known by its digest, and one of another build is not")
  func part() throws {
    #expect(try Provenance(Self.bill.get(), of: Self.archive)?[path("/bin/busybox")]?.why == "commands")
    #expect(try Provenance(Self.bill.get(), of: SHA256([2])) == nil)
  }

  @Test("what was changed is not what the manifest tells of, whatever it is now")
  func changed() throws {
    func item(_ text: String) throws -> BillOfMaterials.Item {
      try JSONDecoder().decode(
        BillOfMaterials.Item.self,
        from: Data(#"{"path":"/x","mode":"0644","user":0,"group":0,"why":"w",\#(text)}"#.utf8))
    }
    let link = try item(#""kind":"symbolicLink","target":"a""#)
    let device = try item(#""kind":"characterDevice","device":[1,3]"#)
    let file = try item(#""kind":"file","sha256":"\#(SHA256([1]))""#)
    #expect(link.tells(of: .link("/x", to: "a")) && !link.tells(of: .link("/x", to: "b")))
    #expect(!link.tells(of: .file("/x", "a")) && !file.tells(of: .link("/x", to: "a")))
    #expect(device.tells(of: .device("/x", 1, 3)) && !device.tells(of: .device("/x", 1, 1)))
    #expect(file.tells(of: .file(path("/x"), [1])) && !file.tells(of: .file(path("/x"), [2])))
  }
}
