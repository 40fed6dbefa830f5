import Workshop

/// A program's form, read from its ELF headers (System V ABI, gABI chapters 4 and 5).
///
/// Total: what lies outside the bytes is a finding or absent.
struct Program {
  /// A segment of the program header table.
  struct Segment {
    var type, offset, address, fileSize, memorySize, flags: UInt64
  }

  /// A section that holds instructions.
  struct Code {
    var address: UInt64
    var bytes: ArraySlice<UInt8>
  }

  var is64Bit: Bool
  var littleEndian: Bool
  var type: UInt16
  var machine: UInt16
  var entry: UInt64
  var segments: [Segment]
  var code: [Code]

  /// Nil when the bytes are no ELF file. Entries of tables that lie outside the bytes are left out.
  init?(_ bytes: some ByteSource) {
    guard bytes.count >= 52, bytes.long(0) == 0x464C_457F, let kind = bytes.byte(4), kind == 1 || kind == 2 else {
      return nil
    }
    let wide = kind == 2
    func word(_ offset: Int) -> Int { Int(bytes.word(offset) ?? 0) }
    func long(_ offset: Int) -> UInt64 { UInt64(bytes.long(offset) ?? 0) }
    /// An address or size: 32 or 64 bits.
    func native(_ offset: Int) -> UInt64 { wide ? long(offset) | long(offset + 4) << 32 : long(offset) }
    is64Bit = wide
    littleEndian = bytes.byte(5) == 1
    type = UInt16(word(16))
    machine = UInt16(word(18))
    entry = native(24)
    segments = []
    code = []
    let counts = wide ? 54 : 42
    for start in table(native(wide ? 32 : 28), word(counts), word(counts + 2), in: bytes.count, wide ? 56 : 32) {
      segments.append(
        wide
          ? Segment(
            type: long(start), offset: native(start + 8), address: native(start + 16), fileSize: native(start + 32),
            memorySize: native(start + 40), flags: long(start + 4))
          : Segment(
            type: long(start), offset: long(start + 4), address: long(start + 8), fileSize: long(start + 16),
            memorySize: long(start + 20), flags: long(start + 24)))
    }
    for start in table(
      native(wide ? 40 : 32), word(counts + 4), word(counts + 6), in: bytes.count, wide ? 64 : 40)
    {
      // SHF_EXECINSTR, and SHT_NOBITS has no bytes.
      guard native(start + 8) & 4 != 0, long(start + 4) != 8 else { continue }
      let place = wide ? (16, 24, 32) : (12, 16, 20)
      guard let offset = Int(exactly: native(start + place.1)), let size = Int(exactly: native(start + place.2)),
        let part = bytes.part(offset, size)
      else { continue }
      code.append(Code(address: native(start + place.0), bytes: part))
    }
  }

  /// What identifies a program's instructions, stripped or not.
  var codeDigest: SHA256 {
    var hasher = SHA256.Hasher()
    for code in code {
      hasher.add("\(code.address)")
      hasher.add([UInt8](code.bytes))
    }
    return hasher.finish()
  }
}

/// Where the entries of a header table begin, as far as they lie within `count` bytes.
private func table(_ start: UInt64, _ entrySize: Int, _ entries: Int, in count: Int, _ needed: Int) -> [Int] {
  guard let start = Int(exactly: start), start > 0, start <= count, entrySize >= needed else { return [] }
  return (0..<entries).map { start + $0 * entrySize }.filter { $0 + entrySize <= count }
}

/// Checks that a program is what a drone runs: static, for the target's processor, with no memory both writable and
/// executable.
func checkProgram(_ program: Program, size: Int, at place: String, elfClass: UInt8, machine: UInt16) -> [Finding] {
  var findings: [Finding] = []
  func wrong(_ reason: String) { findings.append(Finding(.program, place, reason)) }
  if program.is64Bit != (elfClass == 2) { wrong("it is a program of \(program.is64Bit ? 64 : 32) bits") }
  if !program.littleEndian { wrong("it is for a processor that stores the high byte first") }
  if program.machine != machine { wrong("it is for another processor (e_machine \(program.machine), not \(machine))") }
  // ET_EXEC.
  if program.type != 2 { wrong("it is no static program at a fixed address (e_type \(program.type), not 2)") }
  var stackSeen = false
  for segment in program.segments {
    let (writable, executable) = (segment.flags & 2 != 0, segment.flags & 1 != 0)
    switch segment.type {
    case 1:  // PT_LOAD
      let (end, overflow) = segment.offset.addingReportingOverflow(segment.fileSize)
      if overflow || end > UInt64(size) { wrong("a segment reaches beyond the file's end") }
      if segment.fileSize > segment.memorySize { wrong("a segment is larger in the file than in memory") }
      if writable && executable { wrong("a segment is both writable and executable") }
    case 2: wrong("it has a dynamic segment, so it is not static")
    case 3: wrong("it asks for an interpreter, so it is not static")
    case 0x6474_E551:  // PT_GNU_STACK
      stackSeen = true
      if executable { wrong("its stack is executable") }
    default: break
    }
  }
  if !stackSeen { wrong("it does not say that its stack is not executable (PT_GNU_STACK is missing)") }
  let entered = program.segments.contains {
    $0.type == 1 && $0.flags & 1 != 0 && program.entry >= $0.address && program.entry - $0.address < $0.fileSize
  }
  if !entered { wrong("it begins outside its executable segments") }
  if !program.code.contains(where: { program.entry >= $0.address && program.entry - $0.address < $0.bytes.count }) {
    wrong("no section header tells where its instructions are, so they cannot be looked at")
  }
  return findings
}
