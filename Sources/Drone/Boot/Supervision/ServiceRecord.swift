import Bytes

/// What a program that goes to the background by itself leaves for process 1, in a file of its own in /run/services: how to
/// start it again if it ends by a fault. Lines: its process id, its file, its arguments.
public struct ServiceRecord: Equatable, Sendable {
  public let process: Int32
  public let path: [UInt8]
  /// Behind the program's name.
  public let arguments: [[UInt8]]

  public init(process: Int32, path: [UInt8], arguments: [[UInt8]]) {
    self.process = process
    self.path = path
    self.arguments = arguments
  }

  /// Nil for a text that names no process above 1 and no file by its whole path.
  public init?(_ text: [UInt8]) {
    var lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { [UInt8]($0) }
    if lines.last == [] { lines.removeLast() }
    guard lines.count >= 2, let number = decimal(lines[0]), let process = Int32(exactly: number), process > 1,
      lines[1].first == UInt8(ascii: "/")
    else { return nil }
    self.process = process
    path = lines[1]
    arguments = [[UInt8]](lines.dropFirst(2))
  }

  public var text: [UInt8] {
    var out: [UInt8] = []
    appendDecimal(UInt64(UInt32(bitPattern: process)), to: &out)
    out.append(UInt8(ascii: "\n"))
    for line in [path] + arguments { out += line + [UInt8(ascii: "\n")] }
    return out
  }
}
