import Target

/// Checks a bzImage's header (Documentation/arch/x86/boot.rst), and that the boot loader can load it and the target run it.
///
/// The kernel's instructions are not checked: it chooses them by the processor that it finds.
func checkKernel(_ kernel: some ByteSource, at place: String, form: KernelForm) -> [Finding] {
  func one(_ reason: String) -> [Finding] { [Finding(.kernel, place, reason)] }
  guard kernel.word(0x1FE) == 0xAA55, kernel.has("HdrS", at: 0x202), let version = kernel.word(0x206),
    let sectors = kernel.byte(0x1F1), let size = kernel.long(0x1F4), let flags = kernel.byte(0x211)
  else { return one("it is not a Linux kernel for PCs: the boot sector's header is missing") }
  var findings: [Finding] = []
  func wrong(_ reason: String) { findings.append(Finding(.kernel, place, reason)) }
  // 2.04 made the size of the protected-mode code 32 bits wide.
  guard version >= 0x0204 else { return one("its boot protocol is older than 2.04") }
  if flags & 1 == 0 { wrong("it is a zImage, loaded low; only a bzImage boots") }

  // The real-mode part: setup_sects counts sectors after the first, 0 means 4; then syssize paragraphs of 16 bytes.
  let setup = (sectors == 0 ? 5 : Int(sectors) + 1) * 512
  let whole = setup + Int(size) * 16
  if setup > 64 * 512 { wrong("its real-mode part has \(setup) bytes, more than the 32 KiB that are loaded") }
  if size == 0 { wrong("it has no protected-mode part") }
  if kernel.count < whole { wrong("it is cut off: \(kernel.count) of \(whole) bytes are there") }

  // xloadflags, XLF_KERNEL_64: since protocol 2.12.
  let is64Bit = version >= 0x020C && (kernel.word(0x236) ?? 0) & 1 != 0
  if is64Bit, !form.is64Bit { wrong("it is a kernel for 64-bit processors only; build one with ARCH=i386") }
  if !is64Bit, form.is64Bit { wrong("it is a kernel for 32-bit processors; build one with ARCH=x86_64") }
  // The compressed kernel: since protocol 2.08, counted from the protected-mode part.
  if version >= 0x0208, let offset = kernel.long(0x248), let length = kernel.long(0x24C) {
    let start = setup + Int(offset)
    if offset == 0 || length == 0 || start + Int(length) > kernel.count {
      wrong("its payload lies outside the file")
    } else if !payloadMagics.contains(where: { kernel.part(start, $0.count)?.elementsEqual($0) == true }) {
      wrong("its payload begins like no compressor that Linux uses")
    }
  }
  // A version string, zero-terminated, counted from byte 0x200.
  let text = Int(kernel.word(0x20E) ?? 0) + 0x200
  let string = text == 0x200 ? nil : kernel.part(text, max(0, min(setup, kernel.count) - text))?.prefix { $0 != 0 }
  if string.map({ $0.isEmpty || $0.count > 300 || !$0.allSatisfy { (0x20...0x7E).contains($0) } }) != false {
    wrong("it does not tell its version")
  }
  return findings
}

/// gzip, XZ, bzip2, LZMA, LZO, LZ4, Zstandard, as lib/decompress.c tells them apart; and an ELF that is not compressed.
private let payloadMagics: [[UInt8]] = [
  [0x1F, 0x8B], [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], [0x42, 0x5A, 0x68], [0x5D, 0x00, 0x00],
  [0x89, 0x4C, 0x5A, 0x4F], [0x02, 0x21, 0x4C, 0x18], [0x28, 0xB5, 0x2F, 0xFD], [0x7F, 0x45, 0x4C, 0x46],
]

/// Bytes of memory that the kernel needs at its start, where the header has it (init_size, protocol 2.10).
func memoryAtStart(_ kernel: some ByteSource) -> Int? {
  guard kernel.has("HdrS", at: 0x202), let version = kernel.word(0x206), version >= 0x020A else { return nil }
  return kernel.long(0x260).map { Int($0) }
}

/// The version in a kernel's header, as `uname -r` and more; nil when it has none.
func kernelVersion(_ kernel: some ByteSource) -> String? {
  guard kernel.has("HdrS", at: 0x202), let place = kernel.word(0x20E), place != 0,
    let text = kernel.part(Int(place) + 0x200, min(300, max(0, kernel.count - Int(place) - 0x200)))
  else { return nil }
  return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
}

/// Checks a kernel's configuration, where it is known: that it runs on the target's first processor, unpacks the root and has
/// what a drone needs. `modules`: the names of those that the image holds.
func checkKernelConfiguration(
  _ text: [UInt8], at place: String, demands: KernelDemands, memory: Int, modules: Set<String> = []
) -> [Finding] {
  let configuration = KernelConfiguration(String(decoding: text, as: UTF8.self))
  var reasons = configuration.shortcomings(of: demands, modules: modules)
  if let start = configuration["CONFIG_PHYSICAL_START"], let address = Int(start.dropFirst(2), radix: 16),
    address > memory / 4
  {
    reasons.append("its configuration puts it at \(start), too high for the smallest memory")
  }
  return reasons.map { Finding(.kernel, place, $0) }
}
