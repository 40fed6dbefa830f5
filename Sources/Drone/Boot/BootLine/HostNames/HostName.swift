import Addresses
import Bytes

/// A host's name and, after its first dot, its domain, both known to be well formed.
///
/// A name is one label of letters, digits and hyphens, 1–63 bytes, with no hyphen at either end (RFC 952 as relaxed
/// by RFC 1123 §2.1). A domain is such labels joined by dots. The whole is at most 253 bytes (RFC 1035 §2.3.4 less
/// the two bytes that only the wire form has). Neither the name nor the domain's last label may read as a number, in
/// decimal or as `0x1f`, because inet_aton(3) would take it for an address before anybody looks it up (RFC 1123 §2.1);
/// and neither may be `localhost`, which belongs to 127.0.0.1 (RFC 6761 §6.3). Case is kept.
public struct HostName: Hashable, Sendable {
  /// The first label: `drone1` of `drone1.example.org`.
  public let name: [UInt8]
  /// What follows the first dot, without a final dot; nil when there is none.
  public let domain: [UInt8]?

  /// Why some bytes are not a host name.
  public enum Fault: Error, Hashable, Sendable {
    /// The first label breaks the rule.
    case name
    /// The first label is good, what follows the first dot is not.
    case domain
  }

  /// Reads a name with or without a domain; one final dot, as in `drone1.example.org.`, is allowed.
  public init(_ text: [UInt8]) throws(Fault) {
    let dot = text.firstIndex(of: UInt8(ascii: ".")) ?? text.endIndex
    let name = text[..<dot]
    guard HostName.isLabel(name), !HostName.isReserved(name) else { throw .name }
    let rest = text[dot...].dropFirst()
    guard !rest.isEmpty else {
      self.init(name: [UInt8](name), domain: nil)
      return
    }
    let domain = rest.last == UInt8(ascii: ".") ? rest.dropLast() : rest
    guard name.count + 1 + domain.count <= HostName.longest else { throw .domain }
    var last = domain
    for label in domain.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
      guard HostName.isLabel(label) else { throw .domain }
      last = label
    }
    guard !HostName.isReserved(last) else { throw .domain }
    self.init(name: [UInt8](name), domain: [UInt8](domain))
  }

  /// Name and domain joined by a dot; the bare name when there is no domain.
  public var full: [UInt8] {
    guard let domain else { return name }
    return name + [UInt8(ascii: ".")] + domain
  }

  /// The first of several domains between spaces that can be one. Servers give whole lists where one domain belongs (RFC 2132
  /// §3.17).
  public static func firstDomain(in text: [UInt8]) -> [UInt8]? {
    for word in text.split(separator: UInt8(ascii: " ")) {
      if let name = try? HostName([UInt8]("a.") + word), let domain = name.domain { return domain }
    }
    return nil
  }

  /// `chaos-` and the address in eight hexadecimal digits, network order: what a drone is called when nobody names it.
  public init(address: IPv4Address) {
    self.init(name: [UInt8]("chaos-") + address.hexadecimal, domain: nil)
  }

  /// The longest full name in bytes.
  public static let longest = 253

  private init(name: [UInt8], domain: [UInt8]?) {
    self.name = name
    self.domain = domain
  }

  private static func isLabel(_ label: ArraySlice<UInt8>) -> Bool {
    guard let first = label.first, let last = label.last, label.count <= 63 else { return false }
    return first != UInt8(ascii: "-") && last != UInt8(ascii: "-") && label.allSatisfy(isNameByte)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// Whether a label reads as a number or is `localhost`.
  private static func isReserved(_ label: ArraySlice<UInt8>) -> Bool {
    // Letters differ from their capitals in bit 5 only, and no other byte of a label becomes a letter by it.
    if label.lazy.map({ $0 | 0x20 }).spells("localhost") { return true }
    if label.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) { return true }
    guard label.count > 2, label.prefix(2).lazy.map({ $0 | 0x20 }).spells("0x") else { return false }
    return label.dropFirst(2).allSatisfy { hexadecimalDigit($0) != nil }
  }
}
