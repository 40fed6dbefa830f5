import Workshop

@testable import ImageContents

/// Entries by short words.
extension ImageEntry {
  static func file(_ path: String, _ content: String = "", mode: UInt16 = 0o644, user: Int64 = 0) -> ImageEntry {
    .file(ImagePath(typed: path), [UInt8](content.utf8), mode: mode, user: user)
  }

  static func file(_ path: ImagePath, _ bytes: [UInt8], mode: UInt16 = 0o644, user: Int64 = 0) -> ImageEntry {
    var entry = ImageEntry(path, .file, mode: mode, owner: .init(user: user, group: 0))
    entry.size = bytes.count
    entry.digest = SHA256(bytes)
    entry.read = { offset, count in offset + count <= bytes.count ? bytes[offset..<offset + count] : nil }
    return entry
  }

  static func folder(_ path: String, mode: UInt16 = 0o755) -> ImageEntry {
    ImageEntry(ImagePath(typed: path), .folder, mode: mode, owner: .init(user: 0, group: 0))
  }

  static func link(_ path: String, to target: String) -> ImageEntry {
    var entry = ImageEntry(ImagePath(typed: path), .symbolicLink, mode: 0o777, owner: .init(user: 0, group: 0))
    entry.target = [UInt8](target.utf8)
    return entry
  }

  static func device(_ path: String, _ major: UInt32, _ minor: UInt32) -> ImageEntry {
    var entry = ImageEntry(ImagePath(typed: path), .characterDevice, mode: 0o600, owner: .init(user: 0, group: 0))
    entry.device = [major, minor]
    return entry
  }

  func entered(_ inside: Inside) -> ImageEntry {
    var entry = self
    entry.inside = inside
    return entry
  }
}

/// A medium with a root in it.
let sample = ImageContents(
  .cd, size: 1000,
  [
    .file("/boot/menu", "menu"), .file("/chaos/root", String(repeating: "x", count: 600)).entered(.archive),
    .file("/chaos/root/etc/passwd", "root"), .file("/chaos/root/bin/busybox", "busy"),
    .link("/chaos/root/bin/sh", to: "busybox"), .link("/chaos/root/sh", to: "/bin/sh"),
    .link("/chaos/root/up", to: "../../../boot/menu"), .link("/chaos/root/round", to: "round"),
    .file("/other/root", "other").entered(.archive), .file("/other/root/etc/passwd", "rest"),
    .file("/other/root/only/here", "x"),
  ])

func path(_ typed: String) -> ImagePath { ImagePath(typed: typed) }
