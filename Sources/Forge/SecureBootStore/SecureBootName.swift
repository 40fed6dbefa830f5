import Workshop

/// A Secure Boot key's name: 1 to 8 lower-case letters, digits and dashes, the first of them no dash. So its certificate's
/// name is one that firmware's file systems have, `mine.cer`.
public struct SecureBootName: Hashable, Sendable, CustomStringConvertible {
  public let text: String

  /// Throws a sentence when the text is none.
  public init(_ text: String) throws {
    let allowed = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
      default: false
      }
    }
    guard allowed, (1...8).contains(text.utf8.count), !text.hasPrefix("-") else {
      throw BuildError.input(
        "\(text.debugDescription) cannot be the name of a key for Secure Boot: use 1 to 8 lower-case letters, digits and dashes, a letter or digit first."
      )
    }
    self.text = text
  }

  public var description: String { text }
}
