import TestSupport
import Testing

@testable import ImageCheck

/// The readers of finished images: whatever lies on the disk, they answer with findings.
@Suite struct CheckFuzzTests {
  @Test("any CD image gives a volume and a boot loader within it, or findings")
  func volumes() {
    let image = CheckFuzzTests.bootableCD
    var findings: [Finding] = []
    let volume = Volume.read(image, &findings)
    let catalogue = BootCatalogue.read(image, sector: volume?.catalogue ?? 0, &findings)
    #expect(findings == [])
    #expect(catalogue?.loaders.map(\.sector) == [20])
    let fault = Fuzzing.configured.firstFault { generator in
      var damaged = image
      // Nine tenths of the image are empty: aim at what is read.
      let places = [0..<512, 32768..<32968, 34816..<34896, 36864..<36874, 38912..<38976, 40960..<41040]
      let place = places.randomElement(using: &generator) ?? 0..<0
      damaged.replaceSubrange(place, with: [UInt8](image[place]).damaged(&generator))
      if UInt8.random(in: 0..<8, using: &generator) == 0 { damaged = damaged.damaged(&generator) }
      var findings: [Finding] = []
      guard let volume = Volume.read(damaged, &findings) else { return findings.isEmpty ? "no finding" : nil }
      let catalogue = BootCatalogue.read(damaged, sector: volume.catalogue ?? 0, &findings)
      let sector = catalogue?.loaders.first?.sector ?? Int(UInt32.random(in: 0...(.max), using: &generator))
      if catalogue?.loaders.contains(where: { ($0.sector + 1) * Volume.sector > damaged.count }) == true {
        return "a boot loader outside"
      }
      if catalogue == nil, findings.isEmpty { return "no finding" }
      let loader = [UInt8](damaged.dropFirst(sector * Volume.sector).prefix(Volume.sector))
      _ = checkBootInformation(damaged, loader: loader, sector: sector)
      _ = checkHybridSector(damaged, loader: loader, sector: sector, code: nil)
      return nil
    }
    #expect(fault == nil)
  }

  @Test("any program is read without a trap, and its instructions lie within it")
  func programs() {
    let program = CheckFuzzTests.program
    #expect(Program(program).map { checkProgram($0, size: program.count, at: "/p", elfClass: 1, machine: 3) } == [])
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = program.damaged(&generator)
      guard let read = Program(bytes) else { return nil }
      if !read.code.allSatisfy({ $0.bytes.startIndex >= 0 && $0.bytes.endIndex <= bytes.count }) {
        return "code outside"
      }
      _ = checkProgram(read, size: bytes.count, at: "/p", elfClass: 1, machine: 3)
      return nil
    }
    #expect(fault == nil)
  }

  @Test("any bytes are an XZ file or none, without a trap")
  func streams() {
    #expect(XZStream.all(CheckFuzzTests.xz)?.first?.blocks == [[.lzma2(dictionary: 65536)]])
    let fault = Fuzzing.configured.firstFault { generator in
      let twice = UInt8.random(in: 0..<2, using: &generator) == 0
      let bytes = (CheckFuzzTests.xz + (twice ? [0, 0, 0, 0] + CheckFuzzTests.xz : [])).damaged(&generator)
      _ = checkCompression(bytes, unpacked: 1 << 20, kernel: 1 << 20, memory: 32 << 20, filters: [4], at: "x")
      return XZStream.all(bytes)?.isEmpty == true ? "an XZ file without a stream: \(bytes)" : nil
    }
    #expect(fault == nil)
  }

  @Test("any kernel header and any boot configuration is judged without a trap")
  func kernels() {
    var kernel = [UInt8](repeating: 0, count: 1024 + 32)
    for (offset, bytes) in [
      (0x1F1, [1]), (0x1F4, [2]), (0x1FE, [0x55, 0xAA]), (0x202, Array("HdrS".utf8)), (0x206, [0x0F, 2]),
      (0x20E, [0x80]), (0x211, [1]), (0x249, [0]), (0x248, [4]), (0x24C, [16]), (0x280, Array("6.1.0\0".utf8)),
      (1024 + 4, XZStream.magic),
    ] as [(Int, [UInt8])] {
      kernel.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
    #expect(checkKernel(kernel, at: "k", form: .i386) == [])
    let configuration = Array(
      "DEFAULT x\nLABEL x\n  KERNEL /chaos/bzImage\n  APPEND initrd=/chaos/chaos.rdz rw\nF1 f1\n".utf8)
    let fault = Fuzzing.configured.firstFault { generator in
      var bytes = kernel
      bytes.replaceSubrange(0x1F0..<0x290, with: [UInt8](bytes[0x1F0..<0x290]).damaged(&generator))
      if UInt8.random(in: 0..<4, using: &generator) == 0 { bytes = bytes.damaged(&generator) }
      _ = checkKernel(bytes, at: "k", form: .i386)
      _ = memoryAtStart(bytes)
      _ = checkConfiguration(configuration.damaged(&generator), at: "c", folder: "/isolinux", files: ["/chaos/bzImage"])
      return nil
    }
    #expect(fault == nil)
  }

  // MARK: Samples

  /// `hello hello hello` by xz with a CRC32 and 64 KiB of dictionary.
  private static let xz: [UInt8] = [
    0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 0x00, 0x01, 0x69, 0x22, 0xDE, 0x36, 0x02, 0x00, 0x21, 0x01, 0x08, 0x00,
    0x00, 0x00, 0xD8, 0x0F, 0x23, 0x13, 0xE0, 0x00, 0x10, 0x00, 0x0B, 0x5D, 0x00, 0x34, 0x19, 0x49, 0xEE, 0x8D,
    0xE9, 0x4F, 0x7E, 0x15, 0xE0, 0x00, 0x00, 0x00, 0x80, 0x88, 0xF9, 0xE5, 0x00, 0x01, 0x23, 0x11, 0xB8, 0xE2,
    0x9F, 0xF4, 0x90, 0x42, 0x99, 0x0D, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x59, 0x5A,
  ]

  /// Volume descriptors in sectors 16 to 18, the boot catalogue in 19, a boot loader in 20, empty files behind.
  private static let bootableCD: [UInt8] = {
    var image = [UInt8](repeating: 0, count: 22 * 2048)
    func put(_ offset: Int, _ bytes: [UInt8]) { image.replaceSubrange(offset..<offset + bytes.count, with: bytes) }
    func both(_ value: UInt8, width: Int) -> [UInt8] {
      let zeros = [UInt8](repeating: 0, count: width - 1)
      return [value] + zeros + zeros + [value]
    }
    let primary = 16 * 2048
    put(primary, [1] + Array("CD001".utf8) + [1])
    put(primary + 80, both(22, width: 4))
    put(primary + 120, both(1, width: 2))
    put(primary + 124, both(1, width: 2))
    put(primary + 128, [0, 8, 8, 0])
    put(primary + 132, both(10, width: 4))
    put(primary + 140, [21])
    put(primary + 156, [34])
    put(primary + 158, both(21, width: 4))
    put(primary + 166, both(34, width: 4))
    put(primary + 181, [2])
    put(17 * 2048, [0] + Array("CD001".utf8) + [1] + Array("EL TORITO SPECIFICATION".utf8))
    put(17 * 2048 + 0x47, [19])
    put(18 * 2048, [255] + Array("CD001".utf8) + [1])
    put(19 * 2048, [1])
    // The words 0x0001 and 0xAA55 and this one add up to zero.
    put(19 * 2048 + 28, [0xAA, 0x55, 0x55, 0xAA])
    put(19 * 2048 + 32, [0x88, 0, 0, 0, 0, 0, 4, 0, 20])
    return image
  }()

  /// An ELF32 program for i386 of one segment and one section of four bytes.
  private static let program: [UInt8] = {
    func words(_ values: UInt32...) -> [UInt8] {
      values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) } }
    }
    var out: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9)
    out += [2, 0, 3, 0] + words(1, 0x8048078, 52, 124, 0)
    out += [52, 0, 32, 0, 2, 0, 40, 0, 1, 0, 0, 0]
    out += words(1, 0, 0x8048000, 0x8048000, 124, 124, 5, 0x1000)
    out += words(0x6474_E551, 0, 0, 0, 0, 0, 6, 16)
    out += [UInt8](repeating: 0, count: 120 - out.count)
    out += [0x90, 0x90, 0x90, 0xC3]
    out += words(0, 1, 6, 0x8048078, 120, 4, 0, 0, 1, 0)
    return out
  }()
}
