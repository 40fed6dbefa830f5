/// A boot stub with one section, field by field (Microsoft PE Format, "MS-DOS Stub" to "Section Table"). Symbols are behind it.
enum HandWrittenStub {
  static let sizes = (text: 0x1F0, whole: 0x600 + 100)

  static let headers: [UInt8] =
    // The last four bytes are the place of the next header.
    [UInt8]("MZ".utf8) + [UInt8](repeating: 0, count: 0x3A) + [0x40, 0x00, 0x00, 0x00]
    + [UInt8]("PE\0\0".utf8) + [
      0x64, 0x86,  // Machine: x86_64
      0x01, 0x00,  // NumberOfSections, at 0x46
      0x00, 0x00, 0x00, 0x00,  // TimeDateStamp
      0x00, 0x06, 0x00, 0x00,  // PointerToSymbolTable, at 0x4C
      0x05, 0x00, 0x00, 0x00,  // NumberOfSymbols
      0xF0, 0x00,  // SizeOfOptionalHeader: 240
      0x06, 0x02,  // Characteristics: can be started; no lines and debugging information
    ] + [
      0x0B, 0x02,  // Magic: PE32+, at 0x58
      0x02, 0x28,  // linker's version
      0x00, 0x02, 0x00, 0x00,  // SizeOfCode
      0x00, 0x00, 0x00, 0x00,  // SizeOfInitializedData, at 0x60
      0x00, 0x00, 0x00, 0x00,  // SizeOfUninitializedData
      0x00, 0x10, 0x00, 0x00,  // AddressOfEntryPoint
      0x00, 0x10, 0x00, 0x00,  // BaseOfCode
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // ImageBase
      0x00, 0x02, 0x00, 0x00,  // SectionAlignment: 512
      0x00, 0x02, 0x00, 0x00,  // FileAlignment: 512
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // versions: system, image, subsystem
      0x00, 0x00, 0x00, 0x00,  // Win32VersionValue
      0x00, 0x12, 0x00, 0x00,  // SizeOfImage, at 0x90
      0x00, 0x04, 0x00, 0x00,  // SizeOfHeaders: 1024
      0x6C, 0xAA, 0x01, 0x00,  // CheckSum, at 0x98
      0x0A, 0x00,  // Subsystem: application for UEFI
      0x00, 0x00,  // DllCharacteristics
    ] + [UInt8](repeating: 0, count: 32 + 4)  // stack, heap, LoaderFlags
    + [0x10, 0x00, 0x00, 0x00]  // NumberOfRvaAndSizes
    + [UInt8](repeating: 0, count: 4 * 8)
    + [0x64, 0x06, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00]  // certificates: place and size, at 0xE8
    + [UInt8](repeating: 0, count: 11 * 8)
    + section(".text\0\0\0", memory: 0x1F0, address: 0x1000, file: 0x200, offset: 0x400, flags: 0x6000_0020)
    + [UInt8](repeating: 0, count: 0x400 - 0x148 - 40)

  static let bytes = headers + [UInt8](repeating: 0xC3, count: 0x200) + [UInt8](repeating: 0xEE, count: 100)

  /// A section's header, which is 40 bytes.
  static func section(
    _ name: String, memory: UInt32, address: UInt32, file: UInt32, offset: UInt32, flags: UInt32
  ) -> [UInt8] {
    [UInt8](name.utf8)
      + little(memory)  // VirtualSize
      + little(address)  // VirtualAddress
      + little(file)  // SizeOfRawData
      + little(offset)  // PointerToRawData
      + [UInt8](repeating: 0, count: 12)  // relocations and lines: none
      + little(flags)  // Characteristics
  }

  static func little(_ value: UInt32) -> [UInt8] {
    [
      UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value >> 16),
      UInt8(truncatingIfNeeded: value >> 24),
    ]
  }
}
