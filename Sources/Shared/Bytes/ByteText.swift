/// Text for people with values in it, put together as ASCII bytes: `[UInt8]("\(count) of \(most) nodes")`. What the compiler makes of
/// it calls nothing of `String`.
public struct ByteText: ExpressibleByStringInterpolation {
  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var bytes: [UInt8] = []

    public init(literalCapacity: Int, interpolationCount: Int) {}

    // One call for each piece: inlined, a message is larger than one of sums of arrays.
    @inline(never) public mutating func appendLiteral(_ literal: StaticString) {
      literal.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    @inline(never) public mutating func appendInterpolation(_ text: [UInt8]) { bytes += text }

    /// In decimal.
    public mutating func appendInterpolation(_ number: some FixedWidthInteger) {
      appendInterpolation(decimalText(number))
    }
  }

  fileprivate let bytes: [UInt8]

  public init(stringLiteral literal: StaticString) { bytes = [UInt8](literal) }

  public init(stringInterpolation: StringInterpolation) { bytes = stringInterpolation.bytes }
}

extension Array where Element == UInt8 {
  /// Text with values in it. A literal without any is `init(_: StaticString)`'s.
  @_disfavoredOverload public init(_ text: ByteText) { self = text.bytes }
}
