import Testing
import Workshop

@testable import ImageCheck

@Suite("Unified kernel images")
struct UnifiedKernelTests {
  private static let parts: [(name: String, content: [UInt8])] = [
    (".osrel", [UInt8]("NAME=drone\n".utf8)), (".cmdline", [UInt8]("root=/dev/ram0 rw\0".utf8)),
    (".initrd", [UInt8](repeating: 7, count: 3000)), (".linux", HandWrittenProgram.kernel),
  ]

  /// systemd's stub with further sections behind those that it has.
  private static func unified(_ parts: [(name: String, content: [UInt8])] = parts) throws -> [UInt8] {
    var bytes = try contents(of: "/usr/lib/systemd/boot/efi/linuxx64.efi.stub")
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

  private static func read(_ bytes: [UInt8]) throws -> (kernel: UnifiedKernel?, wrong: [String]) {
    let program = try EFIProgram(bytes)
    var findings = checkEFIProgram(program, size: bytes.count, at: "u", machine: .x86_64)
    let kernel = UnifiedKernel(program, bytes, at: "u", &findings)
    return (kernel, findings.map(\.reason))
  }

  @Test("its parts are found as they were put in")
  func parts() throws {
    let (read, wrong) = try Self.read(Self.unified())
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
}
