/// One record of a "newc" cpio archive as it was read, nothing interpreted.
struct CpioRecord: Sendable, Equatable {
  var name: [UInt8]
  var inode: UInt32
  /// File type and permission bits, as in `stat`.
  var mode: UInt32
  var user: UInt32
  var group: UInt32
  var links: UInt32
  /// Seconds since 1970.
  var date: UInt32
  /// The device that a character or block device stands for.
  var deviceMajor: UInt32
  var deviceMinor: UInt32
  /// A file's bytes or a link's target.
  var content: ArraySlice<UInt8>
}

/// What is wrong with an archive; `offset` counts bytes from its beginning.
enum CpioError: Error, Equatable, CustomStringConvertible, Sendable {
  case notCpio(offset: Int)
  case badDigit(offset: Int)
  case badName(offset: Int)
  case truncated(offset: Int)
  case noTrailer

  var description: String {
    switch self {
    case .notCpio(let offset): "no record of a newc cpio archive begins at byte \(offset)"
    case .badDigit(let offset): "byte \(offset) should be a hexadecimal digit of a cpio header"
    case .badName(let offset):
      "the cpio record at byte \(offset) has a name that is empty or does not end in a zero byte"
    case .truncated(let offset): "the cpio record at byte \(offset) is longer than the archive"
    case .noTrailer: "the cpio archive ends without its last record, TRAILER!!!"
    }
  }
}

/// Reads every record of an archive, or of several that follow each other with only zero bytes between, as the kernel
/// does. Total: any bytes give records or an error. The trailers are not among the records.
func readCpio(_ archive: [UInt8]) throws(CpioError) -> [CpioRecord] {
  var records: [CpioRecord] = []
  var position = 0
  var open = true
  while position < archive.count {
    if !open && archive[position] == 0 {
      position += 1
      continue
    }
    open = true
    let start = position
    // "070701", then thirteen fields of eight hexadecimal digits.
    guard archive.count - start >= 6, archive[start..<start + 6].elementsEqual("070701".utf8) else {
      throw .notCpio(offset: start)
    }
    guard archive.count - start >= 110 else { throw .truncated(offset: start) }
    var fields: [UInt32] = []
    for field in 0..<13 { fields.append(try hexadecimal(archive, start + 6 + 8 * field)) }
    let nameEnd = start + 110 + Int(fields[11])
    guard nameEnd <= archive.count else { throw .truncated(offset: start) }
    let name = archive[start + 110..<nameEnd]
    guard name.count > 1, name.last == 0, !name.dropLast().contains(0) else { throw .badName(offset: start) }
    let contentStart = roundedUp(nameEnd)
    let contentEnd = contentStart + Int(fields[6])
    guard contentEnd <= archive.count else { throw .truncated(offset: start) }
    position = roundedUp(contentEnd)
    if name.dropLast().elementsEqual("TRAILER!!!".utf8) {
      open = false
      continue
    }
    records.append(
      CpioRecord(
        name: [UInt8](name.dropLast()), inode: fields[0], mode: fields[1], user: fields[2], group: fields[3],
        links: fields[4], date: fields[5], deviceMajor: fields[9], deviceMinor: fields[10],
        content: archive[contentStart..<contentEnd]))
  }
  guard !open else { throw .noTrailer }
  return records
}

private func roundedUp(_ offset: Int) -> Int { (offset + 3) / 4 * 4 }

private func hexadecimal(_ archive: [UInt8], _ offset: Int) throws(CpioError) -> UInt32 {
  var value: UInt32 = 0
  for position in offset..<offset + 8 {
    let digit: UInt8
    switch archive[position] {
    case let byte where (0x30...0x39).contains(byte): digit = byte - 0x30
    case let byte where (0x41...0x46).contains(byte): digit = byte - 0x41 + 10
    case let byte where (0x61...0x66).contains(byte): digit = byte - 0x61 + 10
    default: throw .badDigit(offset: position)
    }
    value = value << 4 | UInt32(digit)
  }
  return value
}
