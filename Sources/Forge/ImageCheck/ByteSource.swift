import Foundation
import Integrity
import SystemPackage
import Workshop

/// Bytes that can be read at any place, in memory or in a file.
protocol ByteSource: Sendable {
  var count: Int { get }
  /// The bytes from `offset`; nil when there are not `count` of them.
  func part(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>?
}

/// Numbers at any offset: nil outside the bytes.
extension ByteSource {
  func byte(_ offset: Int) -> UInt8? { part(offset, 1)?.first }

  /// 16 bits, the low byte first.
  func word(_ offset: Int) -> UInt16? {
    part(offset, 2).map { $0.reversed().reduce(0) { $0 << 8 | UInt16($1) } }
  }

  /// 32 bits, the low byte first.
  func long(_ offset: Int) -> UInt32? {
    part(offset, 4).map { $0.reversed().reduce(0) { $0 << 8 | UInt32($1) } }
  }

  /// 64 bits, the low byte first.
  func quad(_ offset: Int) -> UInt64? {
    part(offset, 8).map { $0.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
  }

  /// 16 bits, the high byte first.
  func bigWord(_ offset: Int) -> UInt16? { part(offset, 2).map { $0.reduce(0) { $0 << 8 | UInt16($1) } } }

  /// 32 bits, the high byte first.
  func bigLong(_ offset: Int) -> UInt32? { part(offset, 4).map { $0.reduce(0) { $0 << 8 | UInt32($1) } } }

  func has(_ text: StaticString, at offset: Int) -> Bool {
    guard let part = part(offset, text.utf8CodeUnitCount) else { return false }
    return text.withUTF8Buffer { part.elementsEqual($0) }
  }

  /// What a drone knows these bytes by, read piece by piece; nil when they cannot be read.
  var sealed: [UInt8]? {
    var seal = ContentDigest()
    var offset = 0
    while offset < count {
      guard let piece = part(offset, min(1 << 20, count - offset)) else { return nil }
      seal.add(piece.span)
      offset += piece.count
    }
    return seal.finish()
  }
}

extension Array: ByteSource where Element == UInt8 {
  func part(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>? {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
    return self[offset..<offset + count]
  }

  func byte(_ offset: Int) -> UInt8? { indices.contains(offset) ? self[offset] : nil }
}

/// A file, as long as it was when it was first looked at; no descriptor stays open. What cannot be read counts as not there.
struct FileBytes: ByteSource {
  let path: FilePath
  let count: Int

  init(_ path: FilePath) throws {
    self.path = path
    count = try fileOperation(path, "Check the path and its permissions") {
      let file = try FileDescriptor.open(path, .readOnly)
      return try file.closeAfter { Int(try file.seek(offset: 0, from: .end)) }
    }
  }

  func part(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>? {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset,
      let file = try? FileDescriptor.open(path, .readOnly)
    else { return nil }
    defer { try? file.close() }
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      while filled < count {
        let place = Int64(offset + filled)
        guard let read = try? file.read(fromAbsoluteOffset: place, into: .init(rebasing: raw[filled...])), read > 0
        else { return }
        filled += read
      }
    }
    return bytes.count == count ? bytes[...] : nil
  }
}

/// Some of others' bytes, counted from `start`.
struct Extent: ByteSource {
  let whole: any ByteSource
  var start = 0
  let count: Int

  func part(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>? {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
    let (place, overflow) = start.addingReportingOverflow(offset)
    return overflow ? nil : whole.part(place, count)
  }
}
