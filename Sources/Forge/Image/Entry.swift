import SystemPackage
import Workshop

/// One thing in the drone's root: what it is, whose it is, where it comes from and why it is there.
public struct Entry: Sendable, Equatable {
  /// What an entry is. Sockets, FIFOs and block devices have no place in an image.
  public enum Kind: Sendable, Equatable {
    case file(Content)
    case directory
    case symbolicLink(target: String)
    case characterDevice(major: UInt32, minor: UInt32)
  }

  /// Where a file's bytes come from.
  public enum Content: Sendable, Equatable {
    case bytes([UInt8])
    /// A file on the builder's machine; it is read when the manifest is resolved.
    case file(FilePath)
  }

  /// Absolute, without `.`, `..`, doubled or trailing slashes: `/bin/busybox`.
  public let path: String
  public let kind: Kind
  /// Permission bits only, as for `chmod`.
  public let mode: UInt16
  public let owner: Owner
  /// Why the image holds it, for the bill of materials.
  public let why: String
  public let origin: Origin

  /// Numeric user and group.
  public struct Owner: Sendable, Equatable {
    public let user: UInt32
    public let group: UInt32

    public init(user: UInt32, group: UInt32) {
      self.user = user
      self.group = group
    }

    public static let root = Owner(user: 0, group: 0)
  }

  public init(
    path: String, kind: Kind, mode: UInt16, owner: Owner = .root, why: String, origin: Origin = .ours
  ) {
    self.path = path
    self.kind = kind
    self.mode = mode
    self.owner = owner
    self.why = why
    self.origin = origin
  }
}

extension Entry {
  public static func directory(
    _ path: String, mode: UInt16 = 0o755, why: String, origin: Origin = .ours
  ) -> Entry {
    Entry(path: path, kind: .directory, mode: mode, why: why, origin: origin)
  }

  /// A regular file: 0755 when it is a program, else 0644.
  public static func file(
    _ path: String, _ content: Content, executable: Bool = false, why: String, origin: Origin = .ours
  ) -> Entry {
    Entry(path: path, kind: .file(content), mode: executable ? 0o755 : 0o644, why: why, origin: origin)
  }

  /// A symbolic link; its permission bits mean nothing to Linux and are 0777 by convention.
  public static func link(_ path: String, to target: String, why: String, origin: Origin = .ours) -> Entry {
    Entry(path: path, kind: .symbolicLink(target: target), mode: 0o777, why: why, origin: origin)
  }

  public static func characterDevice(_ path: String, _ major: UInt32, _ minor: UInt32, why: String) -> Entry {
    Entry(path: path, kind: .characterDevice(major: major, minor: minor), mode: 0o600, why: why)
  }
}
