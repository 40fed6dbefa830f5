/// What follows a message's header, being written: a fixed structure, then attributes (`struct nlattr`: length and type
/// of two bytes each, the value, zeros up to a multiple of four).
public struct MessageBody: Equatable, Sendable {
  public private(set) var bytes: [UInt8]
  /// An attribute's value did not fit the 65,531 bytes that its length field can state: the body must not be sent.
  public private(set) var overflowed = false

  /// Starts with the fixed structure of the message's family.
  public init(_ structure: [UInt8] = []) { bytes = structure }

  /// Appends an attribute with a value as it is.
  public mutating func attribute(_ type: UInt16, _ value: [UInt8]) {
    let length = 4 + value.count
    guard length <= Int(UInt16.max) else {
      overflowed = true
      return
    }
    bytes += UInt16(length).nativeBytes
    bytes += type.nativeBytes
    bytes += value
    while bytes.count % 4 != 0 { bytes.append(0) }
  }

  /// Appends an attribute with text and the zero that ends it.
  public mutating func attribute(_ type: UInt16, text: [UInt8]) { attribute(type, text + [0]) }

  /// Appends a number in the machine's order, as rtnetlink has them.
  public mutating func attribute(_ type: UInt16, native value: UInt32) { attribute(type, value.nativeBytes) }

  /// Appends a number in network order, as nf_tables has them.
  public mutating func attribute(_ type: UInt16, bigEndian value: UInt32) { attribute(type, value.bigEndianBytes) }
  public mutating func attribute(_ type: UInt16, bigEndian value: UInt64) { attribute(type, value.bigEndianBytes) }

  /// Appends an attribute that holds attributes; its type carries NLA_F_NESTED.
  public mutating func nested(_ type: UInt16, _ content: (inout MessageBody) -> Void) {
    var inner = MessageBody()
    content(&inner)
    overflowed = overflowed || inner.overflowed
    attribute(type | Attribute.nestedFlag, inner.bytes)
  }
}
