/// A path inside an image, as bytes: names need be no text there. Sorted, a folder comes before what is in it.
///
/// What can be entered (an archive, a program of kernel and root, the EFI partition) is a folder to a path:
/// `/chaos/chaos.rdz/etc/passwd`.
public struct ImagePath: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// From the top on; none for the top itself.
  public let names: [[UInt8]]

  public static let top = ImagePath([])

  public init(_ names: [[UInt8]]) { self.names = names }

  /// A path's bytes. Empty names and `.` mean nothing; `..` stays, and leads nowhere.
  public init(bytes: some Sequence<UInt8>) {
    names = bytes.split(separator: UInt8(ascii: "/")).map { [UInt8]($0) }.filter { $0 != [UInt8(ascii: ".")] }
  }

  /// A path as a person types it, or as `description` writes it.
  public init(typed text: String) {
    self.init(ImagePath(bytes: text.utf8).names.map(unescaped))
  }

  public var isTop: Bool { names.isEmpty }

  /// The folder that it is in; the top's is the top.
  public var parent: ImagePath { ImagePath(names.dropLast()) }

  public func appending(_ path: ImagePath) -> ImagePath { ImagePath(names + path.names) }
  public func appending(_ name: [UInt8]) -> ImagePath { ImagePath(names + [name]) }

  /// Whether it is `other`, or below it.
  public func isAt(orBelow other: ImagePath) -> Bool { names.starts(with: other.names) }

  /// The folders above it, the outermost first, without the top.
  public var parents: [ImagePath] { names.indices.dropFirst().map { ImagePath([[UInt8]](names[..<$0])) } }

  /// The last name as `escaped` writes it; empty for the top.
  public var name: String { names.last.map { escaped($0) } ?? "" }

  /// Absolute; as `escaped` writes names.
  public var description: String { "/" + names.map { escaped($0) }.joined(separator: "/") }

  public static func < (one: ImagePath, other: ImagePath) -> Bool {
    one.names.lexicographicallyPrecedes(other.names) { $0.lexicographicallyPrecedes($1) }
  }
}

/// Bytes of an image as text for a terminal or a page: a backslash, and each byte that is part of no character which can be
/// shown, is `\x` and two hexadecimal digits.
public func escaped(_ bytes: [UInt8]) -> String {
  var out = ""
  var rest = bytes[...]
  while let first = rest.first {
    let piece = rest.prefix(first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4)
    if first != UInt8(ascii: "\\"), let text = String(validating: piece, as: UTF8.self),
      let scalar = text.unicodeScalars.first, isShown(scalar)
    {
      out.unicodeScalars.append(scalar)
      rest = rest.dropFirst(piece.count)
    } else {
      out += (first < 0x10 ? "\\x0" : "\\x") + String(first, radix: 16, uppercase: true)
      rest = rest.dropFirst()
    }
  }
  return out
}

/// Text that an image brought along, for a terminal: each character that cannot be shown as `escaped` writes its bytes.
public func printable(_ text: String) -> String {
  text.unicodeScalars.map { isShown($0) ? String($0) : escaped([UInt8](String($0).utf8)) }.joined()
}

/// Neither a control character nor one that changes how its neighbours are shown.
private func isShown(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
  default: true
  }
}

/// The bytes that `escaped` wrote so; what is no escape stays as it is.
private func unescaped(_ bytes: [UInt8]) -> [UInt8] {
  var out: [UInt8] = []
  var rest = bytes[...]
  while let first = rest.popFirst() {
    if first == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "x"), rest.count > 2,
      let byte = UInt8(String(decoding: rest.dropFirst().prefix(2), as: UTF8.self), radix: 16)
    {
      out.append(byte)
      rest = rest.dropFirst(3)
    } else {
      out.append(first)
    }
  }
  return out
}
