import SystemPackage
import Testing
import Workshop

@testable import Image
@testable import Target

@Suite struct KernelImageTests {
  @Test("a bzImage's version and boot protocol are read")
  func good() throws {
    let kernel = try KernelImage("k", kernelFile(), form: .i386)
    #expect(kernel.version == "6.1.0 fake")
    #expect(kernel.bootProtocol == 0x020F)
  }

  @Test(
    "what is no kernel for a drone is refused in a sentence",
    arguments: [
      ([], "not a Linux kernel"),
      ([UInt8]("#!/bin/sh\n".utf8), "not a Linux kernel"),
      ([UInt8](repeating: 0, count: 100_000), "not a Linux kernel"),
      (Array(kernelFile().prefix(0x206)), "cut off within its header"),
      (Array(kernelFile().dropLast()), "cut off: it has 6655 of 6656 bytes"),
      (kernelFile(bootProtocol: 0x0204), "older than Linux 2.6.22"),
      (kernelFile(loadFlags: 0), "zImage"),
      (kernelFile(extendedLoadFlags: 1), "64-bit computers only"),
    ])
  func bad(bytes: [UInt8], words: String) {
    let error = #expect(throws: BuildError.self) { try KernelImage("k", bytes, form: .i386) }
    #expect(error.map { "\($0)".contains(words) } == true, "\(String(describing: error))")
  }

  @Test("a target of 64 bits takes a kernel of 64 bits alone")
  func wide() {
    let form = KernelForm(is64Bit: true, makeTarget: "bzImage", path: "arch/x86/boot/bzImage")
    #expect(throws: Never.self) { try KernelImage("k", kernelFile(extendedLoadFlags: 1), form: form) }
    let error = #expect(throws: BuildError.self) { try KernelImage("k", kernelFile(), form: form) }
    #expect(error.map { "\($0)".contains("Build it with ARCH=x86_64") } == true)
  }

  @Test("the bit for 64 bits means nothing in a protocol that does not have it")
  func old() throws { _ = try KernelImage("k", kernelFile(bootProtocol: 0x020A, extendedLoadFlags: 1), form: .i386) }

  @Test("a missing kernel and a folder are named", arguments: ["/no/such/kernel", "/usr"])
  func missing(path: String) {
    let error = #expect(throws: BuildError.self) { try KernelImage(FilePath(path), form: .i386) }
    #expect(error.map { "\($0)".contains(path) } == true)
  }
}
