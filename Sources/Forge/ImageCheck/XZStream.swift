/// What the kernel's unpacker needs to know of an XZ stream before it begins: the check and the dictionary.
///
/// Read from the end, as the format is made for (The .xz File Format 1.1.0, §2.1.2, §4); libarchive looks at the data and
/// its checks.
struct XZStream: Equatable {
  /// The check's identifier (§2.1.1.2): 0 none, 1 CRC32, 4 CRC64, 10 SHA-256.
  var check: UInt8
  /// Each block's filters, in the order they were applied.
  var blocks: [[Filter]]

  enum Filter: Equatable {
    /// LZMA2 with this many bytes of dictionary (§5.3.1).
    case lzma2(dictionary: UInt64)
    /// Any other filter's identifier.
    case other(UInt64)
  }

  static let magic: [UInt8] = [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]

  /// Reads every stream of a file; nil when the bytes are no XZ file from end to end.
  static func all(_ bytes: some ByteSource) -> [XZStream]? {
    var streams: [XZStream] = []
    var end = bytes.count
    while end > 0 {
      // Padding between streams: groups of four zeros (§2.2).
      if bytes.part(end - 4, 4)?.allSatisfy({ $0 == 0 }) == true {
        end -= 4
        continue
      }
      guard let (stream, start) = last(bytes, end) else { return nil }
      streams.insert(stream, at: 0)
      end = start
    }
    return streams.isEmpty ? nil : streams
  }

  /// The stream that ends at `end`, and where it begins.
  private static func last(_ bytes: some ByteSource, _ end: Int) -> (XZStream, Int)? {
    // Footer: CRC32, backward size, flags, "YZ".
    guard bytes.has("YZ", at: end - 2), let backward = bytes.long(end - 8), let flags = bytes.part(end - 4, 2) else {
      return nil
    }
    let indexSize = (Int(backward) + 1) * 4
    var position = end - 12 - indexSize
    guard position >= 12, bytes.byte(position) == 0 else { return nil }
    let index = position
    position += 1
    guard let count = number(bytes, &position), count <= UInt64(indexSize) else { return nil }
    var sizes: [Int] = []
    for _ in 0..<Int(count) {
      guard let unpadded = number(bytes, &position), number(bytes, &position) != nil, unpadded <= UInt64(index) else {
        return nil
      }
      sizes.append((Int(unpadded) + 3) / 4 * 4)
    }
    guard let length = sum(sizes, limit: index) else { return nil }
    let start = index - length - 12
    guard start >= 0, bytes.part(start, 6)?.elementsEqual(magic) == true,
      bytes.part(start + 6, 2)?.elementsEqual(flags) == true
    else { return nil }
    var stream = XZStream(check: flags[flags.startIndex + 1] & 0x0F, blocks: [])
    var block = start + 12
    for size in sizes {
      guard let filters = filters(bytes, block) else { return nil }
      stream.blocks.append(filters)
      block += size
    }
    return (stream, start)
  }

  private static func sum(_ sizes: [Int], limit: Int) -> Int? {
    var sum = 0
    for size in sizes {
      sum += size
      guard sum <= limit else { return nil }
    }
    return sum
  }

  /// A block header's filters (§3.1).
  private static func filters(_ bytes: some ByteSource, _ start: Int) -> [Filter]? {
    guard let size = bytes.byte(start), size != 0, let flags = bytes.byte(start + 1) else { return nil }
    let end = start + (Int(size) + 1) * 4
    var position = start + 2
    for bit: UInt8 in [0x40, 0x80] where flags & bit != 0 {
      guard number(bytes, &position) != nil else { return nil }
    }
    var filters: [Filter] = []
    for _ in 0...flags & 3 {
      guard let identifier = number(bytes, &position), let length = number(bytes, &position),
        length <= 1024, position + Int(length) <= end
      else { return nil }
      if identifier == 0x21, length == 1, let byte = bytes.byte(position) {
        guard byte & 0xC0 == 0, byte & 0x3F <= 40 else { return nil }
        let bits = UInt64(byte & 0x3F)
        let size = bits == 40 ? UInt64(UInt32.max) : (2 | bits & 1) << (bits / 2 + 11)
        filters.append(.lzma2(dictionary: size))
      } else {
        filters.append(.other(identifier))
      }
      position += Int(length)
    }
    return filters
  }

  /// A number of seven bits a byte, the lowest first, at most nine bytes (§1.2).
  private static func number(_ bytes: some ByteSource, _ position: inout Int) -> UInt64? {
    var value: UInt64 = 0
    for place in 0..<9 {
      guard let byte = bytes.byte(position) else { return nil }
      position += 1
      value |= UInt64(byte & 0x7F) << UInt64(7 * place)
      if byte & 0x80 == 0 { return place > 0 && byte == 0 ? nil : value }
    }
    return nil
  }
}

/// Checks how the root is compressed: a check sum that the kernel's unpacker knows, only filters that the
/// unpacker knows besides LZMA2, and all that
/// is in memory while it unpacks – the kernel, the archive, its dictionary, the root – within three quarters of the
/// smallest memory, since a kernel without room finds no init and does not say why.
///
/// `memory` and `kernel` in bytes; `filters` by their identifiers.
func checkCompression(
  _ archive: some ByteSource, unpacked: Int, kernel: Int, memory: Int, filters: Set<UInt64>, at place: String
) -> [Finding] {
  guard let streams = XZStream.all(archive) else {
    return [Finding(.compression, place, "it is not an XZ file from its beginning to its end")]
  }
  var findings: [Finding] = []
  func wrong(_ reason: String) { findings.append(Finding(.compression, place, reason)) }
  var dictionary: UInt64 = 0
  for stream in streams {
    if stream.check > 1 { wrong("its check has type \(stream.check), and the kernel knows only CRC32 (1)") }
    if stream.check == 0 { wrong("it has no check, so damage would go unseen") }
    for filter in stream.blocks.joined() {
      switch filter {
      case .lzma2(let size): dictionary = max(dictionary, size)
      case .other(let identifier):
        if !filters.contains(identifier) { wrong("it uses filter \(identifier), which the kernel's unpacker lacks") }
      }
    }
  }
  let needed = Int(dictionary) + kernel + archive.count + unpacked
  if needed > memory / 4 * 3 {
    let mebibytes = { (bytes: Int) in (bytes + (1 << 20) - 1) >> 20 }
    wrong(
      "unpacking takes \(mebibytes(needed)) MiB with its dictionary of \(mebibytes(Int(dictionary))) MiB, too much where"
        + " there are \(memory >> 20)")
  }
  return findings
}
