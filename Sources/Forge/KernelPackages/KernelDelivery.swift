import DebianArchive
import Foundation
import Image
import SystemPackage
import Target
import Workshop

/// A kernel and its modules as somebody brings them: in a package, or as a file and a folder.
public struct KernelDelivery: Sendable {
  enum Form: Sendable {
    /// A Debian package with both.
    case package(FilePath)
    /// A bzImage, the text of its configuration, and `lib/modules/RELEASE`.
    case files(kernel: FilePath, configuration: String, modules: FilePath, release: String)
  }

  let form: Form
  /// What sentences call it.
  let place: String
  /// The package's, or the kernel's release.
  public let version: String
  /// Other files have another one.
  let identity: String
  /// What names the package in an image's bill; nil for files.
  public let record: SourceRecord?
  let origin: Origin

  /// A package. Throws a sentence when the file is none, or one for other computers.
  public init(package: FilePath, for target: DroneTarget) throws {
    let description = try PackageDescription(package)
    let architecture = description.fields["Architecture"] ?? "none"
    guard architecture == target.debianArchitecture else {
      throw BuildError.input(
        "\(package) is for \(architecture), and drones of the target \(target.name) need one for \(target.debianArchitecture)."
      )
    }
    let digest = try SHA256(contentsOf: package)
    (form, place, version, identity) = (.package(package), "\(package)", description.version, digest.description)
    record = SourceRecord(
      name: package.lastComponent?.string ?? description.name, version: description.version, sha256: digest.description)
    origin = .delivered(package: description.name, version: description.version)
  }

  /// A kernel and the folder of its modules. Throws a sentence when the image is no kernel for the target, when the modules are
  /// another kernel's or none, and when its configuration is not known or lacks what no module can bring.
  public init(kernel: FilePath, modules: FilePath, for target: DroneTarget) throws {
    guard let profile = target.image else { throw BuildError.input("There are no images for \(target.name).") }
    let image = try KernelImage(kernel, form: profile.kernel)
    guard !image.release.isEmpty else {
      throw BuildError.input("\(kernel) does not tell its version, so nobody knows which modules are its own.")
    }
    guard isFolder(modules) else {
      throw BuildError.input("\(modules) is no folder: give MODULES the path of lib/modules/\(image.release).")
    }
    guard modules.lastComponent?.string == image.release else {
      throw BuildError.input(
        "\(modules) is not for this kernel: \(kernel) is \(image.release), and its modules lie in lib/modules/\(image.release)."
      )
    }
    let files = try moduleFiles(below: modules)
    guard !files.isEmpty else {
      throw BuildError.input("\(modules) holds no modules: there is no .ko, .ko.xz or .ko.zst in it.")
    }
    guard let configuration = try image.configuration(modules: modules) else {
      throw BuildError.input(
        "The configuration of \(kernel) is not known: put it beside that as config-\(image.release), or build the kernel with CONFIG_IKCONFIG=y."
      )
    }
    // What a module brings is looked at when it is known which ones the image holds.
    let lacks = KernelConfiguration(configuration).shortcomings(
      of: target.kernel, modules: Set(target.kernel.parts.map(\.module)))
    guard lacks.isEmpty else { throw BuildError.input(sentence(lacks, of: "\(kernel)")) }
    var look = SHA256.Hasher()
    for word in [try SHA256(contentsOf: kernel).description, configuration] + files { look.add(word) }
    form = .files(kernel: kernel, configuration: configuration, modules: modules, release: image.release)
    (place, version, identity) = ("\(modules)", image.release, look.finish().description)
    (record, origin) = (nil, .given)
  }

  /// Throws a sentence for a name that this kernel has nothing of, before anything of it is unpacked. Of a package the list of
  /// digests suffices for that, unless the name is of something that the kernel has built in.
  public func requireKnown(_ selection: ModuleSelection) throws {
    guard case .named(let names) = selection else { return }
    switch form {
    case .package(let file):
      let modules = Set(
        try Payload.listedFiles(of: file).filter { $0.contains("lib/modules/") && isModuleFile($0) }.map {
          moduleName(ofPath: $0[...])
        })
      guard !modules.isEmpty, !names.allSatisfy(modules.contains) else { return }
      let builtIn = try withBuiltIn(of: file)
      try requireNames(names, known: modules, builtIn: builtIn)
    case .files(_, _, let folder, _):
      let modules = Set(try moduleFiles(below: folder).map { moduleName(ofPath: $0.prefix { $0 != "\t" }) })
      try requireNames(names, known: modules, builtIn: builtInNames(folder.appending("modules.builtin")))
    }
  }

  private func withBuiltIn(of package: FilePath) throws -> Set<String> {
    let folder = FilePath(NSTemporaryDirectory()).appending("droneforge-\(UUID())")
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    try makeFolder(folder)
    var found: Set<String> = []
    try Payload.extract(package, to: folder) { path in
      guard path.hasSuffix("/modules.builtin") else { return false }
      found.insert(path)
      return true
    }
    return try found.reduce(into: []) { try $0.formUnion(builtInNames(FilePath(folder.string + $1))) }
  }

  /// Takes it apart below `folder`. Throws a sentence.
  func unpacked(to folder: FilePath, log: FilePath) async throws -> UnpackedKernel {
    switch form {
    case .package(let file): try await UnpackedKernel(file, to: folder, log: log)
    case .files(let kernel, let configuration, let modules, let release):
      try await UnpackedKernel(kernel, configuration, modules, release: release, to: folder, log: log)
    }
  }
}

/// What somebody is told of a kernel that lacks something.
public func sentence(_ lacks: [String], of kernel: String) -> String {
  "The kernel of \(kernel) is none for drones: \(lacks.joined(separator: "; "))."
}

private func builtInNames(_ file: FilePath) throws -> Set<String> {
  guard exists(file) else { return [] }
  return Set(
    String(decoding: try contents(of: file), as: UTF8.self).split(separator: "\n").map { moduleName(ofPath: $0) })
}

/// Whether a path is a module's.
private func isModuleFile(_ path: String) -> Bool { moduleEndings.contains { path.hasSuffix($0) } }

/// As depmod knows them.
let moduleEndings = [".ko", ".ko.xz", ".ko.zst"]

/// A line for each module below a folder: its path there, and how it looks from outside. Sorted; links are followed by
/// depmod and so by us.
private func moduleFiles(below folder: FilePath) throws -> [String] {
  var found: [String] = []
  var ahead = [""]
  while let inner = ahead.popLast() {
    let place = inner.isEmpty ? folder : folder.appending(inner)
    let names = try fileOperation(place, "Check the folder and its permissions") {
      try FileManager.default.contentsOfDirectory(atPath: place.string)
    }
    for name in names where !(inner.isEmpty && ["build", "source"].contains(name)) {
      let path = inner.isEmpty ? name : "\(inner)/\(name)"
      var look = stat()
      guard stat(folder.appending(path).string, &look) == 0 else { continue }
      if look.st_mode & S_IFMT == S_IFDIR {
        // A link that leads in a circle is deep at last.
        if path.count(where: { $0 == "/" }) < 16 { ahead.append(path) }
      } else if isModuleFile(name) {
        found.append("\(path)\t\(look.st_size) \(look.st_mtim.tv_sec) \(look.st_mtim.tv_nsec) \(look.st_ino)")
      }
    }
  }
  return found.sorted()
}
