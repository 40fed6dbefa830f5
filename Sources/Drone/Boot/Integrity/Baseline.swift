import Bytes

/// What one path of the root must be, as the image's manifest sealed it.
public struct BaselineEntry: Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    /// `digest`: of the content (`ContentDigest`), 32 bytes.
    case file(size: UInt64, digest: [UInt8])
    case directory
    case symbolicLink(target: [UInt8])
    case characterDevice(major: UInt32, minor: UInt32)
    case blockDevice(major: UInt32, minor: UInt32)
  }

  /// Absolute, without a trailing slash; the root itself is `/`.
  public var path: [UInt8]
  public var kind: Kind
  /// Permission bits with setuid, setgid and sticky: 0–0o7777.
  public var mode: UInt32
  public var owner: UInt32
  public var group: UInt32

  public init(path: [UInt8], kind: Kind, mode: UInt32, owner: UInt32 = 0, group: UInt32 = 0) {
    self.path = path
    self.kind = kind
    self.mode = mode
    self.owner = owner
    self.group = group
  }
}

/// Every path of the root with what it must be: made from the image's manifest, sealed into the image, and read once by
/// certaintyd before the network is up.
///
/// As text, one line an entry, in the manifest's order, fields separated by one space, mode in octal:
///
///     droneforge-baseline 2
///     d 755 0 0 /etc
///     f 644 0 0 1234 ‹64 hexadecimal digits› /etc/passwd
///     l 777 0 0 /bin/ls‹tab›busybox
///     c 600 0 0 5:1 /dev/console
///     end 4
///
/// The heading's number changes with the digest or the layout, so that no reader takes one for another. The last line counts
/// the entries, so that a cut file is never taken for a whole one. The baseline's own file is not in it, because it cannot
/// hold its own digest: whoever reads it adds it with `sealed`.
public struct Baseline: Equatable, Sendable {
  public var entries: [BaselineEntry]

  public init(entries: [BaselineEntry]) { self.entries = entries }

  /// Where a baseline lies in the image.
  public static let path: StaticString = "/etc/baseline"
  /// Bytes of it that are read, about 120,000 entries.
  public static let largest = 16 << 20
  /// Permission bits of that file.
  public static let mode: UInt32 = 0o644
  private static let heading: StaticString = "droneforge-baseline 2"

  /// Nil when a path or a link's target holds a byte that the text cannot (tab, newline, NUL).
  public var text: [UInt8]? {
    var out = [UInt8](Self.heading)
    out.append(newline)
    for entry in entries {
      guard entry.path.first == slash, isPlain(entry.path) else { return nil }
      switch entry.kind {
      case .file: out.append(UInt8(ascii: "f"))
      case .directory: out.append(UInt8(ascii: "d"))
      case .symbolicLink: out.append(UInt8(ascii: "l"))
      case .characterDevice: out.append(UInt8(ascii: "c"))
      case .blockDevice: out.append(UInt8(ascii: "b"))
      }
      out.append(space)
      appendOctal(entry.mode, to: &out)
      out.append(space)
      appendDecimal(UInt64(entry.owner), to: &out)
      out.append(space)
      appendDecimal(UInt64(entry.group), to: &out)
      out.append(space)
      switch entry.kind {
      case .file(let size, let digest):
        appendDecimal(size, to: &out)
        out.append(space)
        out += hexadecimalText(digest)
        out.append(space)
      case .characterDevice(let major, let minor), .blockDevice(let major, let minor):
        appendDecimal(UInt64(major), to: &out)
        out.append(UInt8(ascii: ":"))
        appendDecimal(UInt64(minor), to: &out)
        out.append(space)
      case .directory, .symbolicLink: break
      }
      out += entry.path
      if case .symbolicLink(let target) = entry.kind {
        guard isPlain(target) else { return nil }
        out.append(tab)
        out += target
      }
      out.append(newline)
    }
    out += [UInt8]("end ")
    appendDecimal(UInt64(entries.count), to: &out)
    out.append(newline)
    return out
  }

  /// What is wrong with a baseline's text.
  public enum ParseError: Error, Equatable {
    /// The first line is not this format's heading.
    case heading
    /// The line with this number, from 1, is not an entry.
    case line(Int)
    /// The last line is missing, or counts other than there are.
    case cut
  }

  /// Reads a baseline's text; every byte of it must be accounted for.
  public init(text: [UInt8]) throws(ParseError) {
    var rest = text[...]
    guard let first = rest.takeLine(), first.spells(Self.heading) else { throw .heading }
    var entries: [BaselineEntry] = []
    var number = 1
    while let line = rest.takeLine() {
      number += 1
      if line.starts(with: [UInt8]("end ")) {
        guard decimal(line.dropFirst(4)) == UInt64(entries.count), rest.isEmpty else { throw .cut }
        self.entries = entries
        return
      }
      guard var entry = BaselineEntry(line: line), !entry.path.spells(Self.path) else { throw .line(number) }
      // Hundreds of links lead to BusyBox: equal neighbours share their bytes.
      if case .symbolicLink(let target) = entry.kind, case .symbolicLink(let last) = entries.last?.kind, target == last
      {
        entry.kind = .symbolicLink(target: last)
      }
      entries.append(entry)
    }
    throw .cut
  }

  /// Reads a baseline's text and adds the file that it came from, so that this is watched as well. `digest`: the text's.
  public static func sealed(_ text: [UInt8], digest: [UInt8]) throws(ParseError) -> Baseline {
    var baseline = try Baseline(text: text)
    let kind = BaselineEntry.Kind.file(size: UInt64(text.count), digest: digest)
    baseline.entries.append(BaselineEntry(path: [UInt8](path), kind: kind, mode: mode))
    return baseline
  }
}

extension BaselineEntry {
  fileprivate init?(line: ArraySlice<UInt8>) {
    var rest = line
    func next() -> ArraySlice<UInt8>? { rest.take(before: space) }
    guard let letter = next(), letter.count == 1, let mode = next().flatMap(octal), mode <= 0o7777,
      let owner = next().flatMap(decimal32), let group = next().flatMap(decimal32)
    else { return nil }
    let kind: Kind
    switch letter.first {
    case UInt8(ascii: "d"): kind = .directory
    case UInt8(ascii: "f"):
      guard let size = next().flatMap({ decimal($0) }), let digest = next().flatMap(digestBytes) else {
        return nil
      }
      kind = .file(size: size, digest: digest)
    case UInt8(ascii: "l"):
      guard let gap = rest.firstIndex(of: tab), isPlain(rest[(gap + 1)...]) else { return nil }
      kind = .symbolicLink(target: [UInt8](rest[(gap + 1)...]))
      rest = rest[..<gap]
    case UInt8(ascii: "c"), UInt8(ascii: "b"):
      guard let numbers = next(), let colon = numbers.firstIndex(of: UInt8(ascii: ":")),
        let major = decimal32(numbers[..<colon]), let minor = decimal32(numbers[(colon + 1)...])
      else { return nil }
      kind =
        letter.first == UInt8(ascii: "c")
        ? .characterDevice(major: major, minor: minor) : .blockDevice(major: major, minor: minor)
    default: return nil
    }
    guard rest.first == slash, isPlain(rest) else { return nil }
    self.init(path: [UInt8](rest), kind: kind, mode: mode, owner: owner, group: group)
  }
}

private let space = UInt8(ascii: " ")
private let tab = UInt8(ascii: "\t")
private let newline = UInt8(ascii: "\n")
private let slash = UInt8(ascii: "/")

private func isPlain(_ bytes: some Collection<UInt8>) -> Bool {
  !bytes.isEmpty && bytes.allSatisfy { $0 != tab && $0 != newline && $0 != 0 }
}

private func octal(_ text: ArraySlice<UInt8>) -> UInt32? {
  guard !text.isEmpty, text.count <= 6 else { return nil }
  var value: UInt32 = 0
  for byte in text {
    guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "7") else { return nil }
    value = value << 3 | UInt32(byte - UInt8(ascii: "0"))
  }
  return value
}

func appendOctal(_ value: UInt32, to out: inout [UInt8]) {
  var shift: UInt32 = 12
  while shift > 0, value >> shift == 0 { shift -= 3 }
  while true {
    out.append(UInt8(ascii: "0") + UInt8(value >> shift & 7))
    if shift == 0 { return }
    shift -= 3
  }
}

private func decimal32(_ text: ArraySlice<UInt8>) -> UInt32? { decimal(text).flatMap { UInt32(exactly: $0) } }

/// A digest in 64 hexadecimal digits.
func digestBytes(_ text: ArraySlice<UInt8>) -> [UInt8]? { hexadecimalBytes(text, count: 32) }
