import SystemPackage
import Workshop

@testable import ImageCheck

/// The headers by which UEFI firmware starts `sampleKernel` as a program, field by field (Microsoft PE Format, "MS-DOS
/// Stub" to "Section Table"): PE32+ with six directories and two sections, as Linux has them.
enum HandWrittenProgram {
  static let headers: [UInt8] = {
    // The last four bytes are the place of the next header.
    let stub: [UInt8] = [UInt8]("MZ".utf8) + [UInt8](repeating: 0, count: 0x3A) + [0x40, 0x00, 0x00, 0x00]
    let file: [UInt8] =
      [UInt8]("PE\0\0".utf8) + [
        0x64, 0x86,  // machine: x86_64
        0x02, 0x00,  // sections
        0x00, 0x00, 0x00, 0x00,  // time
        0x00, 0x00, 0x00, 0x00,  // symbol table: none
        0x00, 0x00, 0x00, 0x00,  // symbols
        0xA0, 0x00,  // bytes of the optional header: 160
        0x0E, 0x02,  // can be started; no lines, symbols and debugging information
      ]
    let optional: [UInt8] =
      [
        0x0B, 0x02,  // PE32+
        0x02, 0x14,  // linker's version
        0x00, 0x10, 0x00, 0x00,  // bytes of code
        0x00, 0x06, 0x00, 0x00,  // bytes of data
        0x00, 0x00, 0x00, 0x00,  // bytes of zeros
        0x80, 0x20, 0x00, 0x00,  // entry: 0x2080
        0x00, 0x20, 0x00, 0x00,  // where code begins
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // address
        0x00, 0x10, 0x00, 0x00,  // sections in memory begin at multiples of 4096
        0x00, 0x02, 0x00, 0x00,  // and in the file of 512
        0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // versions: system, image, subsystem
        0x00, 0x00, 0x00, 0x00,  // reserved
        0x00, 0x30, 0x00, 0x00,  // bytes in memory: 0x3000
        0x00, 0x04, 0x00, 0x00,  // bytes of all headers: 1024
        0x78, 0x56, 0x34, 0x12,  // check sum, at 0x98
        0x0A, 0x00,  // subsystem: application for UEFI
        0x00, 0x01,  // data is not executed
      ] + [UInt8](repeating: 0, count: 32 + 4) + [  // stack, heap, loader's flags
        0x06, 0x00, 0x00, 0x00,  // directories
      ] + [UInt8](repeating: 0, count: 32) + [
        0x00, 0x00, 0x00, 0x00,  // certificates' place, at 0xE8
        0x00, 0x00, 0x00, 0x00,  // their bytes
      ] + [UInt8](repeating: 0, count: 8)
    let sections: [UInt8] =
      [UInt8](".setup\0\0".utf8) + [
        0x00, 0x06, 0x00, 0x00,  // bytes in memory
        0x00, 0x10, 0x00, 0x00,  // address
        0x00, 0x06, 0x00, 0x00,  // bytes in the file: 1536
        0x00, 0x04, 0x00, 0x00,  // its place
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // relocations, lines
        0x40, 0x00, 0x00, 0x42,  // data, readable
      ] + [UInt8](".text\0\0\0".utf8) + [
        0x00, 0x10, 0x00, 0x00,  // bytes in memory
        0x00, 0x20, 0x00, 0x00,  // address
        0x00, 0x10, 0x00, 0x00,  // bytes in the file: 4096
        0x00, 0x0A, 0x00, 0x00,  // its place: 2560
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // relocations, lines
        0x20, 0x00, 0x00, 0x60,  // code, executable, readable
      ]
    return stub + file + optional + sections
  }()

  /// A bzImage for 64 bits that is such a program.
  static let kernel: [UInt8] = sampleKernel {
    $0.replaceSubrange(0..<headers.count, with: headers)
    // xloadflags: 64 bits, and started by firmware of 32 and of 64 bits.
    $0.put(0x0D, 2, at: 0x236)
    for place in 2600..<6656 { $0[place] = UInt8(truncatingIfNeeded: place &* 31) }
  }

  /// A program for 32 bits: PE32 has four numbers of four bytes where PE32+ has eight.
  static let narrow: [UInt8] = {
    var narrow = headers
    narrow.removeSubrange(0xA0..<0xB0)
    narrow.put(0x014C, 2, at: 0x44)
    narrow.put(0x90, 2, at: 0x54)
    narrow.put(0x010B, 2, at: 0x58)
    var bytes = kernel
    bytes.replaceSubrange(0..<headers.count, with: narrow + [UInt8](repeating: 0, count: 16))
    return bytes
  }()

  /// The same as a shim, which trusts this authority and refuses what has such a digest. The section's name is too long for
  /// its field and stands behind the symbols, of which there are none.
  static func shim(trusting authority: [UInt8], refusing digest: [UInt8] = []) -> [UInt8] {
    var bytes = kernel
    bytes.replaceSubrange(0xF8..<0x100, with: [UInt8]("/4".utf8) + [UInt8](repeating: 0, count: 6))
    bytes.put(UInt64(bytes.count), 4, at: 0x4C)
    bytes += [17, 0, 0, 0] + [UInt8](".vendor_cert\0".utf8)
    bytes.put(UInt64(authority.count), 4, at: 1024)
    bytes.put(UInt64(digest.count), 4, at: 1028)
    bytes.put(16, 4, at: 1032)
    bytes.put(UInt64(16 + authority.count), 4, at: 1036)
    bytes.replaceSubrange(1040..<1040 + authority.count + digest.count, with: authority + digest)
    return bytes
  }
}

/// Programs signed with keys that were made for the tests.
struct EFISample: Sendable {
  /// A program of Debian's, not signed.
  var stub: [UInt8]
  /// Signed by `Test signer`, whose certificate is of `Test authority`.
  var signed: [UInt8]
  /// Signed a second time by `Second signer`, which is its own authority.
  var twice: [UInt8]
  var kernel: [UInt8]
  /// A shim that trusts `Test authority`, signed by `Second signer`.
  var shim: [UInt8]
  /// One that refuses the kernel above.
  var refusing: [UInt8]
  /// Certificates in DER.
  var authority: [UInt8]
  var second: [UInt8]
  /// The same in PEM, for sbverify.
  var authorityText: [UInt8]

  static let shared = Task {
    try await withFolder { folder in
      func path(_ name: String) -> String { folder.appending(name).string }
      func openssl(_ words: String...) async throws -> [UInt8] { try await Command("openssl", words).output() }
      for (name, subject) in [("authority", "Test authority"), ("second", "Second signer")] {
        _ = try await openssl(
          "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path("\(name).key"), "-out", path("\(name).pem"),
          "-subj", "/CN=\(subject)", "-days", "3650")
      }
      _ = try await openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-keyout", path("first.key"), "-out", path("first.csr"),
        "-subj", "/O=Tests/CN=Test signer")
      _ = try await openssl(
        "x509", "-req", "-in", path("first.csr"), "-CA", path("authority.pem"), "-CAkey", path("authority.key"),
        "-set_serial", "2", "-days", "3650", "-out", path("first.pem"))
      func sign(_ name: String, _ by: String, _ bytes: [UInt8]) async throws -> [UInt8] {
        try await write(bytes, to: folder.appending(name))
        _ = try await Command(
          "sbsign",
          ["--key", path("\(by).key"), "--cert", path("\(by).pem"), "--output", path("signed-\(name)"), path(name)]
        ).output()
        return try contents(of: folder.appending("signed-\(name)"))
      }
      let stub = try contents(of: "/usr/lib/systemd/boot/efi/linuxx64.efi.stub")
      let signed = try await sign("stub", "first", stub)
      let kernel = try await sign("kernel", "first", HandWrittenProgram.kernel)
      let digest = try EFIProgram(kernel).authenticodeDigest(of: kernel)?.bytes ?? []
      let authority = try await openssl("x509", "-in", path("authority.pem"), "-outform", "DER")
      return EFISample(
        stub: stub, signed: signed, twice: try await sign("twice", "second", signed), kernel: kernel,
        shim: try await sign("shim", "second", HandWrittenProgram.shim(trusting: authority)),
        refusing: try await sign(
          "refusing", "second", HandWrittenProgram.shim(trusting: authority, refusing: digest)),
        authority: authority,
        second: try await openssl("x509", "-in", path("second.pem"), "-outform", "DER"),
        authorityText: try contents(of: folder.appending("authority.pem")))
    }
  }
}
