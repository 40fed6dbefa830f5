import Foundation
import SystemPackage
import Target
import Testing
import Workshop

@testable import Image

/// A drone's kernel, root and boot line as one program, and images that the user's own key signed.
@Suite struct SigningTests {
  private func said(_ program: String, _ arguments: [String]) async throws -> String {
    String(decoding: try await Command(program, arguments).output(), as: UTF8.self)
  }

  private func signer(in folder: FilePath) async throws -> ProgramSigner {
    func path(_ name: String) -> FilePath { folder.appending(name) }
    _ = try await Command(
      "openssl",
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path("db.key").string, "-out",
        path("db.crt").string, "-subj", "/CN=mine", "-days", "3650",
      ]
    ).output()
    let certificate = try await Command("openssl", ["x509", "-in", path("db.crt").string, "-outform", "DER"]).output()
    return ProgramSigner(
      name: "mine", key: path("db.key"), certificateFile: path("db.crt"), certificate: certificate)
  }

  /// A section's bytes as objcopy takes them out.
  private func section(_ name: String, of program: FilePath, in folder: FilePath) async throws -> [UInt8] {
    let out = folder.appending("section")
    _ = try await Command("objcopy", ["-O", "binary", "--only-section=\(name)", program.string, out.string]).output()
    return try contents(of: out)
  }

  @Test(
    "a network tree has the drone of 64 bits as one program: its kernel, its root, and the standard label's words",
    arguments: [ImageTarget.any, .x86_64].map(\.name))
  func tree(_ name: String) async throws {
    try await withFolder { folder in
      let target = try #require(ImageTarget(named: name))
      var parts = try await fakeParts(in: folder, for: target)
      parts.words = ["tyd=any", "keymap=de"]
      let tree = try await buildImage(.network, from: parts, in: folder).path
      let program = tree.appending("drone-x64.efi")
      let place = target.place(of: .x86_64)
      for (section, path) in [(".linux", place.kernel), (".initrd", place.root)] {
        let file = try contents(of: FilePath(tree.string + path))
        #expect(try await self.section(section, of: program, in: folder).prefix(file.count) == file[...], "\(section)")
      }
      let line = try await section(".cmdline", of: program, in: folder).prefix { $0 != 0 }
      #expect(String(decoding: line, as: UTF8.self) == "console=ttyS0,115200 console=tty0 tyd=any keymap=de")
      let system = try await section(".osrel", of: program, in: folder)
      #expect(String(decoding: system, as: UTF8.self).hasPrefix("ID=droneforge\n"))
    }
  }

  @Test("a tree for the Pentium has none, and neither has a CD that nobody signs")
  func none() async throws {
    try await withFolder { folder in
      let tree = try await buildImage(.network, from: fakeParts(in: folder), in: folder).path
      #expect(!exists(tree.appending("drone-x64.efi")))
      let image = try await buildImage(.cd, from: fakeParts(in: folder, for: .any), in: folder)
      #expect(try BillOfMaterials(json: contents(of: image.bill)).unified == nil)
    }
  }

  @Test(
    "on a signed CD shim and what it starts are signed by the key, the certificate is beside them, and bytes are the same twice"
  )
  func cd() async throws {
    try await withFolder { folder in
      var parts = try await fakeParts(in: folder, for: .x86_64)
      let signer = try await signer(in: folder)
      parts.signer = signer
      // A program that can be signed.
      parts.loaders[GRUB.first] = SuppliedFile(FilePath(GRUB.debian.stub.file), from: .given)
      var images: [[UInt8]] = []
      for name in ["one", "two"] {
        try makeFolder(folder.appending(name))
        let image = try await buildImage(.cd, from: parts, in: folder.appending(name)).path
        images.append(try contents(of: image))
        guard name == "one" else { continue }
        let table = try await said("/usr/sbin/sfdisk", ["--dump", image.string])
        let line = try #require(
          table.split(separator: "\n").first { $0.contains("type=ef") || $0.contains("C12A7328") })
        let start = try #require(line.split(whereSeparator: { " ,=".contains($0) }).compactMap { Int($0) }.first)
        for file in ["EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/GRUBX64.EFI"] {
          let program = folder.appending("started")
          try await write(
            Command("mtype", ["-i", "\(image)@@\(start * 512)", "::/\(file)"]).output(), to: program)
          let verified = try await said("sbverify", ["--cert", folder.appending("db.crt").string, program.string])
          #expect(verified.contains("Signature verification OK"), "\(file)")
        }
        let certificate = try await Command("mtype", ["-i", "\(image)@@\(start * 512)", "::/MINE.CER"]).output()
        #expect(certificate == signer.certificate)
      }
      // A comparison of the arrays themselves would be shown as a list of differences, which takes hours.
      let isSame = images[0] == images[1]
      #expect(isSame)
    }
  }

  @Test("another key, other words and another stub make another image")
  func changed() async throws {
    try await withFolder { folder in
      let parts = try await fakeParts(in: folder, for: .x86_64)
      func hash(_ change: (inout ImageParts) -> Void) throws -> String {
        var changed = parts
        change(&changed)
        return "\(try ImageRecipe(.network, from: changed, goingTo: folder).hash)"
      }
      let signer = ProgramSigner(name: "mine", key: "k", certificateFile: "c", certificate: [1])
      let other = ProgramSigner(name: "mine", key: "k", certificateFile: "c", certificate: [2])
      let hashes = try [
        hash { _ in }, hash { $0.words = ["a"] }, hash { $0.signer = signer }, hash { $0.signer = other },
        hash { $0.loaders[GRUB.debian.stub.place] = SuppliedFile(folder.appending("busybox"), from: .given) },
      ]
      #expect(Set(hashes).count == hashes.count)
    }
  }

  @Test(
    "a configuration without a standard label, a stub that is none, and a boot line that the kernel would cut are one sentence each"
  )
  func refused() async throws {
    #expect(throws: BuildError.self) { try standardWords("DEFAULT a\nLABEL b\n APPEND x", from: "c") }
    try await withFolder { folder in
      var parts = try await fakeParts(in: folder, for: .x86_64)
      parts.loaders[GRUB.debian.stub.place] = SuppliedFile(folder.appending("busybox"), from: .given)
      let said = await sentence { _ = try await buildImage(.network, from: parts, in: folder) }
      #expect(
        said.contains("No program for UEFI can be made") && said.contains("the boot stub is no program"), "\(said)")
      parts.words = [String(repeating: "w", count: longestBootLine)]
      let long = await sentence { _ = try await buildImage(.network, from: parts, in: folder) }
      #expect(long.contains("and the kernel takes 2047: say fewer WORDS"), "\(long)")
    }
  }
}
