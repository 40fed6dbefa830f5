import Testing

@testable import ImageCheck

@Suite("What starts under Secure Boot")
struct SecureBootTests {
  private func check(
    _ first: [UInt8], _ loaders: [[UInt8]], _ kernel: [UInt8]?
  ) throws -> (says: String, wrong: [String]) {
    var findings: [Finding] = []
    func read(_ bytes: [UInt8], _ name: String) -> StartedProgram? {
      StartedProgram.read(bytes, at: "EFI partition:/EFI/BOOT/\(name)", for: .x86_64, &findings)
    }
    let shim = try #require(read(first, "BOOTX64.EFI"))
    let programs = loaders.enumerated().compactMap { read($1, "loader\($0)") }
    let says = checkSecureBoot(
      first: shim, loaders: programs, kernel: kernel.flatMap { read($0, "vmlinuz") }, &findings)
    return (says, findings.map { "\($0)" })
  }

  @Test("a chain of which each part is signed by whom the one before knows starts")
  func chain() async throws {
    let sample = try await EFISample.shared.value
    let (says, wrong) = try check(sample.shim, [sample.signed, sample.twice], sample.kernel)
    #expect(wrong == [])
    #expect(
      says == "Under Secure Boot it starts: BOOTX64.EFI is signed by Second signer, the kernel by Test authority.")
  }

  @Test("a kernel that is not signed, or by somebody else, is no fault, and the sentence says what becomes of it")
  func kernels() async throws {
    let sample = try await EFISample.shared.value
    let plain = try check(sample.shim, [sample.signed], HandWrittenProgram.kernel)
    #expect(plain.wrong == [] && plain.says == "Under Secure Boot it does not start: the kernel is not signed.")
    let other = try check(sample.shim, [sample.signed], sample.shim)
    #expect(
      other.wrong == []
        && other.says
          == "Under Secure Boot it does not start unless the key of Second signer, which signed the kernel, is enrolled."
    )
    let none = try check(sample.shim, [sample.signed], nil)
    #expect(none.says == "Under Secure Boot it does not start: the kernel is no program for UEFI.")
  }

  @Test("a first program that is not signed, or no shim, says how far Secure Boot goes")
  func firsts() async throws {
    let sample = try await EFISample.shared.value
    let plain = try check(sample.stub, [sample.stub], sample.kernel)
    #expect(plain.wrong == [] && plain.says == "Under Secure Boot it does not start: BOOTX64.EFI is not signed.")
    let direct = try check(sample.signed, [], sample.kernel)
    #expect(
      direct.wrong == [] && direct.says == "Under Secure Boot it starts where the firmware knows Test authority.")
  }

  @Test("a loader that shim would not start is a finding, and so is a program that it refuses")
  func refused() async throws {
    let sample = try await EFISample.shared.value
    #expect(
      try check(sample.shim, [sample.stub], sample.kernel).wrong == [
        "EFI partition:/EFI/BOOT/loader0: it is not signed, and BOOTX64.EFI starts only what its own authority signed "
          + "(signature)"
      ])
    #expect(
      try check(sample.shim, [sample.shim], sample.kernel).wrong.first?.contains(
        "loader0: it is signed by Second signer, and BOOTX64.EFI starts only") == true)
    #expect(
      try check(sample.refusing, [sample.signed], sample.kernel).wrong == [
        "EFI partition:/EFI/BOOT/vmlinuz: BOOTX64.EFI refuses it by its digest, as one with a known fault (signature)"
      ])
  }

  @Test("a kernel needs an EFI stub, and a way in from firmware of 32 bits where that starts it")
  func stubs() async throws {
    let sample = try await EFISample.shared.value
    func check(_ kernel: [UInt8], is64Bit: Bool = true, with32Bits: Bool = true) -> (Bool, [String]) {
      var findings: [Finding] = []
      let program = checkKernelStub(kernel, at: "k", is64Bit: is64Bit, with32Bits: with32Bits, &findings)
      return (program != nil, findings.map(\.reason))
    }
    #expect(check(sample.kernel) == (true, []))
    var narrow = HandWrittenProgram.kernel
    narrow[0x236] = 0x09
    #expect(check(narrow).1 == ["firmware of 32 bits cannot start it: it is built without CONFIG_EFI_MIXED"])
    #expect(check(narrow, with32Bits: false) == (true, []))
    let old = check(sampleKernel())
    #expect(
      old.0 == false && old.1 == ["it has no EFI stub (CONFIG_EFI_STUB), so no UEFI firmware starts it"])
    #expect(check(sample.kernel, is64Bit: false).1 == ["it is for x86_64 and should be for i386"])
  }
}
