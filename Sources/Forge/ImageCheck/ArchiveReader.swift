import CArchive
import Foundation

/// libarchive's reader of one archive, which asks for the archive's bytes as it goes.
final class ArchiveReader {
  /// Bytes that are read at a time.
  static let block = 1 << 18

  private let reader: OpaquePointer
  private let input: Input
  private let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: block, alignment: 16)

  /// - Parameter formats: says what the archive may be.
  convenience init(
    reading bytes: some ByteSource, formats: (OpaquePointer) -> Int32
  ) throws(ArchiveError) { try self.init(Input(bytes), formats) }

  /// Of an archive that can only be read from its beginning to its end.
  convenience init(
    reading blocks: BlockQueue, formats: (OpaquePointer) -> Int32
  ) throws(ArchiveError) { try self.init(Input(blocks), formats) }

  private init(_ input: Input, _ formats: (OpaquePointer) -> Int32) throws(ArchiveError) {
    guard let reader = archive_read_new() else { throw ArchiveError(reason: "libarchive has no memory") }
    self.reader = reader
    self.input = input
    _ = formats(reader)
    archive_read_set_callback_data(reader, Unmanaged.passUnretained(input).toOpaque())
    archive_read_set_read_callback(reader) { _, data, place in
      guard let data, let place else { return -1 }
      return Unmanaged<Input>.fromOpaque(data).takeUnretainedValue().read(place)
    }
    if input.bytes != nil {
      archive_read_set_seek_callback(reader) { _, data, offset, whence in
        guard let data else { return Int64(ARCHIVE_FATAL) }
        return Unmanaged<Input>.fromOpaque(data).takeUnretainedValue().seek(offset, whence)
      }
      archive_read_set_skip_callback(reader) { _, data, count in
        guard let data else { return 0 }
        return Unmanaged<Input>.fromOpaque(data).takeUnretainedValue().skip(count)
      }
    }
    guard archive_read_open1(reader) == ARCHIVE_OK else { throw failure }
  }

  deinit {
    archive_read_free(reader)
    piece.deallocate()
  }

  /// The next member's header; nil at the archive's end. It is valid until the next one is asked for.
  func nextHeader() throws(ArchiveError) -> OpaquePointer? {
    var entry: OpaquePointer?
    let status = archive_read_next_header(reader, &entry)
    if status == ARCHIVE_EOF { return nil }
    guard status == ARCHIVE_OK, let entry else { throw failure }
    return entry
  }

  /// The next bytes of the member's content, empty at its end. They are valid until the next are asked for.
  func nextPiece() throws(ArchiveError) -> UnsafeRawBufferPointer {
    let count = archive_read_data(reader, piece.baseAddress, piece.count)
    guard count >= 0 else { throw failure }
    return UnsafeRawBufferPointer(rebasing: piece[..<count])
  }

  /// Where the last header begins.
  var headerPosition: Int { Int(archive_read_header_position(reader)) }

  var isXZ: Bool { archive_filter_code(reader, 0) == ARCHIVE_FILTER_XZ }

  private var failure: ArchiveError {
    if let failure = input.failure { return failure }
    return ArchiveError(reason: archive_error_string(reader).map { String(cString: $0) } ?? "it ends too early")
  }

  /// What libarchive reads from.
  private final class Input {
    /// Nil when there are only `blocks`.
    let bytes: (any ByteSource)?
    private let blocks: BlockQueue?
    private var offset = 0
    private(set) var failure: ArchiveError?
    /// What the last call of `read` gave, which libarchive looks at until the next.
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: block, alignment: 16)

    init(_ bytes: some ByteSource) { (self.bytes, blocks) = (bytes, nil) }
    init(_ blocks: BlockQueue) { (bytes, self.blocks) = (nil, blocks) }
    deinit { buffer.deallocate() }

    func read(_ place: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int {
      do throws(ArchiveError) {
        let piece: ArraySlice<UInt8>
        if let bytes {
          guard let part = bytes.part(offset, min(block, max(0, bytes.count - offset))) else {
            throw ArchiveError(reason: "it cannot be read at byte \(offset)")
          }
          piece = part
        } else {
          piece = try blocks?.next()[...] ?? []
        }
        offset += piece.count
        buffer.copyBytes(from: piece)
        place.pointee = UnsafeRawPointer(buffer.baseAddress)
        return piece.count
      } catch {
        failure = error
        return -1
      }
    }

    func seek(_ distance: Int64, _ whence: Int32) -> Int64 {
      let base =
        switch whence {
        case SEEK_SET: 0
        case SEEK_CUR: offset
        default: bytes?.count ?? 0
        }
      let (sum, overflow) = Int64(base).addingReportingOverflow(distance)
      guard !overflow, sum >= 0, sum <= Int64(bytes?.count ?? 0) else { return Int64(ARCHIVE_FATAL) }
      offset = Int(sum)
      return sum
    }

    func skip(_ count: Int64) -> Int64 {
      let skipped = min(max(0, count), Int64((bytes?.count ?? 0) - offset))
      offset += Int(skipped)
      return skipped
    }
  }
}

/// Bytes that come block by block, of which the last can be taken once more: libarchive asks for more than an archive has
/// when another follows.
final class BlockQueue {
  private let pull: () throws(ArchiveError) -> [UInt8]
  /// The last blocks, up to `position`.
  private var recent: [[UInt8]] = []
  /// What comes before anything new.
  private var returned: [UInt8] = []
  /// Bytes that were given out and not taken back.
  private(set) var position = 0

  /// - Parameter pull: gives the next block; an empty one at the end.
  init(_ pull: @escaping () throws(ArchiveError) -> [UInt8]) { self.pull = pull }

  /// The next block; an empty one at the end.
  func next() throws(ArchiveError) -> [UInt8] {
    let block = returned.isEmpty ? try pull() : Array(returned.prefix(ArchiveReader.block))
    if !returned.isEmpty { returned.removeFirst(block.count) }
    position += block.count
    recent.append(block)
    if recent.count > 3 { recent.removeFirst() }
    return block
  }

  func begins(with text: StaticString) throws(ArchiveError) -> Bool {
    var start: [UInt8] = []
    while start.count < text.utf8CodeUnitCount {
      let block = try next()
      if block.isEmpty { break }
      start += block
    }
    goBack(to: position - start.count)
    return start.has(text, at: 0)
  }

  /// Bytes that were given out a short while ago; nil when they were not, or it is too long ago.
  func given(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>? {
    let all = recent.flatMap(\.self)
    return all.part(offset - (position - all.count), count)
  }

  /// Takes back what was given out from `offset` on, as far as it is still there.
  func goBack(to offset: Int) {
    let all = recent.flatMap(\.self)
    let count = min(max(0, position - offset), all.count)
    returned = all.suffix(count) + returned
    recent = [Array(all.dropLast(count))]
    position -= count
  }

  /// Passes over zeros; false when nothing else is left.
  func skipZeros() throws(ArchiveError) -> Bool {
    while true {
      let block = try next()
      if block.isEmpty { return false }
      guard let start = block.firstIndex(where: { $0 != 0 }) else { continue }
      goBack(to: position - (block.count - start))
      return true
    }
  }
}
