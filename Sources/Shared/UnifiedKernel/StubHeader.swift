import Bytes

/// The headers of a boot stub, a program in the format PE32+ (Microsoft PE Format, "COFF File Header" to "Section Table").
/// Offsets are in the file, numbers have the lowest byte first.
struct StubHeader {
  /// All headers' bytes, `SizeOfHeaders` of them.
  private(set) var bytes: [UInt8]
  /// Where the next section may begin, in the file and in memory.
  private(set) var fileEnd: Int
  private(set) var memoryEnd: Int
  /// Sections begin at multiples of these.
  let fileAlignment: Int
  let memoryAlignment: Int

  private let start: Int
  private let table: Int
  private var count: Int

  private static let sectionHeaderSize = 40
  /// Firmware copies whole pages.
  private static let page = 4096

  /// Reads headers. `bytes` may go on behind them; `size` is how many bytes the whole stub has.
  init(_ bytes: [UInt8], of size: Int) throws(UnifiedKernelError) {
    start = Int(clamping: try bytes.field(4, at: 0x3C))
    guard bytes[0] == UInt8(ascii: "M"), bytes[1] == UInt8(ascii: "Z"), start <= 0x1000,
      try bytes.field(4, at: start) == 0x4550
    else { throw .noProgram }
    let optional = start + 24
    let machine = UInt16(truncatingIfNeeded: try bytes.field(2, at: start + 4))
    guard machine == 0x8664 else { throw .machine(machine) }
    guard try bytes.field(2, at: optional) == 0x20B else { throw .noProgram }
    count = Int(try bytes.field(2, at: start + 6))
    let optionalSize = Int(try bytes.field(2, at: start + 20))
    // Up to the fifth entry of the directory, that of the certificates.
    guard optionalSize >= Field.certificates + 8, try bytes.field(4, at: optional + Field.directories) > 4 else {
      throw .header(offset: start + 20)
    }
    // IMAGE_SUBSYSTEM_EFI_APPLICATION.
    guard try bytes.field(2, at: optional + Field.subsystem) == 10 else {
      throw .header(offset: optional + Field.subsystem)
    }
    table = optional + optionalSize

    fileAlignment = Int(clamping: try bytes.field(4, at: optional + Field.fileAlignment))
    let ownAlignment = Int(clamping: try bytes.field(4, at: optional + Field.memoryAlignment))
    guard fileAlignment.isPowerOfTwo, (0x200...0x10000).contains(fileAlignment) else {
      throw .header(offset: optional + Field.fileAlignment)
    }
    guard ownAlignment.isPowerOfTwo, ownAlignment <= 0x200000 else {
      throw .header(offset: optional + Field.memoryAlignment)
    }
    memoryAlignment = max(ownAlignment, StubHeader.page)
    let headers = Int(clamping: try bytes.field(4, at: optional + Field.headers))
    guard headers % fileAlignment == 0, headers <= 0x10000, table + StubHeader.sectionHeaderSize * count <= headers
    else {
      throw .header(offset: optional + Field.headers)
    }
    guard headers <= bytes.count, headers <= size else {
      throw .truncated(needed: headers, available: min(bytes.count, size))
    }
    self.bytes = [UInt8](bytes[..<headers])
    fileEnd = headers
    memoryEnd = headers
    for number in 0..<count { try place(of: number, within: size) }
    try forget(at: optional)
  }

  /// Takes one of the stub's sections into account.
  private mutating func place(of number: Int, within size: Int) throws(UnifiedKernelError) {
    let header = table + StubHeader.sectionHeaderSize * number
    // A name of more than eight bytes stands behind the symbols, which do not stay.
    guard bytes[header] != UInt8(ascii: "/") else { throw .header(offset: header) }
    for part in UnifiedKernelPart.allCases where bytes[header..<header + 8].elementsEqual(part.name) {
      throw .present(part)
    }
    let memory = Int(clamping: try bytes.field(4, at: header + Section.memorySize))
    let address = Int(clamping: try bytes.field(4, at: header + Section.address))
    let length = Int(clamping: try bytes.field(4, at: header + Section.fileSize))
    let offset = Int(clamping: try bytes.field(4, at: header + Section.offset))
    guard let inMemory = address.sum(memory), inMemory <= UnifiedKernelLayout.largest else {
      throw .header(offset: header + Section.address)
    }
    memoryEnd = max(memoryEnd, inMemory)
    guard length > 0 else { return }
    guard let inFile = offset.sum(length), offset >= bytes.count, inFile <= size else {
      throw .header(offset: header + Section.offset)
    }
    fileEnd = max(fileEnd, inFile)
  }

  /// Takes out what does not stay true: symbols and certificates, which lie behind the sections, and the check sum, which
  /// firmware does not look at.
  private mutating func forget(at optional: Int) throws(UnifiedKernelError) {
    bytes.put(0, 8, at: start + 8 + 4)
    bytes.put(0, 4, at: optional + Field.checksum)
    bytes.put(0, 8, at: optional + Field.certificates)
  }

  /// Adds a section of initialised data that is only read; gives where it begins in the file.
  mutating func add(_ part: UnifiedKernelPart, of size: Int) throws(UnifiedKernelError) -> Int {
    let header = table + StubHeader.sectionHeaderSize * count
    // The format allows 96 sections.
    guard header + StubHeader.sectionHeaderSize <= bytes.count, count < 96 else { throw .crowded }
    guard size > 0 else { throw .empty(part) }
    guard let offset = fileEnd.aligned(to: fileAlignment), let address = memoryEnd.aligned(to: memoryAlignment),
      let length = size.aligned(to: fileAlignment), let inFile = offset.sum(length), let inMemory = address.sum(size),
      let memory = inMemory.aligned(to: memoryAlignment), inFile <= UnifiedKernelLayout.largest,
      memory <= UnifiedKernelLayout.largest
    else { throw .tooLarge }
    bytes.put(0, StubHeader.sectionHeaderSize, at: header)
    bytes.replaceSubrange(header..<header + 8, with: part.name)
    bytes.put(size, 4, at: header + Section.memorySize)
    bytes.put(address, 4, at: header + Section.address)
    bytes.put(length, 4, at: header + Section.fileSize)
    bytes.put(offset, 4, at: header + Section.offset)
    // IMAGE_SCN_CNT_INITIALIZED_DATA, IMAGE_SCN_MEM_READ.
    bytes.put(0x4000_0040, 4, at: header + Section.characteristics)
    count += 1
    fileEnd = inFile
    memoryEnd = inMemory

    let optional = start + 24
    bytes.put(count, 2, at: start + 6)
    bytes.put(memory, 4, at: optional + Field.memorySize)
    let data = Int(clamping: try bytes.field(4, at: optional + Field.initialisedData))
    bytes.put(data &+ length, 4, at: optional + Field.initialisedData)
    return offset
  }
}

/// Places in the optional header of PE32+ ("Optional Header Windows-Specific Fields").
private enum Field {
  static let initialisedData = 8
  static let memoryAlignment = 32
  static let fileAlignment = 36
  static let memorySize = 56
  static let headers = 60
  static let checksum = 64
  static let subsystem = 68
  static let directories = 108
  /// The fifth entry of the directory.
  static let certificates = 112 + 4 * 8
}

/// Places in a section's header.
private enum Section {
  static let memorySize = 8
  static let address = 12
  static let fileSize = 16
  static let offset = 20
  static let characteristics = 36
}

extension UnifiedKernelPart {
  /// The field of eight bytes.
  fileprivate var name: [UInt8] {
    let name = [UInt8](section)
    return name + [UInt8](repeating: 0, count: 8 - name.count)
  }
}

extension [UInt8] {
  /// A number of up to four bytes.
  fileprivate func field(_ size: Int, at place: Int) throws(UnifiedKernelError) -> UInt32 {
    guard place >= 0, place <= count - size else { throw .truncated(needed: place + size, available: count) }
    var value: UInt32 = 0
    for offset in 0..<size { value |= UInt32(self[place + offset]) << UInt32(8 * offset) }
    return value
  }

  /// Writes a number at a place that lies in the bytes; behind its eighth byte there are zeros.
  fileprivate mutating func put(_ value: Int, _ size: Int, at place: Int) {
    var rest = UInt64(truncatingIfNeeded: value)
    for offset in 0..<size {
      self[place + offset] = UInt8(truncatingIfNeeded: rest)
      rest >>= 8
    }
  }
}

extension Int {
  fileprivate var isPowerOfTwo: Bool { self > 0 && self & (self - 1) == 0 }

  fileprivate func sum(_ other: Int) -> Int? {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? nil : sum
  }

  /// The next multiple of a power of two.
  fileprivate func aligned(to alignment: Int) -> Int? { sum(alignment - 1).map { $0 & ~(alignment - 1) } }
}
