import Workshop

/// A program that UEFI firmware starts, read from its headers (Microsoft PE Format; UEFI 2.10, §2.1.1). A Linux kernel with
/// an EFI stub is one as well.
struct EFIProgram: Equatable {
  struct Section: Equatable {
    var name: String
    /// Where it is in memory, counted from the program's beginning.
    var address: Int
    var memorySize: Int
    /// Where it is in the file.
    var offset: Int
    var fileSize: Int
    var characteristics: UInt32

    /// IMAGE_SCN_MEM_EXECUTE.
    var isExecutable: Bool { characteristics & 0x2000_0000 != 0 }
  }

  /// The processor and mode that it is for.
  struct Machine: Equatable, CustomStringConvertible {
    var number: UInt16

    static let i386 = Machine(number: 0x014C)
    static let x86_64 = Machine(number: 0x8664)

    var description: String {
      switch self {
      case .i386: "i386"
      case .x86_64: "x86_64"
      default: "machine \(number)"
      }
    }
  }

  var machine: Machine
  /// Of the file's header.
  var characteristics: UInt16
  /// PE32+.
  var is64Bit: Bool
  var subsystem: UInt16
  var entry: Int
  var memorySize: Int
  /// Bytes of all headers.
  var headers: Int
  var sections: [Section]
  /// Where the table of certificates is in the file; empty without one.
  var certificates: Range<Int>
  /// Where the check sum is, and the directory's entry for the certificates: what a signature does not cover.
  private var checksum: Int
  private var certificateEntry: Int?

  /// Reads the headers; the reason is a sentence's end. Whether sections lie in the file is not looked at.
  init(_ bytes: some ByteSource) throws(EFIProgramError) {
    func refuse(_ reason: String) -> EFIProgramError { EFIProgramError(reason: reason) }
    guard bytes.has("MZ", at: 0), let start = bytes.long(0x3C).map({ Int($0) }), bytes.long(start) == 0x4550 else {
      throw refuse("it is no program for UEFI: the headers MZ and PE are missing")
    }
    let optional = start + 24
    guard let machine = bytes.word(start + 4), let count = bytes.word(start + 6), let size = bytes.word(start + 20),
      let characteristics = bytes.word(start + 22), let magic = bytes.word(optional)
    else { throw refuse("it ends within its headers") }
    guard magic == 0x10B || magic == 0x20B else { throw refuse("it is neither PE32 nor PE32+ (\(magic))") }
    let wide = magic == 0x20B
    let directories = optional + (wide ? 112 : 96)
    guard directories <= optional + Int(size), let entry = bytes.long(optional + 16),
      let memory = bytes.long(optional + 56), let headers = bytes.long(optional + 60),
      let subsystem = bytes.word(optional + 68), let entries = bytes.long(directories - 4)
    else { throw refuse("its optional header has only \(size) bytes") }
    // The format allows no more.
    guard count > 0, count <= 96 else { throw refuse("it has \(count) sections") }
    self.machine = Machine(number: machine)
    self.characteristics = characteristics
    is64Bit = wide
    self.subsystem = subsystem
    self.entry = Int(entry)
    memorySize = Int(memory)
    self.headers = Int(headers)
    checksum = optional + 64
    certificates = 0..<0
    // The fifth entry of the directory: a place in the file, not in memory.
    if entries > 4, directories + 40 <= optional + Int(size) {
      certificateEntry = directories + 32
      let place = Int(bytes.long(directories + 32) ?? 0)
      certificates = place..<place + Int(bytes.long(directories + 36) ?? 0)
      if certificates.isEmpty { certificates = 0..<0 }
    }
    let table = optional + Int(size)
    guard table + 40 * Int(count) <= min(self.headers, bytes.count) else {
      throw refuse("its \(count) sections' headers do not lie within its \(headers) bytes of headers")
    }
    // Behind the symbols, of 18 bytes each, are names longer than eight bytes.
    let names = Int(bytes.long(start + 12) ?? 0) + 18 * Int(bytes.long(start + 16) ?? 0)
    sections = []
    for number in 0..<Int(count) {
      let place = table + 40 * number
      guard let name = bytes.part(place, 8), let memory = bytes.long(place + 8), let address = bytes.long(place + 12),
        let size = bytes.long(place + 16), let offset = bytes.long(place + 20), let flags = bytes.long(place + 36)
      else { throw refuse("it ends within its headers") }
      sections.append(
        Section(
          name: sectionName(name, names, bytes), address: Int(address),
          memorySize: Int(memory),
          offset: Int(offset), fileSize: Int(size), characteristics: flags))
    }
  }

  /// The digest that signatures are made of (Windows Authenticode Portable Executable Signature Format, "Calculating the PE
  /// Image Hash"); nil when a part lies outside the file.
  ///
  /// What is behind the sections begins, by that text, where it would when they had no gaps between them.
  func authenticodeDigest(of bytes: some ByteSource) -> SHA256? {
    var parts = [0..<checksum]
    if let certificateEntry {
      guard certificateEntry + 8 <= headers else { return nil }
      parts += [checksum + 4..<certificateEntry, certificateEntry + 8..<headers]
    } else {
      guard checksum + 4 <= headers else { return nil }
      parts.append(checksum + 4..<headers)
    }
    var sum = headers
    for section in sections.sorted(by: { $0.offset < $1.offset }) where section.fileSize > 0 {
      parts.append(section.offset..<section.offset + section.fileSize)
      sum += section.fileSize
    }
    let end = bytes.count - certificates.count
    if end > sum { parts.append(sum..<end) }
    var stream = SHA256.Stream()
    for part in parts {
      guard part.upperBound <= bytes.count else { return nil }
      var offset = part.lowerBound
      while offset < part.upperBound {
        guard let piece = bytes.part(offset, min(1 << 20, part.upperBound - offset)) else { return nil }
        piece.withUnsafeBytes { stream.add($0) }
        offset += piece.count
      }
    }
    return stream.finish()
  }
}

/// A section's name; `/37` stands for what begins at byte 37 of the table of long names.
private func sectionName(_ field: ArraySlice<UInt8>, _ table: Int, _ bytes: some ByteSource) -> String {
  let name = String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  guard name.hasPrefix("/"), let place = Int(name.dropFirst()), place >= 0, table > 0,
    let long = bytes.part(table + place, min(64, max(0, bytes.count - table - place)))?.prefix(while: { $0 != 0 }),
    !long.isEmpty
  else { return name }
  return String(decoding: long, as: UTF8.self)
}

/// Why bytes are no program for UEFI.
struct EFIProgramError: Error, Equatable { var reason: String }

/// Checks a program that firmware starts: an application for `machine` whose sections lie within the file and in memory
/// behind each other, and that begins in one that is executable.
func checkEFIProgram(
  _ program: EFIProgram, size: Int, at place: String, machine: EFIProgram.Machine
) -> [Finding] {
  var findings: [Finding] = []
  func wrong(_ reason: String) { findings.append(Finding(.firmwareProgram, place, reason)) }
  if program.machine != machine { wrong("it is for \(program.machine) and should be for \(machine)") }
  if program.is64Bit != (program.machine == .x86_64) { wrong("its headers are not those of its machine") }
  // IMAGE_SUBSYSTEM_EFI_APPLICATION.
  if program.subsystem != 10 { wrong("it has subsystem \(program.subsystem) instead of 10, an application for UEFI") }
  // IMAGE_FILE_EXECUTABLE_IMAGE, IMAGE_FILE_DLL.
  if program.characteristics & 0x2002 != 2 { wrong("its header does not say that it can be started") }
  if program.headers > size { wrong("its headers reach beyond the file's end") }
  let end = program.certificates.isEmpty ? size : program.certificates.lowerBound
  var memory = program.headers
  for section in program.sections {
    if section.fileSize > 0 {
      if section.offset + section.fileSize > size {
        wrong("section \(section.name) reaches beyond the file's end: it is cut off")
      } else if section.offset + section.fileSize > end {
        wrong("section \(section.name) reaches into the certificates")
      }
      if section.offset < program.headers { wrong("section \(section.name) begins within the headers") }
    }
    // In the file a section is filled up to a whole block, in memory it may be larger.
    if section.address < memory { wrong("section \(section.name) lies in memory over what is before it") }
    memory = max(memory, section.address + section.memorySize)
  }
  if memory > program.memorySize {
    wrong("its sections take \(memory) bytes of memory, and it asks for \(program.memorySize)")
  }
  let begins = program.sections.first {
    program.entry >= $0.address && program.entry - $0.address < min($0.memorySize, $0.fileSize)
  }
  if begins?.isExecutable != true { wrong("it begins outside its executable sections") }
  if !program.certificates.isEmpty, program.certificates.lowerBound % 8 != 0 || program.certificates.upperBound != size
  {
    wrong("its certificates are not the file's end, from a multiple of 8 bytes on")
  }
  return findings
}
