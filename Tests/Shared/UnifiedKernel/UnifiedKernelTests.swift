import SystemPackage
import TestSupport
import Testing
import UnifiedKernel
import Workshop

@Suite("A unified kernel image")
struct UnifiedKernelTests {
  private static let sizes = UnifiedKernelSizes(system: 12, commandLine: 18, root: 0x201, kernel: 0x1001)

  /// What firmware reads first, field by field as it differs from the stub's.
  private static let golden: [UInt8] = {
    var bytes = HandWrittenStub.headers
    func put(_ value: [UInt8], at place: Int) { bytes.replaceSubrange(place..<place + value.count, with: value) }
    put([0x05, 0x00], at: 0x46)  // NumberOfSections
    put([0, 0, 0, 0, 0, 0, 0, 0], at: 0x4C)  // PointerToSymbolTable, NumberOfSymbols: none
    put([0x00, 0x1A, 0x00, 0x00], at: 0x60)  // SizeOfInitializedData: 0x200 + 0x200 + 0x400 + 0x1200
    put([0x00, 0x70, 0x00, 0x00], at: 0x90)  // SizeOfImage
    put([0, 0, 0, 0], at: 0x98)  // CheckSum: none
    put([0, 0, 0, 0, 0, 0, 0, 0], at: 0xE8)  // certificates: none
    let data: UInt32 = 0x4000_0040  // initialised data, readable
    put(
      // From whole pages in memory and whole blocks in the file.
      HandWrittenStub.section(".osrel\0\0", memory: 12, address: 0x2000, file: 0x200, offset: 0x600, flags: data)
        + HandWrittenStub.section(".cmdline", memory: 18, address: 0x3000, file: 0x200, offset: 0x800, flags: data)
        + HandWrittenStub.section(".initrd\0", memory: 0x201, address: 0x4000, file: 0x400, offset: 0xA00, flags: data)
        + HandWrittenStub.section(
          ".linux\0\0", memory: 0x1001, address: 0x5000, file: 0x1200, offset: 0xE00, flags: data),
      at: 0x148 + 40)
    return bytes
  }()

  @Test("its headers are the stub's with four sections more, without symbols, check sum and certificates")
  func headers() throws {
    let layout = try UnifiedKernelLayout(
      stub: HandWrittenStub.bytes, stubSize: HandWrittenStub.sizes.whole, sizes: Self.sizes)
    #expect(layout.header == Self.golden)
    let headersAlone = try UnifiedKernelLayout(
      stub: HandWrittenStub.headers, stubSize: HandWrittenStub.sizes.whole, sizes: Self.sizes)
    #expect(headersAlone == layout)
  }

  @Test("its parts lie one behind the other, each from a whole block on")
  func extents() throws {
    let layout = try UnifiedKernelLayout(
      stub: HandWrittenStub.bytes, stubSize: HandWrittenStub.sizes.whole, sizes: Self.sizes)
    let expected: [(UnifiedKernelLayout.Source, Int, Int)] = [
      (.header, 0, 0x400), (.stub, 0x400, 0x200), (.part(.system), 0x600, 12), (.zeros, 0x60C, 0x1F4),
      (.part(.commandLine), 0x800, 18), (.zeros, 0x812, 0x1EE), (.part(.root), 0xA00, 0x201),
      (.zeros, 0xC01, 0x1FF), (.part(.kernel), 0xE00, 0x1001), (.zeros, 0x1E01, 0x1FF),
    ]
    #expect(layout.extents.map(\.source) == expected.map(\.0))
    #expect(layout.extents.map(\.offset) == expected.map(\.1))
    #expect(layout.extents.map(\.count) == expected.map(\.2))
    #expect(layout.size == 0x2000)
  }

  @Test(
    "a stub or a part that cannot be used is refused with the reason",
    arguments: [
      ("nothing", UnifiedKernelError.truncated(needed: 0x40, available: 0)),
      ("no MZ", .noProgram), ("no PE", .noProgram), ("PE32", .noProgram), ("far away", .noProgram),
      ("of 32 bits", .machine(0x014C)),
      ("a driver", .header(offset: 0x9C)), ("few directories", .header(offset: 0x54)),
      ("a block of 3", .header(offset: 0x7C)), ("no page", .header(offset: 0x78)),
      ("headers of half a block", .header(offset: 0x94)), ("headers without a table", .header(offset: 0x94)),
      ("headers cut off", .truncated(needed: 0x400, available: 0x3FF)),
      ("a section cut off", .header(offset: 0x15C)), ("a section in the headers", .header(offset: 0x15C)),
      ("a section beyond memory", .header(offset: 0x154)), ("a long name", .header(offset: 0x148)),
      ("a kernel already", .present(.kernel)), ("no room", .crowded),
      ("no root", .empty(.root)), ("fewer than no bytes", .empty(.kernel)), ("a large kernel", .tooLarge),
      ("a kernel of all bytes", .tooLarge),
    ])
  func refused(_ damage: String, _ error: UnifiedKernelError) {
    var (stub, size, sizes) = (HandWrittenStub.bytes, HandWrittenStub.sizes.whole, Self.sizes)
    func put(_ value: [UInt8], at place: Int) { stub.replaceSubrange(place..<place + value.count, with: value) }
    switch damage {
    case "nothing": stub = []
    case "no MZ": put([0x7F], at: 0)
    case "no PE": put([0], at: 0x41)
    case "PE32": put([0x0B, 0x01], at: 0x58)
    case "far away": put([0xFF, 0xFF, 0xFF, 0xFF], at: 0x3C)
    case "of 32 bits": put([0x4C, 0x01], at: 0x44)
    case "a driver": put([0x0B], at: 0x9C)
    case "few directories": put([4], at: 0xC4)
    case "a block of 3": put([3, 0], at: 0x7C)
    case "no page": put([0, 0], at: 0x78)
    case "headers of half a block": put([0x00, 0x03], at: 0x94)
    case "headers without a table": put([0xFF, 0x00], at: 0x46)
    case "headers cut off": stub.removeLast(stub.count - 0x3FF)
    case "a section cut off": size = 0x5FF
    case "a section in the headers": put([0x00, 0x02], at: 0x15C)
    case "a section beyond memory": put([0xFF, 0xFF, 0xFF, 0xFF], at: 0x154)
    case "a long name": put([UInt8]("/4\0\0\0\0\0\0".utf8), at: 0x148)
    case "a kernel already": put([UInt8](".linux\0\0".utf8), at: 0x148)
    case "no room": put([0xF0, 0x02], at: 0x54)
    case "no root": sizes.root = 0
    case "fewer than no bytes": sizes.kernel = -1
    case "a large kernel": sizes.kernel = UnifiedKernelLayout.largest
    case "a kernel of all bytes": sizes.kernel = .max
    default: break
    }
    var found: UnifiedKernelError?
    do throws(UnifiedKernelError) {
      _ = try UnifiedKernelLayout(stub: stub, stubSize: size, sizes: sizes)
    } catch {
      found = error
    }
    #expect(found == error)
  }

  // MARK: Read by others

  private static let stub: FilePath = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"

  /// The image of systemd's stub with parts whose bytes say which they are.
  private static func image(_ sizes: UnifiedKernelSizes) throws -> [UInt8] {
    let stub = try contents(of: stub)
    let layout = try UnifiedKernelLayout(
      stub: [UInt8](stub.prefix(UnifiedKernelLayout.mostHeaderBytes)), stubSize: stub.count, sizes: sizes)
    return layout.extents.flatMap { extent -> [UInt8] in
      switch extent.source {
      case .header: layout.header
      case .stub: [UInt8](stub[extent.offset..<extent.offset + extent.count])
      case .zeros: [UInt8](repeating: 0, count: extent.count)
      case .part(let part): content(of: part, extent.count)
      }
    }
  }

  private static func content(of part: UnifiedKernelPart, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) ^ UInt8(part.section.utf8CodeUnitCount) }
  }

  @Test("objcopy takes the parts out as they were put in, and objdump finds each where the stub looks")
  func binutils() async throws {
    let image = try Self.image(Self.sizes)
    try await withTemporaryFolder(in: "/tmp") { folder in
      let file = folder.appending("image.efi")
      try await write(image, to: file)
      for part in UnifiedKernelPart.allCases {
        let out = folder.appending("part")
        _ = try await Command("objcopy", ["-O", "binary", "--only-section=\(part.section)", file.string, out.string])
          .output()
        #expect(try contents(of: out).prefix(Self.sizes[part]) == Self.content(of: part, Self.sizes[part])[...])
      }
      let listing = String(decoding: try await Command("objdump", ["-h", file.string]).output(), as: UTF8.self)
      let lines = listing.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.count == 7 }
      #expect(lines.suffix(4).map { $0[1] } == [".osrel", ".cmdline", ".initrd", ".linux"])
      #expect(lines.suffix(4).map { $0[2] } == ["0000000c", "00000012", "00000201", "00001001"])
      #expect(lines.first?[1] == ".text")
    }
  }

  @Test("pefile finds nothing to warn of that is not the stub's, and what sbsign signs sbverify verifies")
  func others() async throws {
    let image = try Self.image(Self.sizes)
    try await withTemporaryFolder(in: "/tmp") { folder in
      func path(_ name: String) -> String { folder.appending(name).string }
      try await write(image, to: folder.appending("image.efi"))
      let script = """
        import pefile, sys
        image, stub = pefile.PE(sys.argv[1]), pefile.PE(sys.argv[2])
        print([w for w in image.get_warnings() if w not in stub.get_warnings()], image.OPTIONAL_HEADER.SizeOfImage % 4096, len(image.sections))
        print(*(s.Name.rstrip(b"\\0").decode() + " " + str(s.Misc_VirtualSize) for s in image.sections[-4:]), sep=", ")
        """
      let read = String(
        decoding: try await Command("/usr/bin/python3", ["-c", script, path("image.efi"), Self.stub.string]).output(),
        as: UTF8.self)
      #expect(read == "[] 0 12\n.osrel 12, .cmdline 18, .initrd 513, .linux 4097\n")

      _ = try await Command(
        "openssl",
        [
          "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path("key"), "-out", path("certificate"),
          "-subj", "/CN=Test", "-days", "1",
        ]
      ).output()
      _ = try await Command(
        "sbsign", ["--key", path("key"), "--cert", path("certificate"), "--output", path("signed"), path("image.efi")]
      ).output()
      let verified = try await Command("sbverify", ["--cert", path("certificate"), path("signed")]).output()
      #expect(String(decoding: verified, as: UTF8.self).contains("Signature verification OK"))
    }
  }
}
