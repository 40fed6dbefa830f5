import Testing

@testable import ImageCheck
@testable import Target

@Suite struct KernelTests {
  struct Damage: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var says: String
    var apply: @Sendable (inout [UInt8]) -> Void
  }

  static let damages: [Damage] = [
    .init(testDescription: "boot signature", says: "not a Linux kernel") { $0[0x1FE] = 0 },
    .init(testDescription: "header signature", says: "not a Linux kernel") { $0[0x205] = 0 },
    .init(testDescription: "empty", says: "not a Linux kernel") { $0 = [] },
    .init(testDescription: "protocol 2.03", says: "older than 2.04") { $0[0x206] = 3 },
    .init(testDescription: "zImage", says: "it is a zImage") { $0[0x211] = 0 },
    .init(testDescription: "one byte short", says: "it is cut off: 6655 of 6656") { $0.removeLast() },
    .init(testDescription: "setup of 65 sectors", says: "more than the 32 KiB") { $0[0x1F1] = 64 },
    .init(testDescription: "no protected-mode part", says: "no protected-mode part") { $0.put(0, 4, at: 0x1F4) },
    .init(testDescription: "64 bits only", says: "64-bit processors only") { $0[0x236] = 1 },
    .init(testDescription: "payload outside", says: "payload lies outside") { $0.put(0xFFFF_FFFF, 4, at: 0x248) },
    .init(testDescription: "payload too long", says: "payload lies outside") { $0.put(5000, 4, at: 0x24C) },
    .init(testDescription: "no payload", says: "payload lies outside") { $0.put(0, 4, at: 0x24C) },
    .init(testDescription: "unknown compressor", says: "no compressor") { $0[2576] = 0 },
    .init(testDescription: "no version", says: "does not tell its version") { $0.put(0, 2, at: 0x20E) },
    .init(testDescription: "version outside", says: "does not tell its version") { $0.put(0xFFF0, 2, at: 0x20E) },
    .init(testDescription: "version of control characters", says: "its version") { $0[0x800] = 7 },
  ]

  @Test(
    "a sound header gives no finding, of any protocol that knows large kernels", arguments: [0x0204, 0x020A, 0x020F])
  func sound(_ version: UInt64) {
    #expect(checkKernel(sampleKernel { $0.put(version, 2, at: 0x206) }, at: "k", form: .i386) == [])
  }

  @Test("a header that no boot loader or target takes is named", arguments: damages)
  func damaged(_ damage: Damage) {
    let findings = checkKernel(sampleKernel(damage.apply), at: "k", form: .i386)
    #expect(findings.contains { $0.check == .kernel && "\($0)".contains(damage.says) }, "found instead: \(findings)")
  }

  @Test("a target of 64 bits takes the kernel that one of 32 bits refuses, and no other")
  func wide() {
    let form = KernelForm(is64Bit: true, makeTarget: "bzImage", path: "arch/x86/boot/bzImage")
    #expect(checkKernel(sampleKernel { $0[0x236] = 1 }, at: "k", form: form) == [])
    let findings = checkKernel(sampleKernel(), at: "k", form: form)
    #expect(findings.map(\.reason) == ["it is a kernel for 32-bit processors; build one with ARCH=x86_64"])
  }

  private static let configuration =
    (["CONFIG_M586TSC"] + KernelDemands.i586.needed + KernelDemands.i586.parts.map(\.option))
    .map { "\($0)=y\n" }.joined() + "# CONFIG_X86_PAE is not set\nCONFIG_PHYSICAL_START=0x400000\n"

  @Test(
    "a configuration for a newer processor, or one that cannot unpack the root or do what a drone does, is named",
    arguments: [
      ("CONFIG_M586TSC=y", "CONFIG_M686=y", "it needs a newer processor"),
      ("# CONFIG_X86_PAE is not set", "CONFIG_X86_PAE=y", "has CONFIG_X86_PAE"),
      ("CONFIG_RD_XZ=y", "# CONFIG_RD_XZ is not set", "lacks CONFIG_RD_XZ"),
      ("CONFIG_XZ_DEC_X86=y", "", "lacks CONFIG_XZ_DEC_X86"),
      ("CONFIG_INET_ESP=y", "", "lacks CONFIG_INET_ESP"),
      ("CONFIG_INET_ESP=y", "CONFIG_INET_ESP=m", "has esp4 as a module"),
      ("0x400000", "0x1000000", "too high for the smallest memory"),
    ])
  func configuration(_ from: String, _ to: String, _ says: String) {
    func findings(_ text: String) -> [Finding] {
      checkKernelConfiguration([UInt8](text.utf8), at: "k", demands: .i586, memory: 32 << 20)
    }
    #expect(findings(Self.configuration) == [])
    let lines = Self.configuration.replacing(from, with: to)
    #expect(findings(lines).contains { "\($0)".contains(says) }, "found instead: \(findings(lines))")
  }
}
