import Bytes

/// An output in whole lines, each with the line of its job and a tab in front.
public struct TaggedLines: Sendable {
  private let tag: [UInt8]
  private var open: [UInt8] = []

  /// A longer line is shown in several.
  static let longest = 64 << 10

  public init(_ line: [UInt8]) { tag = line.map(printable) + [UInt8(ascii: "\t")] }

  /// What can be shown now.
  public mutating func take(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var rest = bytes[...]
    while let line = rest.takeLine() { append(line, to: &out) }
    open += rest
    if open.count >= TaggedLines.longest { append([], to: &out) }
    return out
  }

  /// The rest, which no line feed has ended.
  public mutating func end() -> [UInt8] {
    var out: [UInt8] = []
    if !open.isEmpty { append([], to: &out) }
    return out
  }

  private mutating func append(_ line: ArraySlice<UInt8>, to out: inout [UInt8]) {
    out += tag
    out += open
    out += line
    out.append(UInt8(ascii: "\n"))
    open = []
  }
}
