import DebianArchive
import Foundation
import Image
import SystemPackage
import Workshop

extension KernelImage {
  /// The kernel's configuration: `config-RELEASE` or `config` beside it, `config` among its modules, or what it carries itself
  /// (CONFIG_IKCONFIG). Nil when there is none of these. Throws a sentence when the kernel cannot be unpacked.
  ///
  /// - Parameter modules: the folder of its modules, if it has one.
  public func configuration(modules: FilePath? = nil) throws -> String? {
    let folder = path.removingLastComponent()
    let places = (release.isEmpty ? [] : [folder.appending("config-\(release)")]) + [folder.appending("config")]
    for place in places + [modules?.appending("config")].compactMap(\.self) where isFile(place) {
      return String(decoding: try contents(of: place), as: UTF8.self)
    }
    guard let payload else { return nil }
    let bytes = try contents(of: path)
    guard payload.upperBound <= bytes.count else { return nil }
    return try embeddedConfiguration(in: bytes[payload], of: "\(path)").map { String(decoding: $0, as: UTF8.self) }
  }
}

/// What stands between the marks of kernel/configs.c in a compressed kernel; nil when it has none.
///
/// - Parameter payload: as the image's header names it. Behind what another program than gzip compressed stand four bytes with
///   its size (scripts/Makefile.lib, size_append).
func embeddedConfiguration(in payload: ArraySlice<UInt8>, of kernel: String) throws -> [UInt8]? {
  let isGzip = payload.starts(with: [0x1F, 0x8B])
  let whole = try uncompressed(Array(isGzip ? payload : payload.dropLast(4)), from: kernel)
  guard let start = place(of: "IKCFG_ST", in: whole[...]), let end = place(of: "IKCFG_ED", in: whole[(start + 8)...])
  else { return nil }
  return try uncompressed(Array(whole[(start + 8)..<end]), from: "the configuration in \(kernel)")
}

private func place(of mark: StaticString, in bytes: ArraySlice<UInt8>) -> Int? {
  bytes.withUnsafeBytes { area in
    guard let base = area.baseAddress else { return nil }
    let size = mark.utf8CodeUnitCount
    var start = 0
    while area.count - start >= size,
      let found = memchr(base + start, Int32(mark.utf8Start.pointee), area.count - start - size + 1)
    {
      start = base.distance(to: UnsafeRawPointer(found))
      if memcmp(found, mark.utf8Start, size) == 0 { return bytes.startIndex + start }
      start += 1
    }
    return nil
  }
}
