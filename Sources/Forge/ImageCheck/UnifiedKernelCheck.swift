import DroneLayout
import Image
import Target
import Workshop

/// The user's own key that programs of an image are signed by.
struct OwnKey: Equatable {
  var name: String
  /// Its certificate in DER, as the medium has it for who enrols it.
  var certificate: [UInt8]
}

extension BillOfMaterials.UnifiedKernel {
  /// The key that the bill names, with the certificate among these files; nil where nobody signed, or where the certificate
  /// is missing or another one, which is a finding.
  func ownKey(in files: [Member], at place: String, _ findings: inout [Finding]) -> OwnKey? {
    guard let key else { return nil }
    let name = "\(key).cer"
    let member = files.first { $0.path.dropFirst().lowercased() == name }
    guard let bytes = member?.content.bytes, "\(SHA256(bytes))" == certificate else {
      findings.append(
        Finding(.signature, place, "the certificate of the key \(key), by which it is signed, is not beside it"))
      return nil
    }
    return OwnKey(name: key, certificate: bytes)
  }
}

/// Checks the program of a drone's kernel, root and boot line against what the medium has of them by themselves.
///
/// - Parameters:
///   - program: its bytes.
///   - words: the boot line that it must have.
func checkUnifiedKernel(
  _ program: any ByteSource, at place: String, kernel: (any ByteSource)?, root: (any ByteSource)?, words: [String],
  _ findings: inout [Finding]
) {
  func wrong(_ reason: String) { findings.append(Finding(.firmwareProgram, place, reason)) }
  guard let header = try? EFIProgram(program), let unified = UnifiedKernel(header, program, at: place, &findings) else {
    return wrong("it is no program with a kernel in it")
  }
  if let kernel, !hasSameBytes(unified.kernel, kernel) { wrong("its kernel is not the medium's") }
  if let root, unified.root.map({ hasSameBytes($0, root) }) != true { wrong("its root is not the medium's") }
  let line = String(decoding: unified.commandLine ?? [], as: UTF8.self)
  if line != words.joined(separator: " ") {
    wrong("its boot line is \(line.debugDescription) instead of \(words.joined(separator: " ").debugDescription)")
  }
  if !unified.system.starts(with: "ID=droneforge\n".utf8) { wrong("it says that it is another system") }
}

private func hasSameBytes(_ one: some ByteSource, _ other: any ByteSource) -> Bool {
  guard one.count == other.count else { return false }
  var offset = 0
  while offset < one.count {
    let count = min(1 << 20, one.count - offset)
    guard let piece = one.part(offset, count), let same = other.part(offset, count), piece == same else { return false }
    offset += count
  }
  return true
}

extension ImageCheck {
  /// Checks the program that the bill tells of on a medium.
  ///
  /// - Parameters:
  ///   - files: the medium's.
  ///   - programs: those among which it is: the medium's files, or those of the EFI partition.
  /// - Returns: its bytes; 0 where there is none.
  func checkUnified(
    _ files: [Member], on medium: Medium, among programs: [Member], _ report: inout CheckReport
  ) -> Int {
    guard let record = bill.unified, let wide = target.wide else { return 0 }
    let path = medium == .cd ? GRUB.second : "/\(MediumPath.unifiedKernel)"
    let place = medium == .cd ? "\(partitionName):\(path)" : path
    guard let program = programs.first(where: { $0.path == path })?.content.source else {
      report.findings.append(Finding(.presence, place, "firmware that looks for it starts nothing"))
      return 0
    }
    func source(_ path: String) -> (any ByteSource)? { files.first { $0.path == path }?.content.source }
    let configuration = target.bootWays.compactMap { way -> String? in
      guard case .bios = way else { return nil }
      return way.configuration(on: medium).path
    }.first
    guard let text = configuration.flatMap({ source($0) }).flatMap({ $0.part(0, $0.count) }),
      let standard = standardLine(text)
    else {
      report.findings.append(
        Finding(.configuration, place, "no standard label of the medium's says what its boot line must be"))
      return program.count
    }
    checkUnifiedKernel(
      program, at: place, kernel: source(target.place(of: wide).kernel), root: source(target.place(of: wide).root),
      words: standard + record.words, &report.findings)
    if medium == .network {
      let started = StartedProgram.read(program, at: place, for: .x86_64, &report.findings)
      if let key = record.ownKey(in: programs, at: place, &report.findings), let started {
        checkSigned(started, by: key, &report.findings)
        report.notes.append(key.promise(place))
      }
    }
    return program.count
  }
}

/// Checks that a program is signed by the user's key.
func checkSigned(_ program: StartedProgram, by key: OwnKey, _ findings: inout [Finding]) {
  if !program.signatures.contains(where: { $0.leads(to: [key.certificate]) }) {
    findings.append(Finding(.signature, program.place, "it is not signed by the key \(key.name)"))
  }
}

extension OwnKey {
  /// What becomes of a medium under Secure Boot.
  func promise(_ place: String) -> String {
    "Under Secure Boot \(place) starts where the certificate of the key \(name) is enrolled; it holds kernel, root and boot line, and all three are verified."
  }
}
