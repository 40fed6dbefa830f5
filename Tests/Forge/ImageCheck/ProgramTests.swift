import SystemPackage
import Target
import Testing
import Workshop

@testable import Image
@testable import ImageCheck

@Suite struct ProgramTests {
  /// Checks a root whose BusyBox is `bytes`, with a bill that agrees.
  private func findings(_ bytes: [UInt8], unstripped: [FilePath] = []) async throws -> [Finding] {
    let sample = try await Sample.shared.value
    let root = try sample.root.changing("/bin/busybox") {
      Entry.file($0.path, .bytes(bytes), executable: true, why: $0.why)
    }.resealed
    let archive = try await xz(cpioArchive(of: root), rootOptions)
    var bill = sample.cdBill
    bill.drones[0].root = try root.items
    return try await ImageCheck(target: .i586, bill: bill, unstripped: unstripped).drone.check(
      root: archive, kernel: sampleKernel(), isPublic: false)
  }

  private func expect(_ findings: [Finding], _ check: Finding.Check, _ text: String) {
    #expect(
      findings.contains { $0.check == check && $0.place == "/bin/busybox" && "\($0)".contains(text) },
      "found instead: \(findings)")
  }

  /// Changes fields of the program header with type `type`: offset in the header, value.
  private func changed(_ program: [UInt8], segment type: UInt32, flags: UInt32? = nil, _ field: Int, _ value: UInt64)
    throws -> [UInt8]
  {
    var bytes = program
    let table = Int(bytes.long(28) ?? 0)
    for index in 0..<Int(bytes.word(44) ?? 0) {
      let start = table + index * 32
      if bytes.long(start) == type, flags == nil || bytes.long(start + 24) == flags {
        bytes.put(value, 4, at: start + field)
        return bytes
      }
    }
    Issue.record("no such segment")
    return bytes
  }

  @Test(
    "what the Pentium has is let through",
    arguments: [
      "pause", "ud2", "bswap %eax", "cmpxchg8b (%eax)", "cpuid", "rdtsc", "lock xaddl %eax, (%ebx)", "rep movsb",
      "repne scasb", "fucompp", "fsin", "shldl $3, %eax, %ebx", "setne %al", "movzbl %al, %eax", "nop", "data16 nop",
      "movl %gs:0, %eax", "bsrl %eax, %ebx", "xchgb %al, (%ebx)", "lcall *%gs:16", "fildll (%eax)", "enter $1, $2",
    ])
  func allowed(_ instruction: String) async throws {
    #expect(try await findings(program(instruction)) == [])
  }

  @Test(
    "an instruction newer than the Pentium is named with its function and offset",
    arguments: [
      ("cmovne %eax, %ebx", "cmovnel"), ("endbr32", "endbr32"), ("nopl 0(%eax)", "nopl"), ("nopw 0(%eax)", "nopw"),
      ("movaps %xmm0, %xmm1", "movaps"), ("addsd %xmm0, %xmm1", "addsd"), ("movd %eax, %mm0", "movd"),
      ("emms", "emms"), ("fcomi %st(1)", "fcomi"), ("fcmove %st(1), %st", "fcmove"), ("fisttpl (%eax)", "fisttpl"),
      ("popcntl %eax, %ebx", "popcntl"), ("tzcntl %eax, %ebx", "tzcntl"), ("lzcntl %eax, %ebx", "lzcntl"),
      ("sysenter", "sysenter"), ("syscall", "syscall"), ("rdpmc", "rdpmc"), ("lfence", "lfence"),
      ("mfence", "mfence"), ("sfence", "sfence"), ("clflush (%eax)", "clflush"), ("movnti %eax, (%ebx)", "movntil"),
      ("prefetcht0 (%eax)", "prefetcht0"), ("fxsave (%eax)", "fxsave"), ("rdrand %eax", "rdrandl"),
      ("xacquire lock incl (%eax)", "xacquire"), (".byte 0x0f, 0x0a", "no instruction"),
    ])
  func newer(_ instruction: String, _ name: String) async throws {
    expect(try await findings(program("nop\n\(instruction)")), .instruction, "\(name)")
    expect(try await findings(program("nop\n\(instruction)")), .instruction, "in odd+0x")
  }

  @Test("a stripped program is judged alike, and its unstripped link names the function")
  func stripped() async throws {
    let whole = try await program("nop\nnop\ncmovne %eax, %ebx")
    try await withFolder { folder in
      let names = folder.appending("whole")
      let stripped = folder.appending("stripped")
      try await write(whole, to: names)
      _ = try await Command("llvm-objcopy", ["--strip-all", names.string, stripped.string]).output()
      let bytes = try contents(of: stripped)
      #expect(Program(bytes)?.codeDigest == Program(whole)?.codeDigest)
      expect(try await findings(bytes), .instruction, "at 0x40")
      expect(
        try await findings(bytes, unstripped: [names]), .instruction, "cmovnel, which is newer than i586, in odd+0x2")
      // Another program's symbols are no help.
      let other = folder.appending("other")
      try await write(program("nop"), to: other)
      expect(try await findings(bytes, unstripped: [other]), .instruction, "at 0x40")
    }
  }

  @Test("a program for 64 bits is refused")
  func wide() async throws {
    expect(try await findings(program("nop", target: "x86_64-linux-musl")), .program, "it is a program of 64 bits")
  }

  @Test("a program with an interpreter is refused")
  func interpreter() async throws {
    let dynamic = try await program("nop", linking: ["-pie", "-Wl,--dynamic-linker=/lib/ld-musl-i386.so.1"])
    let findings = try await findings(dynamic)
    expect(findings, .program, "asks for an interpreter")
    expect(findings, .program, "has a dynamic segment")
    expect(findings, .program, "no static program at a fixed address")
  }

  @Test("memory that is writable and executable is refused, and so is an executable stack")
  func writableAndExecutable() async throws {
    let good = try await program("nop")
    expect(
      try await findings(changed(good, segment: 1, flags: 5, 24, 7)), .program, "both writable and executable")
    expect(try await findings(changed(good, segment: 0x6474_E551, 24, 7)), .program, "its stack is executable")
    expect(try await findings(changed(good, segment: 0x6474_E551, 0, 0)), .program, "PT_GNU_STACK is missing")
    expect(try await findings(changed(good, segment: 1, flags: 5, 16, 0x10_0000)), .program, "beyond the file's end")
    expect(try await findings(changed(good, segment: 1, flags: 5, 24, 4)), .program, "outside its executable segments")
  }

  @Test("another processor's program, and one whose instructions cannot be found, are refused")
  func header() async throws {
    let good = try await program("nop")
    var other = good
    other.put(40, 2, at: 18)
    expect(try await findings(other), .program, "for another processor (e_machine 40")
    var hidden = good
    hidden.put(0, 4, at: 32)
    expect(try await findings(hidden), .program, "no section header")
  }

  @Test("a listing is read line by line: prefixes, functions, unknown bytes")
  func listing() {
    let text = """

      x:\tfile format elf32-i386

      Disassembly of section .text:

      004010b4 <first>:
        4010b4:      \tlock
        4010b5:      \tincl\t(%eax)
        4010b8:      \trep\t\tmovsb\t(%esi), %es:(%edi)
        4010ba:      \t<unknown>

      004010c0 <second>:
        4010c4:      \tcmovnel\t%eax, %ebx
        4010c8:      \trep\t\tfemms

      """
    let (found, decoded) = foreignInstructions(listing: [UInt8](text.utf8), allowed: .i586)
    #expect(decoded == 6)
    #expect(
      found == [
        .init(mnemonic: "<unknown>", function: "first", offset: 6),
        .init(mnemonic: "cmovnel", function: "second", offset: 4),
        .init(mnemonic: "femms", function: "second", offset: 8),
      ])
  }
}

@Suite struct InstructionSetTests {
  @Test(
    "a 64-bit program may use what every AMD64 processor has, and nothing later",
    arguments: [
      ("movabsq", true), ("cmovneq", true), ("syscall", true), ("cvttsd2si", true), ("pshufd", true), ("fxsave", true),
      ("cmpneqsd", true), ("fildll", true), ("movslq", true),
      // SSE3, SSSE3, SSE4.1, SSE4.2, POPCNT, AES-NI, AVX, BMI, RDRAND, CMPXCHG16B, branch marks, 32-bit leftovers.
      ("haddps", false), ("pshufb", false), ("pinsrq", false), ("crc32q", false), ("popcntq", false), ("aesenc", false),
      ("vmovdqa", false), ("andnq", false), ("tzcntq", false), ("rdrandq", false), ("cmpxchg16b", false),
      ("endbr64", false), ("pushal", false), ("daa", false),
    ])
  func amd64(_ mnemonic: String, _ allowed: Bool) {
    #expect(InstructionSet.x86_64.allows(mnemonic) == allowed)
  }
}
