/// What modules say of themselves: pairs of a name and a text in the section `.modinfo` (include/linux/moduleparam.h). Any bytes
/// are some, perhaps none.
struct ModuleInformation: Equatable {
  /// `alias`, `firmware`, `vermagic`; of the kernel's own drivers with their name in front: `tg3.firmware`.
  struct Word: Equatable {
    let name: String
    let value: String
  }

  let words: [Word]

  /// Of a module: an ELF file (gABI, chapter 4) for whatever processor with its low byte first. One without the section has none.
  init(module: [UInt8]) {
    self.init(module.withUnsafeBytes { section(".modinfo", in: $0).map { [UInt8]($0) } } ?? [])
  }

  /// Of texts that end with a zero byte each: a section, or a whole `modules.builtin.modinfo`.
  init(_ texts: [UInt8]) {
    words = texts.split(separator: 0).compactMap { text in
      guard let equals = text.firstIndex(of: UInt8(ascii: "=")) else { return nil }
      return Word(
        name: String(decoding: text[..<equals], as: UTF8.self),
        value: String(decoding: text[text.index(after: equals)...], as: UTF8.self))
    }
  }

  func values(of name: String) -> [String] { words.filter { $0.name == name }.map(\.value) }

  /// The release that a module was built for: the first word of its `vermagic` (include/linux/vermagic.h).
  var release: String? {
    let word = values(of: "vermagic").first?.prefix { $0 != " " }
    return word.flatMap { $0.isEmpty ? nil : String($0) }
  }
}

/// A section's bytes; nil when there is none, or the file is no ELF file.
private func section(_ name: String, in file: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
  func number(_ offset: Int, _ size: Int) -> Int? {
    guard offset >= 0, size <= 8, file.count - size >= offset else { return nil }
    var value: UInt64 = 0
    for index in 0..<size { value |= UInt64(file[offset + index]) << UInt64(8 * index) }
    return Int(exactly: value)
  }
  func part(_ offset: Int, _ size: Int) -> UnsafeRawBufferPointer? {
    guard offset >= 0, size >= 0, offset <= file.count, size <= file.count - offset else { return nil }
    return UnsafeRawBufferPointer(rebasing: file[offset..<offset + size])
  }
  // Class and byte order.
  guard part(0, 4)?.elementsEqual([0x7F, 0x45, 0x4C, 0x46]) == true, file.count > 5, file[5] == 1 else { return nil }
  let isWide = file[4] == 2
  // e_shoff, e_shentsize, e_shnum, e_shstrndx.
  guard let table = number(isWide ? 0x28 : 0x20, isWide ? 8 : 4), let step = number(isWide ? 0x3A : 0x2E, 2),
    let count = number(isWide ? 0x3C : 0x30, 2), let names = number(isWide ? 0x3E : 0x32, 2),
    step >= (isWide ? 64 : 40), table <= file.count
  else { return nil }
  func content(_ index: Int) -> UnsafeRawBufferPointer? {
    guard index < count else { return nil }
    let header = table + index * step
    // sh_offset and sh_size.
    guard let offset = number(header + (isWide ? 24 : 16), isWide ? 8 : 4),
      let size = number(header + (isWide ? 32 : 20), isWide ? 8 : 4)
    else { return nil }
    return part(offset, size)
  }
  guard let texts = content(names) else { return nil }
  for index in 0..<count {
    guard let start = number(table + index * step, 4), start < texts.count else { continue }
    if texts[start...].prefix(while: { $0 != 0 }).elementsEqual(name.utf8) { return content(index) }
  }
  return nil
}
