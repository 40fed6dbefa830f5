import Image
import SystemPackage
import Target
import Workshop

/// Checks one drone of an image: its kernel and its root.
struct DroneCheck: Sendable {
  private let target: DroneTarget
  private let profile: ImageProfile
  private let place: DronePlace
  private let bill: BillOfMaterials.Drone
  private let cluster: BillOfMaterials.Cluster?
  private let unstripped: [FilePath]
  private let sound: Set<SHA256>
  private let kernelConfiguration: FilePath?

  /// Nil without anything to compare the drone with.
  init?(of target: DroneTarget, as bill: BillOfMaterials.Drone?, at place: DronePlace, in image: ImageCheck) {
    guard let bill, let profile = target.image else { return nil }
    (self.target, self.profile, self.bill, self.place) = (target, profile, bill, place)
    (cluster, unstripped, sound) = (image.bill.cluster, image.unstripped, image.sound)
    kernelConfiguration = image.kernelConfigurations[target.name]
  }

  /// Checks a kernel, and its configuration where that is known.
  func check(kernel: any ByteSource) throws -> [Finding] {
    var findings = checkKernel(kernel, at: place.kernel, form: profile.kernel)
    if let kernelConfiguration {
      findings += checkKernelConfiguration(
        try contents(of: kernelConfiguration), at: place.kernel, demands: target.kernel,
        memory: profile.smallestMemory << 20, modules: bill.modules?.names ?? [])
    }
    return findings
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
      return checkCompression(archive, unpacked: 0, kernel: 0, memory: memory, filters: filters, at: place.root)
        + [Finding(.archive, place.root, "it cannot be read to its end: \(error.reason)")]
    }
    var findings = checkCompression(
      archive, unpacked: unpacked, kernel: memoryAtStart(kernel) ?? 3 * kernel.count, memory: memory, filters: filters,
      at: place.root)
    findings += compare(
      members, with: bill.root + (bill.modules?.files ?? []) + (cluster?.credential ?? []), .everything)
    findings += checkModules(members, of: kernelVersion(kernel) ?? bill.kernel, in: place.root)
    findings += checkCredential(members, cluster, in: place.root)
    findings += checkPermissions(members)
    findings += checkBaseline(members, in: place.root)
    if isPublic { findings += checkSecrets(members, in: place.root + ":") }
    // The kernel chooses what it executes of a module.
    for member in members where member.kind == .file && !member.isModule && !member.isFirmware {
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
