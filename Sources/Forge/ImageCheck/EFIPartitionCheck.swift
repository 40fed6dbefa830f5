import Image
import Target

/// What the EFI partition is called where a finding names a place in it.
let partitionName = "EFI partition"

/// Reads the EFI partition behind a CD's file system: its volume, and its files against the bill. Gives the files.
func checkEFIPartition(
  _ partition: some ByteSource, with items: [BillOfMaterials.Item], _ findings: inout [Finding]
) -> [Member] {
  guard let volume = FATFileSystem.read(partition, at: partitionName, &findings) else { return [] }
  let members = volume.members(at: partitionName, &findings)
  findings += compare(members, with: items, .notModesNorOwners).map { $0.in(partitionName) }
  findings += checkSecrets(members, in: "\(partitionName):")
  return members
}

/// Follows the programs of a medium from the firmware on: which there are, for which machine, by whom they are signed, and
/// what they start.
///
/// - Parameters:
///   - members: the EFI partition's, or the tree's.
///   - kernel: the medium's.
///   - own: the user's key, where the medium is signed by it.
/// - Returns: a sentence on Secure Boot; nil when firmware of 64 bits starts nothing.
func checkFirmwarePrograms(
  _ members: [Member], _ places: FirmwarePlaces, kernel: (any ByteSource)?, at kernelPath: String, is64Bit: Bool,
  own: OwnKey? = nil, _ findings: inout [Finding]
) -> String? {
  let files = members.filter { $0.kind == .file }
  for path in places.needed where !files.contains(where: { $0.path == path }) {
    findings.append(Finding(.presence, "\(places.container)\(path)", "firmware that looks for it starts nothing"))
  }
  var programs: [String: StartedProgram] = [:]
  for file in files where places.isClosed && isProgram(file.path) || places.needed.contains(file.path) {
    guard let bytes = file.content.source else { continue }
    programs[file.path] = .read(
      bytes, at: "\(places.container)\(file.path)", for: machine(of: file.path), &findings)
  }
  let isFor32Bits = programs[places.narrow] != nil
  let kernel = kernel.flatMap {
    checkKernelStub($0, at: kernelPath, is64Bit: is64Bit, with32Bits: isFor32Bits, &findings)
  }
  guard let first = programs.removeValue(forKey: places.first) else { return nil }
  let others = programs.sorted { $0.key < $1.key }.map(\.value).filter { $0.program.machine == .x86_64 }
  if let own {
    return checkOwnChain(
      first: first, second: others.first { $0.place.hasSuffix(GRUB.second) }, others: others, by: own, &findings)
  }
  return checkSecureBoot(first: first, loaders: others, kernel: kernel, &findings)
}

private func isProgram(_ path: String) -> Bool { path.uppercased().hasSuffix(".EFI") }

/// What a program's name says that it is for (UEFI 2.10, table 3.1); nil when it says nothing.
private func machine(of path: String) -> EFIProgram.Machine? {
  let name = path.uppercased()
  if name.hasSuffix("X64.EFI") { return .x86_64 }
  return name.hasSuffix("IA32.EFI") ? .i386 : nil
}

extension Finding {
  /// The same of something within `container`.
  fileprivate func `in`(_ container: String) -> Finding { Finding(check, "\(container):\(place)", reason) }
}
