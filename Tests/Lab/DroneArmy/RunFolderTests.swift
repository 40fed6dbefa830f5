import Foundation
import SystemPackage
import Testing
import Workshop

@testable import DroneArmy

@Suite struct RunFolderTests {
  private let path = FilePath(NSTemporaryDirectory()).appending("army-\(UUID())")
  private var folder: RunFolder { RunFolder(path) }
  private var isThere: Bool { FileManager.default.fileExists(atPath: path.string) }

  @Test("it is private, belongs to one army at a time, and is gone with it")
  func held() throws {
    do {
      let held = try folder.take()
      try folder.requirePrivate()
      #expect(throws: BuildError.self) { try folder.take() }
      _ = held
    }
    #expect(!isThere)
    #expect(throws: BuildError.self) { try folder.requirePrivate() }
  }

  @Test("what an army left that was killed is taken over")
  func leftover() throws {
    try FileManager.default.createDirectory(
      atPath: path.string, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    _ = FileManager.default.createFile(atPath: folder.socket.string, contents: nil)
    do { _ = try folder.take() }
    #expect(!isThere)
  }

  @Test("a folder that others may enter, or a link to elsewhere, is refused and left alone")
  func notPrivate() throws {
    try FileManager.default.createDirectory(
      atPath: path.string, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    #expect(throws: BuildError.self) { try folder.take() }
    #expect(isThere)
    try FileManager.default.removeItem(atPath: path.string)
    try FileManager.default.createSymbolicLink(atPath: path.string, withDestinationPath: NSTemporaryDirectory())
    defer { try? FileManager.default.removeItem(atPath: path.string) }
    #expect(throws: BuildError.self) { try folder.take() }
  }

  @Test("where a socket's path would be too long it is in /tmp, and one that was named is refused before it is made")
  func long() {
    // unix(7): 107 bytes, of which `/droneforge-army/control` takes 24.
    for (count, isThere) in [(20, true), (83, true), (84, false), (300, false)] {
      let runtime = "/" + String(repeating: "r", count: count - 1)
      let chosen = RunFolder(environment: ["XDG_RUNTIME_DIR": runtime], user: 7, exists: { _ in true })
      #expect(
        chosen.path.string == (isThere ? runtime + "/droneforge-army" : "/tmp/droneforge-army-7"), "\(count)")
    }
    let named = RunFolder(FilePath("/tmp/" + String(repeating: "n", count: 100)))
    for attempt in [{ _ = try named.take() }, { _ = try ArmyClient(named).give(.kill(1)) }] {
      let error = #expect(throws: BuildError.self) { try attempt() }
      #expect(error.map { "\($0)".contains("--run-folder") && "\($0)".contains("107") } == true)
    }
    #expect(!FileManager.default.fileExists(atPath: named.path.string))
  }

  @Test("it is in the user's runtime folder, or in /tmp with the user's number")
  func place() {
    #expect(
      RunFolder(environment: ["XDG_RUNTIME_DIR": "/run/user/7"], user: 7, exists: { _ in true }).path
        == "/run/user/7/droneforge-army")
    for environment in [[:], ["XDG_RUNTIME_DIR": "relative"], ["XDG_RUNTIME_DIR": "/gone"]] {
      #expect(
        RunFolder(environment: environment, user: 7, exists: { _ in false }).path == "/tmp/droneforge-army-7")
    }
  }
}
