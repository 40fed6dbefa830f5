import Foundation
import SystemPackage

/// Where a user's secrets are kept: folders that only their owner may look into.
public enum UserFolder {
  /// `${XDG_CONFIG_HOME:-~/.config}/droneforge`.
  public static func folder(
    environment: [String: String] = ProcessInfo.processInfo.environment, home: String = NSHomeDirectory()
  ) -> FilePath {
    // The XDG Base Directory Specification: a relative path is to be ignored.
    func absolute(_ name: String) -> FilePath? {
      environment[name].flatMap { $0.hasPrefix("/") ? FilePath($0) : nil }
    }
    let base = absolute("XDG_CONFIG_HOME") ?? (absolute("HOME") ?? FilePath(home)).appending(".config")
    return base.appending("droneforge")
  }

  /// What a folder holds, in alphabetical order; nothing where there is none.
  public static func names(in path: FilePath) throws -> [String] {
    guard exists(path) else { return [] }
    return try fileOperation(path, "Check its permissions") {
      try FileManager.default.contentsOfDirectory(atPath: path.string).sorted()
    }
  }

  /// Makes a folder for its owner alone (0700).
  public static func make(_ path: FilePath) throws {
    try makeFolder(path)
    try fileOperation(path, "Check its permissions") {
      guard chmod(path.string, 0o700) == 0 else { throw Errno(rawValue: errno) }
    }
  }

  /// Throws a sentence when anybody but the owner can do anything with a file or folder, or when it is somebody else's.
  ///
  /// - Parameters:
  ///   - mode: what it should have, in octal.
  ///   - key: whose key it is or holds: `the cluster's key`.
  ///   - remedy: what to do when somebody may have read it, as a sentence.
  public static func requirePrivate(_ path: FilePath, mode: String, key: String, remedy: String) throws {
    var look = stat()
    try fileOperation(path, "Restore it from your backup") {
      guard lstat(path.string, &look) == 0 else { throw Errno(rawValue: errno) }
    }
    guard [S_IFREG, S_IFDIR].contains(look.st_mode & S_IFMT) else {
      throw BuildError.input("\(path) is neither a file nor a folder; \(key) cannot be a link.")
    }
    guard look.st_mode & 0o077 == 0 else {
      throw BuildError.input(
        "\(path) has mode \(String(look.st_mode & 0o777, radix: 8)), so others may have read \(key). If nobody"
          + " has: chmod \(mode) \(path). If somebody may have: \(remedy)")
    }
    guard look.st_uid == geteuid() || geteuid() == 0 else {
      throw BuildError.input("\(path) belongs to another user (\(look.st_uid)). Build as that user.")
    }
  }
}
