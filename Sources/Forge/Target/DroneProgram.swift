import SystemPackage

/// A program of the project that was built for a target.
public struct DroneProgram: Sendable {
  public let place: ProgramPlace
  /// As it goes into an image or a package.
  public let stripped: FilePath
  /// The same program with symbols, for the disassembler.
  public let unstripped: FilePath

  public init(_ place: ProgramPlace, stripped: FilePath, unstripped: FilePath) {
    self.place = place
    self.stripped = stripped
    self.unstripped = unstripped
  }
}
