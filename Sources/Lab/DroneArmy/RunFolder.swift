import Foundation
import SystemPackage
import Workshop

/// Where a running army can be found by a second command of the same user: a private folder (0700) with its control socket.
/// One army holds it at a time, and removes it when it ends.
public struct RunFolder: Sendable {
  public let path: FilePath

  public init(_ path: FilePath) { self.path = path }

  /// `$XDG_RUNTIME_DIR/droneforge-army`, or `/tmp/droneforge-army-UID` without one or where a socket's path would be too long.
  public init(
    environment: [String: String] = ProcessInfo.processInfo.environment, user: UInt32 = geteuid(),
    exists: (String) -> Bool = { FileManager.default.fileExists(atPath: $0) }
  ) {
    let runtime = environment["XDG_RUNTIME_DIR"].flatMap { $0.hasPrefix("/") && exists($0) ? $0 : nil }
    let inRuntime = runtime.map { RunFolder(FilePath($0).appending("droneforge-army")) }
    self = inRuntime.flatMap { $0.isShort ? $0 : nil } ?? RunFolder(FilePath("/tmp/droneforge-army-\(user)"))
  }

  /// A socket's path has at most 107 bytes (unix(7)).
  private var isShort: Bool { socket.string.utf8.count <= 107 }

  /// Throws a sentence when no socket can be there.
  func requireShort() throws {
    guard isShort else {
      throw BuildError.input(
        "\(path) is too long for the army's socket in it, whose path has at most 107 bytes. Name a shorter --run-folder."
      )
    }
  }

  public var socket: FilePath { path.appending("control") }

  /// Makes the folder, or reuses the one of an army that was killed. Throws a sentence when an army is there, or when the
  /// folder is not this user's alone.
  func take() throws -> HeldRunFolder {
    try requireShort()
    let made = mkdir(path.string, 0o700)
    guard made == 0 || errno == EEXIST else {
      throw BuildError.file(
        path: path.string, reason: String(cString: strerror(errno)), remedy: "Name another with --run-folder.")
    }
    try requirePrivate()
    let descriptor = open(path.string, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      if descriptor >= 0 { close(descriptor) }
      throw BuildError.input(
        "An army is running already: `droneforge army status` shows it. A second one needs a --run-folder of its own.")
    }
    unlink(socket.string)
    return HeldRunFolder(self, descriptor)
  }

  /// Throws a sentence when anybody else could have put something there.
  public func requirePrivate() throws {
    var look = stat()
    guard lstat(path.string, &look) == 0 else {
      throw BuildError.input("No army is running. `make army` starts one.")
    }
    guard look.st_mode & S_IFMT == S_IFDIR, look.st_uid == geteuid(), look.st_mode & 0o077 == 0 else {
      throw BuildError.input("\(path) is not a folder of yours alone. Remove it, or name another with --run-folder.")
    }
  }
}

/// The folder of the army that runs here.
final class HeldRunFolder {
  let folder: RunFolder
  private let lock: Int32

  fileprivate init(_ folder: RunFolder, _ lock: Int32) {
    self.folder = folder
    self.lock = lock
  }

  deinit {
    unlink(folder.socket.string)
    rmdir(folder.path.string)
    close(lock)
  }
}
