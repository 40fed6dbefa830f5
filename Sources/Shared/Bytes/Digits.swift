// Numbers as ASCII bytes. Drone code works on bytes: `String` would pull Unicode tables into the image.

/// Appends `value` in decimal.
public func appendDecimal(_ value: UInt64, to out: inout [UInt8]) {
  let start = out.count
  var rest = value
  repeat {
    // A Pentium divides 32 bits by itself, more only by a function's help.
    if let small = UInt32(exactly: rest) {
      out.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: small % 10))
      rest = UInt64(small / 10)
    } else {
      out.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    }
  } while rest > 0
  out[start...].reverse()
}

/// `value` in decimal, with a minus sign if it is negative.
public func decimalText(_ value: some FixedWidthInteger) -> [UInt8] {
  value < 0 ? signedText(UInt64(clamping: value.magnitude)) : unsignedText(UInt64(clamping: value))
}

// Called from hundreds of places: inlined, they made tyd some kilobytes larger.
@inline(never) private func unsignedText(_ value: UInt64) -> [UInt8] {
  var out: [UInt8] = []
  appendDecimal(value, to: &out)
  return out
}

@inline(never) private func signedText(_ magnitude: UInt64) -> [UInt8] {
  var out = [UInt8(ascii: "-")]
  appendDecimal(magnitude, to: &out)
  return out
}

/// A number with so many digits behind the point, one to 19: 105 with two is `1.05`.
public func decimalText(_ value: UInt64, places: Int) -> [UInt8] {
  var out = decimalText(value)
  while out.count <= places { out.insert(UInt8(ascii: "0"), at: 0) }
  out.insert(UInt8(ascii: "."), at: out.count - places)
  return out
}

/// A decimal number without sign, digits only; nil when empty, not all digits, or above `UInt64.max`.
public func decimal(_ text: some Collection<UInt8>) -> UInt64? {
  guard !text.isEmpty else { return nil }
  var value: UInt64 = 0
  for byte in text {
    guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
    let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
    let (sum, overflow) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
    guard !tooLarge, !overflow else { return nil }
    value = sum
  }
  return value
}

/// The value of one hexadecimal digit, either case; nil for any other byte.
public func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}

/// A number of one to sixteen hexadecimal digits, either case; nil for any other text.
@inline(never) public func hexadecimalNumber(_ text: ArraySlice<UInt8>) -> UInt64? {
  guard (1...16).contains(text.count) else { return nil }
  var value: UInt64 = 0
  for byte in text {
    guard let digit = hexadecimalDigit(byte) else { return nil }
    value = value << 4 | UInt64(digit)
  }
  return value
}

/// So many bytes, each of them two hexadecimal digits, either case; nil for any other text.
@inline(never) public func hexadecimalBytes(_ text: ArraySlice<UInt8>, count: Int) -> [UInt8]? {
  // Not twice the count, which may be any.
  guard text.count % 2 == 0, text.count / 2 == count else { return nil }
  var out: [UInt8] = []
  out.reserveCapacity(count)
  for place in stride(from: text.startIndex, to: text.endIndex, by: 2) {
    guard let high = hexadecimalDigit(text[place]), let low = hexadecimalDigit(text[place + 1]) else { return nil }
    out.append(high << 4 | low)
  }
  return out
}

/// Two lower-case hexadecimal digits for each byte.
@inline(never) public func hexadecimalText(_ bytes: [UInt8]) -> [UInt8] {
  var out: [UInt8] = []
  out.reserveCapacity(bytes.count &* 2)
  for byte in bytes { out += hexadecimalByte(byte) }
  return out
}

/// Two lower-case hexadecimal digits.
public func hexadecimalByte(_ byte: UInt8) -> [UInt8] {
  [byte >> 4, byte & 0xF].map { $0 < 10 ? UInt8(ascii: "0") + $0 : UInt8(ascii: "a") + $0 - 10 }
}

/// Appends a node's id as it is shown everywhere: `0x010b`.
public func appendID(_ id: UInt16, to out: inout [UInt8]) {
  out.append(UInt8(ascii: "0"))
  out.append(UInt8(ascii: "x"))
  var shift: UInt16 = 16
  while shift > 0 {
    shift &-= 4
    let digit = UInt8(truncatingIfNeeded: id >> shift & 0xF)
    out.append(digit < 10 ? UInt8(ascii: "0") &+ digit : UInt8(ascii: "a") &+ digit &- 10)
  }
}

/// A node's id as it is shown everywhere: `0x010b`.
public func idText(_ id: UInt16) -> [UInt8] {
  var out: [UInt8] = []
  appendID(id, to: &out)
  return out
}

extension Array where Element == UInt8 {
  /// The ASCII bytes of a literal.
  public init(_ literal: StaticString) {
    self = literal.withUTF8Buffer { [UInt8]($0) }
  }
}

extension Sequence where Element == UInt8 {
  /// Whether these bytes are exactly the ASCII bytes of `literal`.
  public func spells(_ literal: StaticString) -> Bool {
    literal.withUTF8Buffer { elementsEqual($0) }
  }
}
