import Foundation
import Image
import SystemPackage
import Target
import Workshop

/// Reads finished images back with other code than wrote them and says what is wrong.
///
///     let check = ImageCheck(target: .i586, bill: bill, unstripped: [program])
///     let report = try await check.report(on: "build/drone.iso")
///
/// Files come out of an image by libarchive; what that does not show – volume descriptors, the boot catalogue, the first
/// sector – is read here, from the standards. Nothing about an image stops the check: every byte sequence gives a report.
public struct ImageCheck: Sendable {
  /// Bytes that an image may have.
  public static let budget = 5_800_000

  public let target: DroneTarget
  public let bill: BillOfMaterials
  /// Programs of the root before their symbols were taken away: they name the function of a wrong instruction. One that
  /// has not the same instructions as its program is left aside.
  public let unstripped: [FilePath]
  /// The kernel's `.config`, when it is known.
  public let kernelConfiguration: FilePath?

  public init(
    target: DroneTarget, bill: BillOfMaterials, unstripped: [FilePath] = [], kernelConfiguration: FilePath? = nil
  ) {
    self.target = target
    self.bill = bill
    self.unstripped = unstripped
    self.kernelConfiguration = kernelConfiguration
  }

  /// Checks a CD image or a network boot tree.
  ///
  /// Throws `BuildError` when it is neither, when it cannot be read at all, or when the disassembler is missing.
  public func report(on image: FilePath) async throws -> CheckReport {
    var look = stat()
    try fileOperation(image, "Build it first: make iso") {
      guard stat(image.string, &look) == 0 else { throw Errno(rawValue: errno) }
    }
    switch look.st_mode & S_IFMT {
    case S_IFDIR: return try await report(onTree: image)
    // No CD is larger, and the whole of it is read into memory.
    case S_IFREG where look.st_size <= 1 << 30: return try await report(onCD: contents(of: image))
    case S_IFREG: throw BuildError.input("\(image) is larger than any CD. Give the path of a drone.iso.")
    default: throw BuildError.input("\(image) is neither a file nor a folder. Give the path of a drone.iso.")
    }
  }

  /// Checks a CD image's bytes.
  public func report(onCD image: [UInt8]) async throws -> CheckReport {
    var report = CheckReport(findings: [], sizes: [], total: image.count)
    var members: [Member]?
    do {
      members = try readCD(image)
    } catch {
      report.findings.append(Finding(.archive, "CD image", "libarchive cannot read it to its end: \(error.reason)"))
    }
    if let volume = Volume.read(image, &report.findings) {
      if let place = volume.catalogue {
        if let catalogue = BootCatalogue.read(image, sector: place, &report.findings) {
          let path = bill.medium.first { $0.bootInformationTable == true }?.path
          let loader = members?.first { $0.path == path }?.content ?? []
          report.findings += checkBootInformation(image, loader: loader, sector: catalogue.loader)
          report.findings += checkHybridSector(
            image, loader: loader, sector: catalogue.loader, code: bill.hybridSector)
        }
      } else {
        report.findings.append(Finding(.bootCatalogue, "boot catalogue", "there is none, so no CD drive boots it"))
      }
    }
    // Of an image that cannot be read, every file would be missing.
    if let members {
      report.findings += checkPlainNames(image, members)
      report.findings += checkServedFiles(members)
      try await check(members, configurations: ["/isolinux/isolinux.cfg"], .notModes, &report)
    }
    return report
  }

  /// Checks a network boot tree: everybody who can ask the TFTP server can read it.
  func report(onTree folder: FilePath) async throws -> CheckReport {
    let members = try readTree(folder)
    let bytes = members.reduce(0) { $0 + $1.content.count }
    var report = CheckReport(findings: [], sizes: [], total: bytes)
    report.findings += checkSecrets(members, in: "")
    let names = Set(members.map(\.path))
    for file in ["/pxelinux.0", "/ldlinux.c32"] where !names.contains(file) {
      report.findings.append(Finding(.presence, file, "no PC boots from the network without it"))
    }
    try await check(members, configurations: ["/pxelinux.cfg/default"], .notModesNorOwners, &report)
    return report
  }

  /// What both media have: files, boot configuration, kernel and root.
  private func check(
    _ members: [Member], configurations: [String], _ compared: Compared, _ report: inout CheckReport
  ) async throws {
    var findings = compare(members, with: bill.medium, compared)
    findings += checkPermissions(members)
    if bill.target != target.name {
      findings.append(Finding(.manifest, "manifest", "it is for \(bill.target) and not for \(target.name)"))
    }
    let files = members.filter { $0.kind == .file }
    let names = Set(files.map(\.path))
    for path in configurations {
      guard let file = files.first(where: { $0.path == path }) else {
        findings.append(Finding(.configuration, path, "there is no boot configuration"))
        continue
      }
      let own = path.split(separator: "/").dropLast().joined(separator: "/")
      let folder = path.hasPrefix("/pxelinux") ? "/" : "/" + own
      findings += checkConfiguration(file.content, at: path, folder: folder, files: names)
    }
    let kernel = files.first { $0.path == "/chaos/bzImage" }?.content
    if let kernel { findings += checkKernel(kernel, at: "/chaos/bzImage", elfClass: target.elfClass) }
    if let kernelConfiguration {
      findings += checkKernelConfiguration(
        try contents(of: kernelConfiguration), at: "/chaos/bzImage", demands: target.kernel,
        memory: target.smallestMemory << 20)
    }
    if let root = files.first(where: { $0.path == "/chaos/chaos.rdz" }) {
      findings += try await check(
        root: root.content, kernel: kernel ?? [], secret: configurations != ["/isolinux/isolinux.cfg"])
    }
    if report.total > Self.budget {
      findings.append(
        Finding(.budget, "image", "it has \(report.total) bytes, \(report.total - Self.budget) more than its budget"))
    }
    report.findings += findings
    report.sizes = files.map { .init(path: $0.path, bytes: $0.content.count) }
  }

  /// Checks a compressed root: the archive around it, each entry, each program. `secret`: everybody can read it.
  func check(root archive: [UInt8], kernel: [UInt8], secret: Bool) async throws -> [Finding] {
    let place = "/chaos/chaos.rdz"
    let plain: [UInt8]
    let members: [Member]
    do {
      plain = try decompressed(archive)
      members = try readCpioArchives(plain)
    } catch {
      return checkCompression(
        archive, unpacked: 0, kernel: 0, memory: target.smallestMemory << 20, filters: target.archiveFilters, at: place)
        + [Finding(.archive, place, "it cannot be read to its end: \(error.reason)")]
    }
    var findings = checkCompression(
      archive, unpacked: plain.count, kernel: memoryAtStart(kernel) ?? 3 * kernel.count,
      memory: target.smallestMemory << 20, filters: target.archiveFilters, at: place)
    findings += compare(members, with: bill.root + (bill.cluster?.credential ?? []), .everything)
    findings += checkCredential(members, bill.cluster, in: place)
    findings += checkPermissions(members)
    findings += checkBaseline(members, in: place)
    if secret { findings += checkSecrets(members, in: place + ":") }
    for member in members where member.kind == .file {
      guard let program = Program(member.content) else { continue }
      findings += try await check(program, member)
    }
    return findings
  }

  private func check(_ program: Program, _ member: Member) async throws -> [Finding] {
    let form = checkProgram(
      program, size: member.content.count, at: member.path, elfClass: target.elfClass, machine: target.elfMachine)
    guard program.machine == target.elfMachine, !program.code.isEmpty else { return form }
    let foreign: [ForeignInstruction]
    do {
      if let named = try matching(program) {
        foreign = try await foreignInstructions(in: named, allowed: target.instructions)
      } else {
        foreign = try await withTemporaryFolder(in: FilePath(FileManager.default.temporaryDirectory.path)) { folder in
          let file = folder.appending("program")
          try await write(member.content, to: file)
          return try await foreignInstructions(in: file, allowed: target.instructions)
        }
      }
    } catch BuildError.commandFailed(_, _, _, let lines) {
      let said = lines.last ?? "no reason given"
      return form + [Finding(.instruction, member.path, "llvm-objdump cannot decode it: \(said)")]
    }
    return form + findings(foreign, at: member.path, set: target.instructions.name)
  }

  /// The unstripped program with exactly these instructions.
  private func matching(_ program: Program) throws -> FilePath? {
    let digest = program.codeDigest
    return try unstripped.first { try Program(contents(of: $0))?.codeDigest == digest }
  }
}
