import Addresses
import Bytes

/// Where the kernel sends its own messages by UDP: one target of a `netconsole=` word.
///
///     netconsole=[+][PORT]@OWN/[CARD],[PORT]@HOST/[MAC][;…]
///
/// The word is the kernel's (Documentation/networking/netconsole.rst), which obeys it before init runs; no card has an address
/// then, so OWN must be given, although the kernel's document makes it optional. It only stands in the packets: nobody need
/// have it. The kernel finds no MAC by itself either and sends to everybody when none is given.
public struct NetconsoleTarget: Hashable, Sendable {
  /// The address and the port that the packets come from.
  public var own: IPv4Address
  public var ownPort: UInt16 = 6665
  /// Nil for eth0.
  public var card: [UInt8]?
  public var host: IPv4Address
  public var port: UInt16 = 6666
  /// Nil: the broadcast address.
  public var mac: MACAddress?

  /// Every target that the word's value names; nil when the kernel could not use it.
  static func list(_ value: [UInt8]) -> [NetconsoleTarget]? {
    var targets: [NetconsoleTarget] = []
    for text in value.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false) {
      guard let target = NetconsoleTarget(text) else { return nil }
      targets.append(target)
    }
    return targets
  }

  private init?(_ text: ArraySlice<UInt8>) {
    var text = text
    // Messages with their facts in front.
    if text.first == UInt8(ascii: "+") { text = text.dropFirst() }
    guard let comma = text.firstIndex(of: UInt8(ascii: ",")),
      let here = End(text[..<comma]), let there = End(text[(comma + 1)...])
    else { return nil }
    own = here.address
    host = there.address
    if let port = here.port { ownPort = port }
    if let port = there.port { self.port = port }
    if !here.rest.isEmpty {
      guard here.rest.count <= 15 else { return nil }
      card = [UInt8](here.rest)
    }
    if !there.rest.isEmpty {
      guard let mac = MACAddress(text: there.rest), there.rest.contains(UInt8(ascii: ":")) else { return nil }
      self.mac = mac
    }
  }

  /// `[PORT]@ADDRESS/[REST]`
  private struct End {
    var port: UInt16?
    var address: IPv4Address
    var rest: ArraySlice<UInt8>

    init?(_ text: ArraySlice<UInt8>) {
      guard let at = text.firstIndex(of: UInt8(ascii: "@")),
        let slash = text[at...].firstIndex(of: UInt8(ascii: "/")),
        let address = IPv4Address(text: text[(at + 1)..<slash]), address != .unspecified
      else { return nil }
      self.address = address
      rest = text[(slash + 1)...]
      guard at != text.startIndex else { return }
      guard let number = decimal(text[..<at]), let port = UInt16(exactly: number), port != 0 else { return nil }
      self.port = port
    }
  }
}
