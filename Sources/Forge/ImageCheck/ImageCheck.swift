import DroneLayout
import BootServer
import Foundation
import Image
import SystemPackage
import Target
import Workshop

/// Reads finished images back with other code than wrote them and says what is wrong.
///
///     let check = try ImageCheck(target: .i586, bill: bill, unstripped: [program])
///     let report = try await check.report(on: "build/drone.iso")
///
/// Files come out of an image by libarchive; what that does not show – volume descriptors, the boot catalogue, the first
/// sector – is read here, from the standards. Nothing about an image stops the check: every byte sequence gives a report.
public struct ImageCheck: Sendable {
  public let target: DroneTarget
  private let profile: ImageProfile
  public let bill: BillOfMaterials
  /// Programs of the root before their symbols were taken away: they name the function of a wrong instruction. One that
  /// has not the same instructions as its program is left aside.
  public let unstripped: [FilePath]
  /// The kernel's `.config`, when it is known.
  public let kernelConfiguration: FilePath?

  /// Digests of programs whose instructions were looked at before, and are all the target's.
  public let sound: Set<SHA256>

  /// Bytes that an image may have.
  public var budget: Int { profile.budget }

  /// Throws `BuildError.input` when there are no images for the target.
  public init(
    target: DroneTarget, bill: BillOfMaterials, unstripped: [FilePath] = [], sound: Set<SHA256> = [],
    kernelConfiguration: FilePath? = nil
  ) throws {
    guard let profile = target.image else { throw BuildError.input("There are no images for \(target.name).") }
    self.target = target
    self.profile = profile
    self.bill = bill
    self.unstripped = unstripped
    self.sound = sound
    self.kernelConfiguration = kernelConfiguration
  }

  /// Checks a CD image or a network boot tree.
  ///
  /// Throws `BuildError` when it is neither, when it cannot be read at all, or when the disassembler is missing.
  public func report(on image: FilePath) async throws -> CheckReport {
    var look = stat()
    try fileOperation(image, "Name an image or the folder of a network boot tree") {
      guard stat(image.string, &look) == 0 else { throw Errno(rawValue: errno) }
    }
    switch look.st_mode & S_IFMT {
    case S_IFDIR: return try await report(onTree: image)
    // No CD is larger.
    case S_IFREG where look.st_size <= 1 << 30: return try await report(onCD: FileBytes(image))
    case S_IFREG: throw BuildError.input("\(image) is larger than any CD. Give the path of an image.")
    default: throw BuildError.input("\(image) is neither a file nor a folder. Give the path of an image.")
    }
  }

  /// Checks a CD image's bytes. Large parts of it lie in a temporary folder meanwhile.
  func report(onCD image: some ByteSource) async throws -> CheckReport {
    try await withTemporaryFolder(in: temporaryFolder) { try await report(onCD: image, scratch: $0) }
  }

  private func report(onCD image: some ByteSource, scratch: FilePath) async throws -> CheckReport {
    var report = CheckReport(findings: [], sizes: [], total: image.count)
    let partition =
      profile.bootWays.contains(where: \.hasPartition) ? SystemPartition.read(image, &report.findings) : nil
    // Whatever else is wrong with an image without its end follows from that.
    if partition == .cutOff { return report }
    var members: [Member]?
    do {
      members = try readCD(image, shelf: Shelf(folder: scratch))
    } catch {
      report.findings.append(Finding(.archive, "CD image", "libarchive cannot read it to its end: \(error.reason)"))
    }
    if let volume = Volume.read(image, end: partition?.start, &report.findings) {
      if let place = volume.catalogue {
        if let catalogue = BootCatalogue.read(image, sector: place, &report.findings) {
          report.findings += checkBootWays(profile.bootWays, catalogue, on: image, partition, members, bill)
        }
      } else {
        report.findings.append(Finding(.bootCatalogue, "boot catalogue", "there is none, so no CD drive boots it"))
      }
    }
    let files = partition?.bytes(of: image).map {
      checkEFIPartition($0, with: bill.efiPartition ?? [], &report.findings)
    }
    // Of an image that cannot be read, every file would be missing.
    if let members {
      report.findings += checkPlainNames(image, members)
      report.findings += checkServedFiles(members)
      try await check(members, on: .cd, .notModes, partition: files ?? [], &report)
      report.sizes += (files ?? []).filter { $0.kind == .file }.map {
        .init(path: "\(partitionName):\($0.path)", bytes: $0.content.size)
      }
      let kernel = members.first { $0.path == kernelPath }?.content.source
      for way in profile.bootWays {
        report.notes += way.check(files ?? [], kernel: kernel, is64Bit: profile.kernel.is64Bit, &report.findings)
      }
    }
    return report
  }

  /// Checks a network boot tree: everybody who can ask the TFTP server can read it.
  func report(onTree folder: FilePath) async throws -> CheckReport {
    let members = try readTree(folder)
    let bytes = members.reduce(0) { $0 + $1.content.size }
    var report = CheckReport(findings: [], sizes: [], total: bytes)
    let names = Set(members.map(\.path))
    for file in profile.bootWays.flatMap(\.networkFiles) where !names.contains(file) {
      report.findings.append(Finding(.presence, file, "no PC boots from the network without it"))
    }
    try await check(members, on: .network, .notModesNorOwners, &report)
    return report
  }

  /// What both media have: files, boot configuration, kernel and root. `partition`: the files of the EFI partition.
  private func check(
    _ members: [Member], on medium: Medium, _ compared: Compared, partition: [Member] = [],
    _ report: inout CheckReport
  ) async throws {
    var findings = compare(members, with: bill.medium, compared)
    findings += checkPermissions(members)
    if medium.isPublic { findings += checkSecrets(members, in: "") }
    if bill.target != target.name {
      findings.append(Finding(.manifest, "manifest", "it is for \(bill.target) and not for \(target.name)"))
    }
    let files = members.filter { $0.kind == .file }
    let contents = Dictionary(files.map { ($0.path, $0.content) }, uniquingKeysWith: { first, _ in first })
    for way in profile.bootWays {
      guard let (path, folder) = way.configuration(on: medium) else { continue }
      findings += way.check(configuration: path, folder: folder, contents, partition: partition)
    }
    let kernel = files.first { $0.path == kernelPath }?.content.source
    if let kernel { findings += checkKernel(kernel, at: kernelPath, form: profile.kernel) }
    if let kernelConfiguration {
      findings += checkKernelConfiguration(
        try Workshop.contents(of: kernelConfiguration), at: kernelPath, demands: target.kernel,
        memory: profile.smallestMemory << 20, modules: bill.modules?.names ?? [])
    }
    if let root = files.first(where: { $0.path == rootPath })?.content.source {
      findings += try await check(root: root, kernel: kernel ?? [], isPublic: medium.isPublic)
    }
    if report.total > profile.budget {
      findings.append(
        Finding(.budget, "image", "it has \(report.total) bytes, \(report.total - profile.budget) more than its budget")
      )
    }
    report.findings += findings
    report.sizes = files.map { .init(path: $0.path, bytes: $0.content.size) }
  }

  /// Checks a compressed root: the archive around it, each entry, each program. `isPublic`: everybody can read it.
  func check(root archive: any ByteSource, kernel: any ByteSource, isPublic: Bool) async throws -> [Finding] {
    try await withTemporaryFolder(in: temporaryFolder) { scratch in
      try await check(root: archive, kernel: kernel, isPublic: isPublic, scratch: scratch)
    }
  }

  private func check(
    root archive: any ByteSource, kernel: any ByteSource, isPublic: Bool, scratch: FilePath
  ) async throws -> [Finding] {
    let memory = profile.smallestMemory << 20
    let filters = Set(profile.compression.filters.map(\.identifier))
    let members: [Member]
    let unpacked: Int
    do {
      (members, unpacked) = try readRoot(archive, shelf: Shelf(folder: scratch))
    } catch {
      return checkCompression(archive, unpacked: 0, kernel: 0, memory: memory, filters: filters, at: rootPath)
        + [Finding(.archive, rootPath, "it cannot be read to its end: \(error.reason)")]
    }
    var findings = checkCompression(
      archive, unpacked: unpacked, kernel: memoryAtStart(kernel) ?? 3 * kernel.count, memory: memory, filters: filters,
      at: rootPath)
    findings += compare(
      members, with: bill.root + (bill.modules?.files ?? []) + (bill.cluster?.credential ?? []), .everything)
    findings += checkModules(members, of: kernelVersion(kernel) ?? bill.kernel, in: rootPath)
    findings += checkCredential(members, bill.cluster, in: rootPath)
    findings += checkPermissions(members)
    findings += checkBaseline(members, in: rootPath)
    if isPublic { findings += checkSecrets(members, in: rootPath + ":") }
    // The kernel chooses what it executes of a module.
    for member in members where member.kind == .file && !member.isModule {
      guard let source = member.content.source, let program = Program(source) else { continue }
      findings += try await check(program, member, scratch)
    }
    return findings
  }

  private func check(_ program: Program, _ member: Member, _ scratch: FilePath) async throws -> [Finding] {
    let form = checkProgram(
      program, size: member.content.size, at: member.path, elfClass: target.elfClass, machine: target.elfMachine)
    guard program.machine == target.elfMachine, !program.code.isEmpty, !sound.contains(member.content.digest) else {
      return form
    }
    let foreign: [ForeignInstruction]
    do {
      if let known = try matching(program) ?? member.content.file {
        foreign = try await foreignInstructions(in: known, allowed: target.instructions)
      } else {
        let file = scratch.appending("program")
        try await write(member.content.bytes ?? [], to: file)
        foreign = try await foreignInstructions(in: file, allowed: target.instructions)
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
    return try unstripped.first { try Program(FileBytes($0))?.codeDigest == digest }
  }
}

private let temporaryFolder = FilePath(FileManager.default.temporaryDirectory.path)

/// Where a medium has the kernel and the drone's root.
let kernelPath = "/\(MediumPath.kernel)"
let rootPath = "/\(MediumPath.root)"
