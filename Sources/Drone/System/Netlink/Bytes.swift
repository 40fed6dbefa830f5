// Numbers in messages. rtnetlink's are in the machine's own order – all machines of ours are little-endian – and
// nf_tables' are big-endian, whatever the machine.

extension UInt16 {
  /// The two bytes as a little-endian machine keeps them.
  var nativeBytes: [UInt8] { [UInt8(truncatingIfNeeded: self), UInt8(truncatingIfNeeded: self >> 8)] }
  var bigEndianBytes: [UInt8] { nativeBytes.reversed() }
}

extension UInt32 {
  /// The four bytes as a little-endian machine keeps them.
  var nativeBytes: [UInt8] {
    UInt16(truncatingIfNeeded: self).nativeBytes + UInt16(truncatingIfNeeded: self >> 16).nativeBytes
  }
  var bigEndianBytes: [UInt8] { nativeBytes.reversed() }
}

extension UInt64 {
  /// The eight bytes as a little-endian machine keeps them.
  var nativeBytes: [UInt8] { bigEndianBytes.reversed() }
  var bigEndianBytes: [UInt8] {
    UInt32(truncatingIfNeeded: self >> 32).bigEndianBytes + UInt32(truncatingIfNeeded: self).bigEndianBytes
  }
}

extension ArraySlice<UInt8> {
  /// The number in the first two, four, eight bytes from an offset on, in the machine's order. The caller has counted them:
  /// bytes that are not there read as zero.
  func native16(at offset: Int) -> UInt16 {
    UInt16(byte(at: offset)) | UInt16(byte(at: offset + 1)) << 8
  }

  func native32(at offset: Int) -> UInt32 {
    UInt32(native16(at: offset)) | UInt32(native16(at: offset + 2)) << 16
  }

  func native64(at offset: Int) -> UInt64 {
    UInt64(native32(at: offset)) | UInt64(native32(at: offset + 4)) << 32
  }

  /// The byte so far behind the slice's start; zero behind its end.
  func byte(at offset: Int) -> UInt8 {
    let index = startIndex + offset
    return index < endIndex ? self[index] : 0
  }
}

/// A length rounded up to netlink's alignment of four bytes.
func aligned(_ length: Int) -> Int { (length + 3) & ~3 }
