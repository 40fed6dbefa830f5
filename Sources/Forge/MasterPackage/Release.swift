import SystemPackage
import Workshop

/// The newest entry of a changelog (deb-changelog(5)).
struct Release: Equatable {
  let version: String
  let maintainer: String
  /// Seconds since 1970.
  let date: UInt32

  /// Has dpkg-parsechangelog read the file.
  init(changelog: FilePath) async throws {
    let lines = String(
      decoding: try await tool("dpkg-parsechangelog", ["--file", changelog.string]).output(), as: UTF8.self
    ).split(whereSeparator: \.isNewline)
    func field(_ name: String) throws -> String {
      guard let line = lines.first(where: { $0.hasPrefix("\(name): ") }) else {
        throw BuildError.input("The newest entry of \(changelog) has no \(name.lowercased()).")
      }
      return String(line.dropFirst(name.count + 2))
    }
    version = try field("Version")
    maintainer = try field("Maintainer")
    guard let date = UInt32(try field("Timestamp")) else {
      throw BuildError.input("The newest entry of \(changelog) has no date that dpkg understands.")
    }
    self.date = date
  }
}
