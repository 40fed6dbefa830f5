import BuildCache
import Foundation
import SystemPackage
import Target
import TestSupport
import Workshop

@testable import Image

/// Runs `body` with an empty folder that is gone afterwards.
func withFolder<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
  let folder = FilePath(NSTemporaryDirectory()).appending("drone-image-\(UUID())")
  try makeFolder(folder)
  defer { try? FileManager.default.removeItem(atPath: folder.string) }
  return try await body(folder)
}

/// Bytes that no compressor makes smaller, the same in every run.
func noise(_ count: Int) -> [UInt8] {
  var state: UInt64 = 0x9E37_79B9_7F4A_7C15
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 56)
  }
}

/// A file with a bzImage's header and noise for the rest; field by field as Documentation/arch/x86/boot.rst has them.
func kernelFile(bootProtocol: UInt16 = 0x020F, loadFlags: UInt8 = 1, extendedLoadFlags: UInt16 = 0) -> [UInt8] {
  var bytes = noise(512 * 5 + 4096)
  func put(_ value: UInt64, _ width: Int, at offset: Int) {
    for index in 0..<width { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
  }
  put(4, 1, at: 0x1F1)  // setup_sects
  put(4096 / 16, 4, at: 0x1F4)  // syssize
  put(0xAA55, 2, at: 0x1FE)  // boot_flag
  bytes.replaceSubrange(0x202..<0x206, with: "HdrS".utf8)
  put(UInt64(bootProtocol), 2, at: 0x206)
  put(0x600, 2, at: 0x20E)  // kernel_version, less 0x200
  bytes.replaceSubrange(0x800..<0x80A, with: "6.1.0 fake\0".utf8.prefix(10))
  bytes[0x80A] = 0
  put(UInt64(loadFlags), 1, at: 0x211)
  put(UInt64(extendedLoadFlags), 2, at: 0x236)
  return bytes
}

/// Stand-ins for all that an image is made from, in `folder`; the boot configuration and the boot loader are the real ones.
func fakeParts(in folder: FilePath, for target: ImageTarget = .i586) async throws -> ImageParts {
  let files = folder.appending("rootfs")
  try makeFolder(files.appending("etc"))
  try await write("root::0:0:root:/root:/bin/sh\n".utf8, to: files.appending("etc").appending("passwd"))
  try await write([0x7F] + "ELF busybox".utf8 + noise(5000), to: folder.appending("busybox"))
  try await write([0x7F] + "ELF init".utf8 + noise(3000), to: folder.appending("program"))
  var loaders: [String: SuppliedFile] = [:]
  for part in target.wide == nil ? [] : GRUB.debian.parts + GRUB.debian.networkParts {
    let file = folder.appending(FilePath(part.place).lastComponent?.string ?? "")
    try await write(fakeLoader(part.place), to: file)
    loaders[part.place] = SuppliedFile(file, from: .delivered(package: part.package, version: "1"))
  }
  if target.wide != nil {
    let stub = GRUB.debian.stub
    loaders[stub.place] = SuppliedFile(FilePath(stub.file), from: .delivered(package: stub.package, version: "1"))
  }
  let root = RootParts(
    programs: [
      DroneProgram(
        ProgramPlace(product: "init", path: "/sbin/init", links: ["/bin/fix_hosts"]),
        stripped: folder.appending("program"), unstripped: folder.appending("program"))
    ],
    busybox: SuppliedFile(folder.appending("busybox"), from: .source(fakeSource)),
    applets: ["/bin/sh", "/bin/ls", "/sbin/init"], files: files)
  var drones: [DroneParts] = []
  for drone in target.drones {
    let kernel = folder.appending("bzImage-\(drone.name)")
    try await write(kernelFile(extendedLoadFlags: drone.image?.kernel.is64Bit == true ? 1 : 0), to: kernel)
    drones.append(DroneParts(drone, root: root, kernel: SuppliedFile(kernel, from: .given)))
  }
  return ImageParts(
    target, of: drones, bootFiles: checkout.appending("isolinux"), sources: [fakeSource], loaders: loaders)
}

/// What stands for a boot loader of UEFI.
func fakeLoader(_ place: String) -> [UInt8] { [UInt8](place.utf8) + noise(3000) }

let fakeSource = SourceRecord(name: "busybox", version: "1", sha256: "00")

/// Builds an image as a cache does, with a check before it has its place; false when there was nothing to do.
@discardableResult
func isBuilt(
  _ medium: Medium, from parts: ImageParts, in folder: FilePath,
  check: @escaping @Sendable (BuiltImage) throws -> Void = { _ in }
) async throws -> Bool {
  let recipe = CheckedImage(image: try ImageRecipe(medium, from: parts, goingTo: folder), check: check)
  let report: Void? = try await BuildCache(folder: folder).outputs(
    recipe.image.outputs, of: recipe, Workshop.Progress(total: 1, quiet: true))
  return report != nil
}

private struct CheckedImage: Recipe {
  let image: ImageRecipe
  let check: @Sendable (BuiltImage) throws -> Void

  var name: String { image.name }
  var title: String { image.title }
  var inputs: [Input] { image.inputs }

  func build(in room: Room) async throws { try check(await image.build(in: room)) }
}

/// The one sentence that `body` stops with; empty when it does not.
func sentence(_ body: () async throws -> Void) async -> String {
  do { try await body() } catch { return "\(error)" }
  return ""
}
