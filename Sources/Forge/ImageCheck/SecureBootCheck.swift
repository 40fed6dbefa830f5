import Image
import Workshop

/// A program on a medium that firmware, or a program before it, starts.
struct StartedProgram {
  /// For sentences: `EFI partition:/EFI/BOOT/BOOTX64.EFI`.
  var place: String
  var program: EFIProgram
  var digest: SHA256?
  var signatures: [EFISignature]
  /// Nil for a program that is no shim.
  var trust: ShimTrust?

  /// Reads a program and says what is wrong with it and its signatures; nil when it is none.
  ///
  /// - Parameter machine: what it must be for; nil when anything will do.
  static func read(
    _ bytes: some ByteSource, at place: String, for machine: EFIProgram.Machine?, _ findings: inout [Finding]
  ) -> StartedProgram? {
    do throws(EFIProgramError) {
      let program = try EFIProgram(bytes)
      findings += checkEFIProgram(program, size: bytes.count, at: place, machine: machine ?? program.machine)
      let digest = program.authenticodeDigest(of: bytes)
      let signatures = program.signatures(of: bytes, at: place, &findings)
      findings += checkSignatures(signatures, digest: digest, at: place)
      return StartedProgram(
        place: place, program: program, digest: digest, signatures: signatures, trust: ShimTrust(program, bytes))
    } catch {
      findings.append(Finding(.firmwareProgram, place, error.reason))
      return nil
    }
  }

  /// Those who issued its signers' certificates, each once.
  var issuers: [String] {
    var seen: Set<String> = []
    return signatures.flatMap(\.signers).map(\.issuer).filter { seen.insert($0).inserted }
  }

  /// The file's name.
  fileprivate var name: String { place.split(separator: "/").last.map(String.init) ?? place }
}

/// What shim lets start besides what the firmware's own keys have signed: its section `.vendor_cert` (shim, cert.S, whose
/// fields are lengths and places of the two parts).
struct ShimTrust: Equatable {
  /// Certificates in DER.
  var authorities: [[UInt8]]
  /// A list of digests that it refuses (EFI_SIGNATURE_LIST; UEFI 2.10, §32.4.1).
  var refused: [UInt8]

  init?(_ program: EFIProgram, _ bytes: some ByteSource) {
    guard let section = program.sections.first(where: { $0.name == ".vendor_cert" }) else { return nil }
    let start = section.offset
    func part(_ length: Int, _ place: Int) -> [UInt8]? {
      guard let length = bytes.long(start + length), let place = bytes.long(start + place),
        Int(place) + Int(length) <= section.fileSize
      else { return nil }
      return bytes.part(start + Int(place), Int(length)).map { [UInt8]($0) }
    }
    guard let allowed = part(0, 8), let refused = part(4, 12) else { return nil }
    authorities = allowed.isEmpty ? [] : [allowed]
    self.refused = refused
  }

  func refuses(_ digest: SHA256) -> Bool { refused.withUnsafeBytes { contains($0, digest.bytes) } }
}

/// Follows what starts what when the firmware verifies programs (UEFI 2.10, §32.5): it verifies the first, and shim
/// everything after it. What can never start is a finding; what is not signed starts where Secure Boot is off, and the
/// sentence that comes back says so.
///
/// - Parameters:
///   - first: what the firmware starts, `BOOTX64.EFI`.
///   - loaders: the other programs beside it.
func checkSecureBoot(
  first: StartedProgram, loaders: [StartedProgram], kernel: StartedProgram?, _ findings: inout [Finding]
) -> String {
  let no = "Under Secure Boot it does not start"
  guard !first.signatures.isEmpty else { return "\(no): \(first.name) is not signed." }
  guard let trust = first.trust else {
    return "Under Secure Boot it starts where the firmware knows \(first.issuers.joined(separator: " or "))."
  }
  func isTrusted(_ program: StartedProgram) -> Bool {
    program.signatures.contains { $0.leads(to: trust.authorities) }
  }
  for program in loaders + [kernel].compactMap(\.self) {
    if let digest = program.digest, trust.refuses(digest) {
      findings.append(
        Finding(.signature, program.place, "\(first.name) refuses it by its digest, as one with a known fault"))
    }
  }
  // Shim starts nothing else, whether the medium was made so or damaged.
  for program in loaders where !isTrusted(program) {
    let by = program.signatures.isEmpty ? "is not signed" : "is signed by \(program.issuers.joined(separator: ", "))"
    findings.append(
      Finding(.signature, program.place, "it \(by), and \(first.name) starts only what its own authority signed"))
  }
  guard let kernel else { return "\(no): the kernel is no program for UEFI." }
  guard !kernel.signatures.isEmpty else { return "\(no): the kernel is not signed." }
  guard isTrusted(kernel) else {
    return "\(no) unless the key of \(kernel.issuers.joined(separator: ", ")), which signed the kernel, is enrolled."
  }
  return "Under Secure Boot it starts: \(first.name) is signed by \(first.issuers.joined(separator: " and ")), "
    + "the kernel by \(kernel.issuers.joined(separator: " and "))."
}

/// Follows a medium that the user's key signed: shim is signed by it besides its own signers, so that firmware that knows
/// the key alone starts it, and what shim starts is the program of kernel, root and boot line.
///
/// - Parameter others: all programs beside shim; each is trusted by shim or signed by the key.
func checkOwnChain(
  first: StartedProgram, second: StartedProgram?, others: [StartedProgram], by key: OwnKey, _ findings: inout [Finding]
) -> String {
  checkSigned(first, by: key, &findings)
  if let second { checkSigned(second, by: key, &findings) }
  let trusted = (first.trust?.authorities ?? []) + [key.certificate]
  for program in others where program.place != second?.place {
    if let digest = program.digest, first.trust?.refuses(digest) == true {
      findings.append(
        Finding(.signature, program.place, "\(first.name) refuses it by its digest, as one with a known fault"))
    }
    if !program.signatures.contains(where: { $0.leads(to: trusted) }) {
      findings.append(Finding(.signature, program.place, "nobody signed it whom \(first.name) trusts"))
    }
  }
  return key.promise(first.name)
}

/// Checks that firmware and GRUB can start a kernel as a program for UEFI, and gives it; nil when they cannot.
///
/// - Parameter with32Bits: whether firmware of 32 bits starts it as well.
func checkKernelStub(
  _ kernel: some ByteSource, at place: String, is64Bit: Bool, with32Bits: Bool, _ findings: inout [Finding]
) -> StartedProgram? {
  guard kernel.has("MZ", at: 0) else {
    findings.append(Finding(.kernel, place, "it has no EFI stub (CONFIG_EFI_STUB), so no UEFI firmware starts it"))
    return nil
  }
  // xloadflags, XLF_EFI_HANDOVER_32 (Documentation/arch/x86/boot.rst): the way in from firmware of 32 bits.
  if with32Bits, is64Bit, (kernel.word(0x236) ?? 0) & 4 == 0 {
    findings.append(
      Finding(.kernel, place, "firmware of 32 bits cannot start it: it is built without CONFIG_EFI_MIXED"))
  }
  return StartedProgram.read(kernel, at: place, for: is64Bit ? .x86_64 : .i386, &findings)
}
