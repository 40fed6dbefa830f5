import DroneLayout
import SystemPackage
import Testing
import UnifiedKernel
import Workshop

@testable import ImageCheck

@Suite("Unified kernel images")
struct UnifiedKernelTests {
  private static let parts: [(name: String, content: [UInt8])] = [
    (".osrel", [UInt8]("NAME=drone\n".utf8)), (".cmdline", [UInt8]("root=/dev/ram0 rw\0".utf8)),
    (".initrd", [UInt8](repeating: 7, count: 3000)), (".linux", HandWrittenProgram.kernel),
  ]

  private static let stub: FilePath = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"

  /// systemd's stub with further sections behind those that it has, as another writer than ours makes it: one that takes
  /// any sections, wrong ones too.
  private static func unified(_ parts: [(name: String, content: [UInt8])] = parts) throws -> [UInt8] {
    var bytes = try contents(of: stub)
    let start = Int(bytes.long(0x3C) ?? 0)
    let table = start + 24 + Int(bytes.word(start + 20) ?? 0)
    var (count, memory) = (Int(bytes.word(start + 6) ?? 0), 0x20000)
    for part in parts {
      bytes += [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
      let header = table + 40 * count
      bytes.replaceSubrange(
        header..<header + 40, with: [UInt8](part.name.utf8) + [UInt8](repeating: 0, count: 40 - part.name.utf8.count))
      for (offset, value) in [(8, part.content.count), (12, memory), (16, part.content.count), (20, bytes.count)] {
        bytes.put(UInt64(value), 4, at: header + offset)
      }
      bytes.put(0x4000_0040, 4, at: header + 36)
      bytes += part.content
      count += 1
      memory += (part.content.count + 0xFFFF) & ~0xFFFF
    }
    bytes.put(UInt64(count), 2, at: start + 6)
    bytes.put(UInt64(memory), 4, at: start + 24 + 56)
    return bytes
  }

  /// The same parts by our writer.
  private static func laidOut() throws -> [UInt8] {
    let stub = try contents(of: stub)
    let contents: [UnifiedKernelPart: [UInt8]] = [
      .system: parts[0].content, .commandLine: parts[1].content, .root: parts[2].content, .kernel: parts[3].content,
    ]
    func size(_ part: UnifiedKernelPart) -> Int { contents[part]?.count ?? 0 }
    let layout = try UnifiedKernelLayout(
      stub: stub, stubSize: stub.count,
      sizes: UnifiedKernelSizes(
        system: size(.system), commandLine: size(.commandLine), root: size(.root), kernel: size(.kernel)))
    return layout.extents.flatMap { extent -> [UInt8] in
      switch extent.source {
      case .header: layout.header
      case .stub: [UInt8](stub[extent.offset..<extent.offset + extent.count])
      case .zeros: [UInt8](repeating: 0, count: extent.count)
      case .part(let part): contents[part] ?? []
      }
    }
  }

  private static func read(_ bytes: [UInt8]) throws -> (kernel: UnifiedKernel?, wrong: [String]) {
    let program = try EFIProgram(bytes)
    var findings = checkEFIProgram(program, size: bytes.count, at: "u", machine: .x86_64)
    let kernel = UnifiedKernel(program, bytes, at: "u", &findings)
    return (kernel, findings.map(\.reason))
  }

  @Test("its parts are found as they were put in")
  func parts() throws {
    try hasParts(Self.unified())
  }

  @Test("what our writer makes is one, and the parts are found in it")
  func ours() throws { try hasParts(Self.laidOut()) }

  private func hasParts(_ bytes: [UInt8]) throws {
    let (read, wrong) = try Self.read(bytes)
    let kernel = try #require(read)
    #expect(wrong == [])
    #expect(kernel.kernel.part(0, kernel.kernel.count).map { [UInt8]($0) } == HandWrittenProgram.kernel)
    #expect(kernel.root?.part(0, 3000).map { [UInt8]($0) } == [UInt8](repeating: 7, count: 3000))
    #expect(kernel.commandLine == [UInt8]("root=/dev/ram0 rw".utf8) && kernel.system == [UInt8]("NAME=drone\n".utf8))
    var findings: [Finding] = []
    #expect(StartedProgram.read(kernel.kernel, at: "k", for: .x86_64, &findings) != nil && findings == [])
  }

  @Test(
    "what is missing or damaged is named",
    arguments: [
      ("no kernel", "no kernel in it"), ("no system", "does not say what it is"),
      ("two kernels", "more than one section"),
      ("no text", "its command line is no text"), ("long text", "section .cmdline has 70000 bytes"),
      ("empty", "section .initrd is empty"), ("memory", "longer in memory than in the file"),
      ("cut off", "section .linux reaches beyond the file's end"),
    ])
  func damaged(_ damage: String, _ says: String) throws {
    var parts = Self.parts
    switch damage {
    case "no kernel": parts.removeLast()
    case "no system": parts.removeFirst()
    case "two kernels": parts.append(parts[3])
    case "no text": parts[1].content[3] = 1
    case "long text": parts[1].content = [UInt8](repeating: 0x61, count: 70_000)
    case "empty": parts[2].content = []
    default: break
    }
    var bytes = try Self.unified(parts)
    if damage == "memory", let place = bytes.offset(of: [UInt8](".linux\0\0".utf8)) {
      bytes.put(7000, 4, at: place + 8)
    }
    if damage == "cut off" { bytes.removeLast(100) }
    let wrong = try Self.read(bytes).wrong
    #expect(wrong.contains { $0.contains(says) }, "found instead: \(wrong)")
  }

  // MARK: Against the medium

  private static let root = [UInt8](repeating: 7, count: 3000)

  @Test(
    "a program that is not the medium's kernel, root and boot line is named",
    arguments: [
      ("sound", ""), ("kernel", "its kernel is not the medium's"), ("shorter kernel", "its kernel is not the medium's"),
      ("root", "its root is not the medium's"), ("no root", "its root is not the medium's"),
      ("line", "its boot line is \"root=/dev/ram0 rw\" instead of \"console=tty0\""),
      ("system", "it says that it is another system"), ("no program", "no program with a kernel in it"),
    ])
  func medium(_ fault: String, _ says: String) throws {
    var (kernel, root, words) = (HandWrittenProgram.kernel, Self.root, ["root=/dev/ram0", "rw"])
    var parts = Self.parts
    if fault != "system" { parts[0].content = SoftwareVersion.current.systemDescription }
    switch fault {
    case "kernel": kernel[4000] ^= 1
    case "shorter kernel": kernel.removeLast()
    case "root": root[2999] ^= 1
    case "no root": parts.remove(at: 2)
    case "line": words = ["console=tty0"]
    default: break
    }
    let program = fault == "no program" ? [UInt8]("none".utf8) : try Self.unified(parts)
    var findings: [Finding] = []
    checkUnifiedKernel(program, at: "u", kernel: kernel, root: root, words: words, &findings)
    #expect(says.isEmpty ? findings.isEmpty : findings.map(\.reason).joined().contains(says), "\(findings)")
  }

  @Test(
    "the standard label's words are those of the label, or of the first of two by the processor",
    arguments: [
      ("DEFAULT a\nLABEL b\n APPEND initrd=/r no\nLABEL a\n KERNEL /k\n APPEND initrd=/r one two", ["one", "two"]),
      (
        "DEFAULT auto\nLABEL auto\n COM32 c.c32\n APPEND a-64 -- a\nLABEL a\n APPEND initrd=/r narrow\nLABEL a-64\n append wide",
        ["wide"]
      ), ("DEFAULT a\nLABEL b\n APPEND x", nil), ("", nil), ("DEFAULT", nil),
    ] as [(String, [String]?)])
  func standard(_ text: String, _ words: [String]?) { #expect(standardLine([UInt8](text.utf8)[...]) == words) }
}
