import Bytes

/// What names a node of a cluster: its id as `showmap` shows it (`0x010b`, or decimal), or its address.
public enum NodeReference: Hashable, Sendable {
  case id(UInt16)
  case address(IPv4Address)

  public init?(_ text: [UInt8]) {
    if text.starts(with: [UInt8]("0x")), let number = hexadecimalNumber(text.dropFirst(2)),
      let id = UInt16(exactly: number)
    {
      self = .id(id)
    } else if let number = decimal(text), let id = UInt16(exactly: number) {
      self = .id(id)
    } else if let address = IPv4Address(text: text) {
      self = .address(address)
    } else {
      return nil
    }
  }

  /// Several with commas between them; nil if one is none, or there is none.
  public static func list(_ text: [UInt8]) -> [NodeReference]? {
    var nodes: [NodeReference] = []
    for part in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      guard let node = NodeReference([UInt8](part)) else { return nil }
      nodes.append(node)
    }
    return nodes.isEmpty ? nil : nodes
  }

  public static func text(_ nodes: [NodeReference]) -> [UInt8] {
    var out: [UInt8] = []
    for node in nodes {
      if !out.isEmpty { out.append(UInt8(ascii: ",")) }
      switch node {
      case .id(let id): out += idText(id)
      case .address(let address): out += address.text
      }
    }
    return out
  }
}
