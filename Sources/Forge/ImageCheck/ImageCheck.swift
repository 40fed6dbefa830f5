import DroneLayout
import BootServer
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
  public let target: ImageTarget
  public let bill: BillOfMaterials
  /// Programs of the root before their symbols were taken away: they name the function of a wrong instruction. One that
  /// has not the same instructions as its program is left aside.
  public let unstripped: [FilePath]
  /// Kernels' `.config`, as far as they are known, by the names of their drones' targets.
  public let kernelConfigurations: [String: FilePath]

  /// Digests of programs whose instructions were looked at before, and are all the target's.
  public let sound: Set<SHA256>

  /// Bytes that an image may have.
  public var budget: Int { target.budget }

  public init(
    target: ImageTarget, bill: BillOfMaterials, unstripped: [FilePath] = [], sound: Set<SHA256> = [],
    kernelConfigurations: [String: FilePath] = [:]
  ) {
    self.target = target
    self.bill = bill
    self.unstripped = unstripped
    self.sound = sound
    self.kernelConfigurations = kernelConfigurations
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
      target.bootWays.contains(where: \.hasPartition) ? SystemPartition.read(image, &report.findings) : nil
    // Whatever else is wrong with an image without its end follows from that.
    if partition == .cutOff { return report }
    if partition != nil, !GUIDPartitionTable.isThere(image) {
      report.findings.append(
        Finding(.partitions, "GPT", "there is none, and who looks for one finds no EFI system partition by it"))
    }
    var members: [Member]?
    do {
      members = try readCD(image, shelf: Shelf(folder: scratch))
    } catch {
      report.findings.append(Finding(.archive, "CD image", "libarchive cannot read it to its end: \(error.reason)"))
    }
    if let volume = Volume.read(image, end: partition?.start, &report.findings) {
      if let place = volume.catalogue {
        if let catalogue = BootCatalogue.read(image, sector: place, &report.findings) {
          report.findings += checkBootWays(target.bootWays, catalogue, on: image, partition, members, bill)
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
      report.findings += checkServedFiles(members, for: target)
      try await check(members, on: .cd, .notModes, partition: files ?? [], &report)
      report.sizes += (files ?? []).filter { $0.kind == .file }.map {
        .init(path: "\(partitionName):\($0.path)", bytes: $0.content.size)
      }
      let own = bill.unified?.ownKey(in: files ?? [], at: "\(partitionName):\(GRUB.second)", &report.findings)
      checkPrograms(on: .cd, files ?? [], besides: members, own, &report)
    }
    return report
  }

  /// What firmware starts. `programs`: the members among which that is; `members`: those with the kernel; `own`: the user's
  /// key, where the programs are signed by it.
  private func checkPrograms(
    on medium: Medium, _ programs: [Member], besides members: [Member], _ own: OwnKey?, _ report: inout CheckReport
  ) {
    let wide = target.wide
    let place = wide.map(target.place)?.kernel ?? kernelPath
    let kernel = members.first { $0.path == place }?.content.source
    for way in target.bootWays {
      report.notes += way.checkPrograms(
        on: medium, programs, kernel: kernel, at: place, is64Bit: wide != nil, own: own, &report.findings)
    }
  }

  /// Checks a network boot tree: everybody who can ask the TFTP server can read it.
  func report(onTree folder: FilePath) async throws -> CheckReport {
    let members = try readTree(folder)
    let bytes = members.reduce(0) { $0 + $1.content.size }
    var report = CheckReport(findings: [], sizes: [], total: bytes)
    let names = Set(members.map(\.path))
    for file in target.bootWays.flatMap(\.networkFiles) where !names.contains(file) {
      report.findings.append(Finding(.presence, file, "no PC boots from the network without it"))
    }
    try await check(members, on: .network, .notModesNorOwners, &report)
    checkPrograms(on: .network, members, besides: members, nil, &report)
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
    if bill.drones.count > target.drones.count {
      findings.append(
        Finding(.manifest, "manifest", "it tells of \(bill.drones.count) drones instead of \(target.drones.count)"))
    }
    let files = members.filter { $0.kind == .file }
    let contents = Dictionary(files.map { ($0.path, $0.content) }, uniquingKeysWith: { first, _ in first })
    for way in target.bootWays {
      findings += way.checkBootConfiguration(on: medium, contents, partition: partition)
    }
    for drone in target.drones {
      let place = target.place(of: drone)
      let record = bill.drones.first { $0.target == drone.name }
      guard let check = DroneCheck(of: drone, as: record, at: place, in: self) else {
        findings.append(Finding(.manifest, "manifest", "it tells nothing of the drone for \(drone.name)"))
        continue
      }
      let kernel = files.first { $0.path == place.kernel }?.content.source
      if let kernel { findings += try check.check(kernel: kernel) }
      if let root = files.first(where: { $0.path == place.root })?.content.source {
        findings += try await check.check(root: root, kernel: kernel ?? [], isPublic: medium.isPublic)
      }
    }
    // That program is what the medium has already, a second time.
    report.copied = checkUnified(members, on: medium, among: medium == .cd ? partition : members, &report)
    if report.total - report.copied > budget {
      findings.append(
        Finding(
          .budget, "image",
          "it has \(report.total) bytes, \(report.total - report.copied - budget) more than its budget")
      )
    }
    report.findings += findings
    report.sizes = files.map { .init(path: $0.path, bytes: $0.content.size) }
  }
}

let temporaryFolder = FilePath(FileManager.default.temporaryDirectory.path)

/// Where a medium has the kernel and the root that boot where nothing else is asked for.
let kernelPath = DronePlace.standard.kernel
let rootPath = DronePlace.standard.root
