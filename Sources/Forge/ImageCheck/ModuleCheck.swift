import Image
import KernelModules
import Workshop

extension Member {
  /// One of the kernel's modules, which lie in a folder of their own.
  var isModule: Bool { path.hasPrefix(CarriedModules.folder + "/") }

  /// What a card executes, whatever that is.
  var isFirmware: Bool { path.hasPrefix(CarriedFirmware.folder + "/") }
}

/// Reads the table of modules as a drone will, and compares it with the modules that really are in the archive, both ways;
/// table and modules must be for the kernel.
///
/// - Parameter kernel: the version in its header, whose first word is its release.
func checkModules(_ members: [Member], of kernel: String, in container: String) -> [Finding] {
  var findings: [Finding] = []
  func wrong(_ path: String, _ reason: String) { findings.append(Finding(.modules, "\(container):\(path)", reason)) }
  var files: [String: Content] = [:]
  for member in members where member.isModule && member.kind == .file { files[member.path] = member.content }
  guard let table = members.first(where: { $0.path == CarriedModules.tablePath }) else {
    if !files.isEmpty { wrong(CarriedModules.tablePath, "it is missing, and a drone loads none of its modules") }
    return findings
  }
  let read: ModuleTable
  do throws(ModuleTable.ParseError) {
    read = try ModuleTable(text: table.content.bytes ?? [])
  } catch {
    wrong(CarriedModules.tablePath, "no drone can read it (\(error))")
    return findings
  }
  let release = String(kernel.prefix { $0 != " " })
  let known = String(decoding: read.release, as: UTF8.self)
  if known != release {
    wrong(CarriedModules.tablePath, "it is for the kernel \(known), and the image's is \(release)")
  }
  for module in read.modules {
    let path = "\(CarriedModules.folder)/\(String(decoding: module.file, as: UTF8.self))"
    guard let content = files.removeValue(forKey: path) else {
      wrong(path, "it is in the table and not there")
      continue
    }
    if content.digest.bytes != module.digest { wrong(path, "it is another than in the table (SHA-256 differs)") }
    guard let bytes = content.bytes else { continue }
    switch builtFor(bytes) {
    case nil: wrong(path, "it is no module of the kernel: it does not say for which it is")
    case release?: break
    case let other?: wrong(path, "it is for the kernel \(other), and the image's is \(release)")
    }
  }
  for path in files.keys.sorted() { wrong(path, "it is there and not in the table") }
  return findings
}

/// The kernel that a module says it is for: the first word of its `vermagic` (include/linux/vermagic.h).
private func builtFor(_ module: [UInt8]) -> String? {
  let mark = [UInt8]("vermagic=".utf8)
  return module.withUnsafeBytes { bytes -> String? in
    guard let place = offset(of: mark, in: bytes) else { return nil }
    let word = bytes[(place + mark.count)...].prefix(256).prefix { $0 != 0x20 && $0 != 0 }
    return String(decoding: word, as: UTF8.self)
  }
}
