import TestSupport
import Testing
import Workshop

@testable import ImageCheck

@Suite("Programs for UEFI")
struct EFIProgramTests {
  private static func findings(_ bytes: [UInt8], machine: EFIProgram.Machine = .x86_64) -> [String] {
    do throws(EFIProgramError) {
      let program = try EFIProgram(bytes)
      var findings = checkEFIProgram(program, size: bytes.count, at: "p", machine: machine)
      let signatures = program.signatures(of: bytes, at: "p", &findings)
      findings += checkSignatures(signatures, digest: program.authenticodeDigest(of: bytes), at: "p")
      return findings.map(\.reason)
    } catch {
      return [error.reason]
    }
  }

  private static func signatures(_ bytes: [UInt8]) throws -> [EFISignature] {
    var findings: [Finding] = []
    return try EFIProgram(bytes).signatures(of: bytes, at: "p", &findings)
  }

  @Test("headers are read field by field")
  func fields() throws {
    let kernel = HandWrittenProgram.kernel
    let program = try EFIProgram(kernel)
    #expect(program.machine == .x86_64 && program.is64Bit && program.subsystem == 10 && program.entry == 0x2080)
    #expect(program.memorySize == 0x3000 && program.headers == 1024 && program.certificates.isEmpty)
    #expect(
      program.sections == [
        .init(
          name: ".setup", address: 0x1000, memorySize: 1536, offset: 1024, fileSize: 1536, characteristics: 0x4200_0040),
        .init(
          name: ".text", address: 0x2000, memorySize: 4096, offset: 2560, fileSize: 4096, characteristics: 0x6000_0020),
      ])
    #expect(Self.findings(kernel) == [])
    #expect(Self.findings(kernel, machine: .i386) == ["it is for x86_64 and should be for i386"])
    #expect(checkKernel(kernel, at: "k", form: .x86_64) == [])
    let narrow = try EFIProgram(HandWrittenProgram.narrow)
    #expect(narrow.machine == .i386 && !narrow.is64Bit && narrow.sections == program.sections)
    #expect(Self.findings(HandWrittenProgram.narrow, machine: .i386) == [])
  }

  @Test("a digest is pesign's, with a signature and without")
  func digests() async throws {
    let sample = try await EFISample.shared.value
    try await withFolder { folder in
      for bytes in [
        sample.stub, sample.signed, sample.twice, sample.kernel, HandWrittenProgram.kernel, HandWrittenProgram.narrow,
      ] {
        try await write(bytes, to: folder.appending("program"))
        let said = try await Command("pesign", ["--hash", "--in", folder.appending("program").string]).output()
        let digest = try #require(try EFIProgram(bytes).authenticodeDigest(of: bytes))
        #expect(String(decoding: said, as: UTF8.self).contains(": \(digest)\n"))
      }
    }
  }

  @Test("signers are those that sbverify lists, and only their authority is theirs")
  func signers() async throws {
    let sample = try await EFISample.shared.value
    let first = EFISignature.Signer(subject: "Test signer", issuer: "Test authority")
    let second = EFISignature.Signer(subject: "Second signer", issuer: "Second signer")
    #expect(try Self.signatures(sample.stub) == [])
    #expect(try Self.signatures(sample.signed).map(\.signers) == [[first]])
    #expect(try Self.signatures(sample.kernel).map(\.signers) == [[first]])
    let both = try Self.signatures(sample.twice)
    #expect(both.map(\.signers) == [[first], [second]] && both.allSatisfy { $0.isGenuine && $0.isSHA256 })
    #expect(both.map { $0.leads(to: [sample.authority]) } == [true, false])
    #expect(both.map { $0.leads(to: [sample.second]) } == [false, true])
    #expect(both.map { $0.leads(to: [sample.second, sample.authority]) } == [true, true])
    #expect(both.map { $0.leads(to: [[1, 2, 3], []]) } == [false, false])
    for bytes in [sample.stub, sample.signed, sample.twice, sample.kernel] { #expect(Self.findings(bytes) == []) }
    try await withFolder { folder in
      try await write(sample.twice, to: folder.appending("program"))
      try await write(sample.authorityText, to: folder.appending("authority.pem"))
      let program = folder.appending("program").string
      let listed = String(decoding: try await Command("sbverify", ["--list", program]).output(), as: UTF8.self)
      for (number, signature) in both.enumerated() {
        let part = listed.components(separatedBy: "signature \(number + 1)\n").last ?? ""
        for signer in signature.signers {
          #expect(part.contains("CN=\(signer.subject)\n") && part.contains("CN=\(signer.issuer)\n"), "\(listed)")
        }
      }
      _ = try await Command("sbverify", ["--cert", folder.appending("authority.pem").string, program]).output()
    }
  }

  struct Damage: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var says: String
    var apply: @Sendable (inout [UInt8]) -> Void

    init(_ name: String, _ says: String, _ apply: @escaping @Sendable (inout [UInt8]) -> Void) {
      (testDescription, self.says, self.apply) = (name, says, apply)
    }
  }

  /// Where the certificates of a program of the tests begin.
  private static func table(_ bytes: [UInt8]) -> Int { Int(bytes.long(0xE8) ?? 0) }

  static let damages: [Damage] = [
    Damage("nothing", "no program for UEFI") { $0 = [] },
    Damage("MZ", "no program for UEFI") { $0[0] = 0 },
    Damage("PE", "no program for UEFI") { $0[0x41] = 0 },
    Damage("PE far outside", "no program for UEFI") { $0.put(0xFFFF_FFF0, 4, at: 0x3C) },
    Damage("cut off in the headers", "do not lie within its") { $0.removeLast($0.count - 0x130) },
    Damage("cut off before the optional header", "ends within its headers") { $0.removeLast($0.count - 0x50) },
    Damage("ROM image", "neither PE32 nor PE32+ (263)") { $0.put(0x107, 2, at: 0x58) },
    Damage("short optional header", "its optional header has only 100 bytes") { $0.put(100, 2, at: 0x54) },
    Damage("no section", "it has 0 sections") { $0.put(0, 2, at: 0x46) },
    Damage("97 sections", "it has 97 sections") { $0.put(97, 2, at: 0x46) },
    Damage("96 sections", "do not lie within its 1024 bytes") { $0.put(96, 2, at: 0x46) },
    Damage("another machine", "it is for machine 43620 and should be for x86_64") { $0.put(0xAA64, 2, at: 0x44) },
    Damage("a driver", "subsystem 11 instead of 10") { $0[0x9C] = 11 },
    Damage("a library", "does not say that it can be started") { $0[0x57] = 0x22 },
    Damage("headers longer than the file", "headers reach beyond") { $0.put(100_000, 4, at: 0x94) },
    Damage("a section outside", ".text reaches beyond the file's end: it is cut off") {
      $0.put(0x10_0000, 4, at: 0x134)
    },
    Damage("a section far outside", ".text reaches beyond") { $0.put(0xFFFF_FFFF, 4, at: 0x134) },
    Damage("a section of all memory", "sections take") { $0.put(0xFFFF_FFFF, 4, at: 0x128) },
    Damage("a section over the headers", ".text begins within the headers") { $0.put(0, 4, at: 0x134) },
    Damage("a section over another", ".text lies in memory over") { $0.put(0x1000, 4, at: 0x12C) },
    Damage("a section in the certificates", ".text reaches into the certificates") { $0.put(0x1100, 4, at: 0x130) },
    Damage("entry outside", "begins outside its executable") { $0.put(0x4000, 4, at: 0x68) },
    Damage("entry in data", "begins outside its executable") { $0.put(0x1000, 4, at: 0x68) },
    Damage("little memory", "of memory, and it asks for 4096") { $0.put(0x1000, 4, at: 0x90) },
    Damage("certificates outside", "certificates are not the file's end") { $0.put(0xFFFF_FFF8, 4, at: 0xEC) },
    Damage("certificates not at the end", "certificates are not the file's end") { $0 += [0, 0, 0, 0, 0, 0, 0, 0] },
    Damage("certificates of odd place", "certificates are not the file's end") {
      $0.put(UInt64(table($0)) + 4, 4, at: 0xE8)
    },
    Damage("a bit of the program", "Test signer does not fit: the program was changed") { $0[5000] ^= 1 },
    Damage("a bit of the headers", "Test signer does not fit: the program was changed") { $0[0x300] ^= 1 },
    Damage("a certificate of no length", "table of certificates breaks off") { $0.put(0, 4, at: table($0)) },
    Damage("a certificate too long", "table of certificates breaks off") { $0.put(0x8000_0000, 4, at: table($0)) },
    Damage("a certificate of another version", "of an unknown kind") { $0[table($0) + 5] = 1 },
    Damage("a certificate of another kind", "of an unknown kind") { $0[table($0) + 6] = 1 },
    Damage("a signature that is none", "signature 1: it is no signature") { $0[table($0) + 8] = 0 },
    Damage("the signed digest", "does not fit") {
      let digest = (try? EFIProgram($0))?.authenticodeDigest(of: $0)?.bytes ?? []
      if let place = $0.offset(of: digest) { $0[place] ^= 1 }
    },
    Damage("the signature itself", "was not made by the keys") { bytes in
      // The signature's bytes are the last of the message, before what fills it up.
      if let last = bytes.lastIndex(where: { $0 != 0 }) { bytes[last - 10] ^= 1 }
    },
    Damage("the signature of another program", "does not fit") { bytes in
      for place in 3000..<3100 { bytes[place] = 0 }
    },
  ]

  @Test("damage to a signed program is named", arguments: damages)
  func damaged(_ damage: Damage) async throws {
    var bytes = try await EFISample.shared.value.kernel
    damage.apply(&bytes)
    let wrong = Self.findings(bytes)
    #expect(wrong.contains { $0.contains(damage.says) }, "found instead: \(wrong)")
  }

  @Test("whatever bit of a signed program changes, what is left is no sound program")
  func everyByte() async throws {
    let kernel = try await EFISample.shared.value.kernel
    let program = try EFIProgram(kernel)
    // Not covered by the digest: the check sum, where the certificates are, and what of them is not signed.
    let covered = Array(0..<0x98) + Array(0x9C..<0xE8) + Array(0xF0..<program.certificates.lowerBound)
    for place in covered where place < 0x400 || place % 97 == 0 {
      var bytes = kernel
      bytes[place] ^= 0x10
      #expect(Self.findings(bytes) != [], "byte \(place)")
    }
  }
}

@Suite struct EFIProgramFuzzTests {
  @Test("any program gives headers, a digest and signatures, or an error, without a trap")
  func programs() async throws {
    let sample = try await EFISample.shared.value.kernel
    let program = try EFIProgram(sample)
    let sound = program.authenticodeDigest(of: sample)
    let places = [0x3C..<0x150, program.certificates.lowerBound..<sample.count]
    let fault = Fuzzing.one(in: 4).firstFault { generator in
      var bytes = sample
      let place = places.randomElement(using: &generator) ?? 0..<0
      bytes.replaceSubrange(place, with: [UInt8](bytes[place]).damaged(&generator))
      guard let read = try? EFIProgram(bytes) else { return nil }
      var findings = checkEFIProgram(read, size: bytes.count, at: "p", machine: .x86_64)
      let digest = read.authenticodeDigest(of: bytes)
      let signatures = read.signatures(of: bytes, at: "p", &findings)
      findings += checkSignatures(signatures, digest: digest, at: "p")
      // Whoever has no key changes nothing of what is signed.
      guard findings.isEmpty, !signatures.isEmpty, digest != sound else { return nil }
      return "a signature fits another program"
    }
    #expect(fault == nil)
  }
}
