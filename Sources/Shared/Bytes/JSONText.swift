/// Writes JSON (RFC 8259) without white space. Commas come by themselves: whoever writes says only what is in what.
///
///     var json = JSONText()
///     json.object { json in json.member("id", idText(7)) }
public struct JSONText: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  /// Braces, and between them what `body` writes; as the member `name` of an object when one is given.
  public mutating func object(_ name: StaticString? = nil, _ body: (inout JSONText) -> Void) {
    begin(name)
    bytes.append(UInt8(ascii: "{"))
    body(&self)
    bytes.append(UInt8(ascii: "}"))
  }

  /// A member that is an array, with what `body` writes for each of the values.
  public mutating func array<Value>(_ name: StaticString, of values: [Value], _ body: (inout JSONText, Value) -> Void) {
    begin(name)
    bytes.append(UInt8(ascii: "["))
    for value in values { body(&self, value) }
    bytes.append(UInt8(ascii: "]"))
  }

  /// A string by itself, in an array.
  public mutating func string(_ text: [UInt8]) {
    begin(nil as [UInt8]?)
    quote(text)
  }

  /// A member that is a string. A byte that is not printable ASCII becomes a question mark.
  public mutating func member(_ name: StaticString, _ text: [UInt8]) {
    begin(name)
    quote(text)
  }

  public mutating func member(_ name: StaticString, _ word: StaticString) { member(name, [UInt8](word)) }

  public mutating func member(_ name: StaticString, number: UInt64) { member(named: [UInt8](name), number: number) }

  public mutating func member(_ name: StaticString, signed number: some SignedInteger & FixedWidthInteger) {
    begin(name)
    bytes += decimalText(number)
  }

  /// A member whose name is known only at run time.
  public mutating func member(named name: [UInt8], number: UInt64) {
    begin(name)
    appendDecimal(number, to: &bytes)
  }

  /// A member that is a number with one place behind the point.
  public mutating func member(_ name: StaticString, tenths: UInt64) {
    begin(name)
    bytes += decimalText(tenths, places: 1)
  }

  /// A member that is a number with two places behind the point.
  public mutating func member(_ name: StaticString, hundredths: UInt64) {
    begin(name)
    bytes += decimalText(hundredths, places: 2)
  }

  public mutating func null(_ name: StaticString) {
    begin(name)
    bytes += [UInt8]("null")
  }

  public mutating func member(_ name: StaticString, flag: Bool) {
    begin(name)
    bytes += flag ? [UInt8]("true") : [UInt8]("false")
  }

  private mutating func begin(_ name: StaticString?) { begin(name.map { [UInt8]($0) }) }

  private mutating func begin(_ name: [UInt8]?) {
    if let last = bytes.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "["), last != UInt8(ascii: ":") {
      bytes.append(UInt8(ascii: ","))
    }
    guard let name else { return }
    quote(name)
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func quote(_ text: [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
      bytes.append(printable(byte))
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
