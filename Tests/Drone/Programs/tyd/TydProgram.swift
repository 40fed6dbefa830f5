import Foundation
import SystemPackage

/// The program as it was built for this machine beside the tests.
enum TydProgram {
  static let path = FilePath(CommandLine.arguments[0]).removingLastComponent().appending("tyd")

  static var isThere: Bool { FileManager.default.isExecutableFile(atPath: path.string) }

  /// Where Swift's libraries are that this process uses: a program with an Embedded side is not told where to look.
  static let libraries: String = {
    // A file of /proc has no size to be read by.
    let maps = String(
      decoding: FileHandle(forReadingAtPath: "/proc/self/maps")?.readDataToEndOfFile() ?? Data(), as: UTF8.self)
    let path = maps.split(whereSeparator: \.isWhitespace).first { $0.hasSuffix("/libswiftCore.so") }
    return path.map { FilePath(String($0)).removingLastComponent().string } ?? ""
  }()
}
