import Image

/// What the EFI partition is called where a finding names a place in it.
let partitionName = "EFI partition"

/// Reads the EFI partition behind a CD's file system: its volume, its files against the bill, and each program in it.
/// Gives the files.
func checkEFIPartition(
  _ partition: some ByteSource, with items: [BillOfMaterials.Item], _ findings: inout [Finding]
) -> [Member] {
  guard let volume = FATFileSystem.read(partition, at: partitionName, &findings) else { return [] }
  let members = volume.members(at: partitionName, &findings)
  findings += compare(members, with: items, .notModesNorOwners).map { $0.in(partitionName) }
  findings += checkSecrets(members, in: "\(partitionName):")
  return members
}

/// Follows the programs of an EFI partition from the firmware on: which there are, for which machine, by whom they are
/// signed, and what they start.
///
/// - Parameters:
///   - members: the partition's files.
///   - needed: the programs without which some firmware starts nothing, by their paths.
///   - kernel: the medium's.
/// - Returns: a sentence on Secure Boot; nil when firmware of 64 bits starts nothing.
func checkFirmwarePrograms(
  _ members: [Member], needed: [String], kernel: (any ByteSource)?, at kernelPath: String, is64Bit: Bool,
  _ findings: inout [Finding]
) -> String? {
  let files = members.filter { $0.kind == .file }
  for path in needed where !files.contains(where: { $0.path == path }) {
    findings.append(Finding(.presence, "\(partitionName):\(path)", "firmware that looks for it starts nothing"))
  }
  var programs: [String: StartedProgram] = [:]
  for file in files where file.path.uppercased().hasSuffix(".EFI") {
    guard let bytes = file.content.source else { continue }
    programs[file.path] = .read(bytes, at: "\(partitionName):\(file.path)", for: machine(of: file.path), &findings)
  }
  let isFor32Bits = programs["/EFI/BOOT/BOOTIA32.EFI"] != nil
  let kernel = kernel.flatMap {
    checkKernelStub($0, at: kernelPath, is64Bit: is64Bit, with32Bits: isFor32Bits, &findings)
  }
  guard let first = programs.removeValue(forKey: "/EFI/BOOT/BOOTX64.EFI") else { return nil }
  let others = programs.sorted { $0.key < $1.key }.map(\.value).filter { $0.program.machine == .x86_64 }
  return checkSecureBoot(first: first, loaders: others, kernel: kernel, &findings)
}

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
