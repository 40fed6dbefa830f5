import Workshop

/// A cluster's name: 1 to 32 lower-case letters, digits and dashes, the first of them no dash. So it is a folder's name
/// that needs no quotes, and no path.
public struct ClusterName: Hashable, Sendable, CustomStringConvertible {
  public let text: String

  /// Throws a sentence when the text is none.
  public init(_ text: String) throws {
    let allowed = text.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || byte == UInt8(ascii: "-")
    }
    guard allowed, (1...32).contains(text.utf8.count), !text.hasPrefix("-") else {
      throw BuildError.input(
        "\(text.debugDescription) cannot be the name of a cluster: use 1 to 32 lower-case letters, digits and dashes, a letter or"
          + " digit first.")
    }
    self.text = text
  }

  private init(known text: String) { self.text = text }

  /// The cluster that images are made for when nobody names one.
  public static let standard = ClusterName(known: "default")

  public var description: String { text }
}
