import DroneLayout

/// A program of the project, and where it belongs in a root.
public struct ProgramPlace: Sendable, Equatable {
  /// The product's name in Package.swift.
  public let product: String
  /// An absolute path.
  public let path: String
  /// The other names that it answers to: absolute paths of links.
  public let links: [String]

  public init(product: String, path: String, links: [String]) {
    self.product = product
    self.path = path
    self.links = links
  }

  public static let processOne = ProgramPlace(
    product: "init", path: "\(ProgramPath.initialization)",
    links: InitProgram.allCases.compactMap { $0.link.map { "\($0)" } })
  public static let tyd = ProgramPlace(
    product: "tyd", path: "\(ProgramPath.tyd)",
    links: ViewProgram.allCases.map { "\($0.link)" } + ["\(ViewProgram.formerMosmonLink)"]
      + WorkProgram.allCases.map { "\($0.link)" })
}
