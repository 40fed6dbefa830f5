import Foundation
import SystemPackage
import Target
import Testing
import Workshop

@testable import Image
@testable import ImageCheck

/// What UEFI boots from a tree for the network, with programs of the tests in place of Debian's.
@Suite struct NetworkTreeDamageTests {
  struct Damage: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var check: Finding.Check
    var says: String
    var file: String
    /// nil removes the file.
    var apply: @Sendable ([UInt8]) -> [UInt8]?

    init(
      _ name: String, _ check: Finding.Check, _ says: String, in file: String,
      _ apply: @escaping @Sendable ([UInt8]) -> [UInt8]?
    ) {
      (testDescription, self.check, self.says, self.file, self.apply) = (name, check, says, file, apply)
    }
  }

  private static func flipping(_ place: Int) -> @Sendable ([UInt8]) -> [UInt8]? {
    {
      var bytes = $0
      bytes[place] ^= 1
      return bytes
    }
  }

  private static func replacing(_ text: String, by other: String) -> @Sendable ([UInt8]) -> [UInt8]? {
    { [UInt8](String(decoding: $0, as: UTF8.self).replacing(text, with: other).utf8) }
  }

  static let damages: [Damage] = [
    Damage("no shim", .presence, "/shimx64.efi: no PC boots", in: "shimx64.efi") { _ in nil },
    Damage("no GRUB", .presence, "/grubx64.efi: firmware that looks for it", in: "grubx64.efi") { _ in nil },
    Damage("no MokManager", .presence, "/mmx64.efi: it is missing", in: "mmx64.efi") { _ in nil },
    Damage("no GRUB for 32 bits", .presence, "/grubia32.efi: it is missing", in: "grubia32.efi") { _ in nil },
    Damage("a bit of shim", .manifest, "/shimx64.efi: its content is not", in: "shimx64.efi", flipping(5000)),
    Damage("a bit of shim's signature", .signature, "/shimx64.efi: signature 1", in: "shimx64.efi", flipping(5000)),
    Damage(
      "a bit of GRUB", .signature, "/grubx64.efi: signature 1 of Test signer does not fit", in: "grubx64.efi",
      flipping(9000)),
    Damage(
      "a bit of MokManager", .signature, "/mmx64.efi: signature 2 of Second signer does not fit", in: "mmx64.efi",
      flipping(9000)),
    Damage("shim is no program", .firmwareProgram, "/shimx64.efi: it is no program for UEFI", in: "shimx64.efi") { _ in
      [1, 2, 3]
    },
    Damage(
      "shim trusts nobody", .signature, "/grubx64.efi: it is signed by Test authority, and shimx64.efi starts only",
      in: "shimx64.efi", flipping(1040)),
    Damage(
      "GRUB for 32 bits is for 64", .firmwareProgram, "/grubia32.efi: it is for x86_64 and should be for i386",
      in: "grubia32.efi"
    ) {
      var bytes = $0
      bytes.put(0x8664, 2, at: Int(bytes.long(0x3C) ?? 0) + 4)
      return bytes
    },
    Damage(
      "nothing leads GRUB to its menu", .configuration,
      "/boot/grub/grub.cfg: nothing at /grub/grub.cfg leads GRUB to it",
      in: "grub/grub.cfg"
    ) { _ in nil },
    Damage(
      "GRUB is led elsewhere", .configuration, "/grub/grub.cfg: its source names /boot/grub/grub.cfh",
      in: "grub/grub.cfg",
      replacing("grub.cfg", by: "grub.cfh")),
    Damage(
      "no menu", .configuration, "/boot/grub/grub.cfg: there is no boot configuration", in: "boot/grub/grub.cfg"
    ) { _ in nil },
    Damage(
      "the menu names another kernel", .configuration, "its linux names /chaos/bzImagf", in: "boot/grub/grub.cfg",
      replacing("linux /chaos/bzImage", by: "linux /chaos/bzImagf")),
    Damage(
      "the menu names another root", .configuration, "its initrd names /chaos/chaos.rdy", in: "boot/grub/grub.cfg",
      replacing("chaos.rdz", by: "chaos.rdy")),
    Damage(
      "the menu shows another text", .configuration, "its cat names /boot/grub/f9.txt", in: "boot/grub/grub.cfg",
      replacing("cat /boot/grub/f4.txt", by: "cat /boot/grub/f9.txt")),
    Damage("no text", .configuration, "its cat names /boot/grub/f3.txt, which is not", in: "boot/grub/f3.txt") { _ in
      nil
    },
    Damage(
      "a bit of the kernel", .signature, "/chaos/bzImage: signature 1 of Test signer does not fit", in: "chaos/bzImage",
      flipping(5000)),
    Damage("the kernel has no stub", .kernel, "/chaos/bzImage: it has no EFI stub", in: "chaos/bzImage", flipping(0)),
  ]

  /// A tree, its bill, and a way to check it again.
  private func withTree<Result>(
    kernel: [UInt8]? = nil, _ body: (BuiltImage, () async throws -> CheckReport) async throws -> Result
  ) async throws -> Result {
    let sample = try await EFISample.shared.value
    return try await withFolder { folder in
      let parts = try await wideParts(
        in: folder, kernel: kernel ?? sample.kernel,
        [
          "/shimx64.efi": sample.shim, "/grubx64.efi": sample.signed, "/mmx64.efi": sample.twice,
          "/grubia32.efi": HandWrittenProgram.narrow, GRUB.debian.stub.place: sample.stub,
        ])
      let image = try await buildImage(.network, from: parts, in: folder)
      let bill = try BillOfMaterials(json: contents(of: image.bill))
      return try await body(image) {
        try await ImageCheck(target: .x86_64, bill: bill).report(onTree: image.path)
      }
    }
  }

  @Test("an undamaged tree gives no finding, and says what becomes of it under Secure Boot")
  func sound() async throws {
    try await withTree { _, report in
      let report = try await report()
      #expect(report.findings == [])
      #expect(
        report.notes == [
          "Under Secure Boot it starts: shimx64.efi is signed by Second signer, the kernel by Test authority."
        ])
    }
  }

  @Test("damage to what UEFI fetches is caught and named", arguments: damages)
  func damaged(_ damage: Damage) async throws {
    try await withTree { image, report in
      let path = image.path.appending(damage.file)
      let before = try contents(of: path)
      if let after = damage.apply(before) {
        #expect(after != before)
        try await write(after, to: path)
      } else {
        try FileManager.default.removeItem(atPath: path.string)
      }
      let findings = try await report().findings
      #expect(
        findings.contains { $0.check == damage.check && "\($0)".contains(damage.says) }, "found instead: \(findings)")
    }
  }

  @Test("a kernel that nobody signed is no fault, and the report says that Secure Boot refuses it")
  func unsignedKernel() async throws {
    try await withTree(kernel: HandWrittenProgram.kernel) { _, report in
      let report = try await report()
      #expect(report.findings == [])
      #expect(report.notes == ["Under Secure Boot it does not start: the kernel is not signed."])
    }
  }
}
