import Foundation
import SystemPackage
import Workshop

/// A bzImage as far as its header goes (Documentation/arch/x86/boot.rst), with this payload.
func fakeKernel(_ version: String, payload: [UInt8] = [0x1F, 0x8B], is64Bit: Bool = true) -> [UInt8] {
  let padding = [UInt8](repeating: 0, count: (16 - payload.count % 16) % 16)
  var bytes = [UInt8](repeating: 0, count: 512 * 5) + payload + padding
  func put(_ value: Int, _ width: Int, at offset: Int) {
    for index in 0..<width { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
  }
  put(4, 1, at: 0x1F1)  // setup_sects
  put((payload.count + padding.count) / 16, 4, at: 0x1F4)  // syssize
  put(0xAA55, 2, at: 0x1FE)  // boot_flag
  bytes.replaceSubrange(0x202..<0x206, with: "HdrS".utf8)
  put(0x020F, 2, at: 0x206)  // protocol
  put(version.isEmpty ? 0 : 0x600, 2, at: 0x20E)  // kernel_version, less 0x200
  bytes.replaceSubrange(0x800..<0x800 + version.utf8.count, with: version.utf8)
  put(1, 1, at: 0x211)  // loadflags: LOADED_HIGH
  put(is64Bit ? 1 : 0, 2, at: 0x236)  // xloadflags: XLF_KERNEL_64
  put(0, 4, at: 0x248)  // payload_offset
  put(payload.count, 4, at: 0x24C)  // payload_length
  return bytes
}

/// A module that says this of itself, made by clang as an object file.
func makeModule(_ file: FilePath, _ words: [String], more: String = "", target: String = "x86_64-linux-gnu")
  async throws
{
  try makeFolder(file.removingLastComponent())
  let source = FilePath("\(file).S")
  let strings = words.map { ".asciz \"\($0)\"\n" }.joined()
  try await write((".section .modinfo,\"a\"\n\(strings)\(more)").utf8, to: source)
  _ = try await tool("clang", ["-target", target, "-c", "-o", file.string, source.string]).output()
  try removeTree(source)
}

/// What a program makes of bytes.
func packed(_ bytes: [UInt8], by program: String, _ arguments: [String], in folder: FilePath) async throws -> [UInt8] {
  let file = folder.appending("plain-\(UUID())")
  try await write(bytes, to: file)
  return Array(try await tool(program, arguments + [file.string]).output())
}
