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
    product: "init", path: "/sbin/init",
    links: ["/bin/fix_hosts", "/sbin/certaintyd", "/sbin/filter", "/sbin/greeting", "/sbin/lease", "/sbin/network"])
  public static let tyd = ProgramPlace(
    product: "tyd", path: "/usr/sbin/tyd",
    links: ["/usr/bin/Mosmon", "/usr/bin/mosmon", "/usr/bin/mtop", "/usr/bin/showmap"])
}
