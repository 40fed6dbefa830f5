import DroneLayout
import SystemPackage
import Target
import UnifiedKernel
import Workshop

/// A drone's kernel, root and boot line as one program for UEFI.
struct UnifiedKernelFile {
  let stub: FilePath
  let kernel: FilePath
  let root: FilePath
  let commandLine: String

  /// Writes the program. Throws one sentence when the stub or a part cannot be used.
  func write(to file: FilePath) async throws {
    let description = SoftwareVersion.current.systemDescription
    let commandLine = [UInt8](commandLine.utf8)
    guard commandLine.count <= longestBootLine else {
      throw BuildError.input(
        "The boot line in the program for UEFI has \(commandLine.count) bytes, and the kernel takes \(longestBootLine): say fewer WORDS."
      )
    }
    let stub = try contents(of: stub)
    let sizes = UnifiedKernelSizes(
      system: description.count, commandLine: commandLine.count, root: try size(of: root), kernel: try size(of: kernel))
    let layout: UnifiedKernelLayout
    do throws(UnifiedKernelError) {
      layout = try UnifiedKernelLayout(stub: stub, stubSize: stub.count, sizes: sizes)
    } catch {
      throw BuildError.input(
        "No program for UEFI can be made of \(kernel): \(String(decoding: error.text, as: UTF8.self)).")
    }
    try await Workshop.write(to: file) { append in
      for extent in layout.extents {
        switch extent.source {
        case .header: try layout.header.withUnsafeBytes(append)
        case .stub: try stub[extent.offset..<extent.offset + extent.count].withUnsafeBytes(append)
        case .zeros: try [UInt8](repeating: 0, count: extent.count).withUnsafeBytes(append)
        case .part(.system): try description.withUnsafeBytes(append)
        case .part(.commandLine): try commandLine.withUnsafeBytes(append)
        case .part(.root): try readPieces(of: root, append)
        case .part(.kernel): try readPieces(of: kernel, append)
        }
      }
    }
  }

  private func size(of file: FilePath) throws -> Int {
    try fileOperation(file, "Check the path and its permissions") {
      let descriptor = try FileDescriptor.open(file, .readOnly)
      return try descriptor.closeAfter { Int(try descriptor.seek(offset: 0, from: .end)) }
    }
  }
}

/// COMMAND_LINE_SIZE of the kernel's arch/x86/include/asm/setup.h, less the zero at its end: what is longer is cut.
public let longestBootLine = 2047

extension Medium {
  /// Whether a medium has a drone's kernel and root as one program as well: a network tree always, a CD where it is signed.
  func hasUnifiedKernel(_ parts: ImageParts) -> Bool {
    parts.target.wide != nil && (self == .network || parts.signer != nil)
  }

  /// The boot line of the program: the words of the label that starts by itself, and those that were asked for.
  func unifiedCommandLine(_ parts: ImageParts) throws -> String {
    let file = parts.bootFiles.appending(self == .cd ? "isolinux.cfg" : "pxelinux.cfg")
    let words = try standardWords(String(decoding: contents(of: file), as: UTF8.self), from: file)
    return (words + parts.words).joined(separator: " ")
  }

  /// What is on the medium of the program: its file by its path, in the EFI system partition of a CD.
  func unifiedEntries(_ program: FilePath, _ parts: ImageParts) -> [Entry] {
    let origin = parts.loaders["/\(MediumPath.bootStub)"]?.origin ?? .ours
    func entry(at path: String) -> Entry {
      .file(path, .file(program), why: "kernel, root and boot line for UEFI", origin: origin)
    }
    switch self {
    case .cd: return [entry(at: GRUB.second)]
    case .network:
      let certificate = parts.signer.map { signer -> Entry in
        .file("/\(signer.certificateName.lowercased())", .bytes(signer.certificate), why: signer.why, origin: .given)
      }
      return [entry(at: "/\(MediumPath.unifiedKernel)")] + [certificate].compactMap(\.self)
    }
  }
}

/// The kernel's words of the label that a configuration of SYSLINUX starts by itself (SYSLINUX, syslinux.txt), without
/// the archive. Throws one sentence when it has no such label.
func standardWords(_ configuration: String, from file: FilePath) throws -> [String] {
  var standard: String?
  var label = ""
  for line in configuration.split(whereSeparator: \.isNewline) {
    let words = line.split(separator: " ").map(String.init)
    switch words.first {
    case "DEFAULT" where words.count == 2: standard = words[1]
    case "LABEL" where words.count == 2: label = words[1]
    case "APPEND" where label == standard: return words.dropFirst().filter { !$0.hasPrefix("initrd=") }
    default: break
    }
  }
  throw BuildError.input("\(file) has no label with words that DEFAULT, before it, names.")
}
