/// The instructions that every processor of a target has, by the mnemonics that `llvm-objdump -M att` prints.
///
/// A list of what is allowed, so that what nobody thought of is refused.
public struct InstructionSet: Sendable {
  /// As a message names it: `i586`.
  public let name: String
  private let mnemonics: Set<String>
  private let prefixes: Set<String>

  /// All of it, in alphabetical order.
  public var words: [String] { mnemonics.sorted() + prefixes.sorted() }

  /// Whether the processor's first model has the instruction.
  public func allows(_ mnemonic: some StringProtocol) -> Bool { mnemonics.contains(String(mnemonic)) }

  /// Whether the word is a prefix that the first model has; the instruction follows it.
  public func allowsPrefix(_ word: some StringProtocol) -> Bool { prefixes.contains(String(word)) }

  /// The Pentium's (Intel, Pentium Processor Family Developer's Manual, volume 3, 1995): 386, 486, their x87, and
  /// CMPXCHG8B, CPUID, RDTSC, RDMSR, WRMSR, RSM.
  ///
  /// `pause` (F3 90) is allowed, because older processors run it as `rep nop`, and so is UD2, which compilers trap with:
  /// its opcode faults on all of them. `nopl` and `nopw` (0F 1F), `endbr32` and MMX are newer than the Pentium, though
  /// emulators of it run them. `tzcnt` gives other results than the `rep bsf` that an old processor makes of it.
  public static let i586: InstructionSet = {
    var all: Set<String> = []
    func add(_ suffixes: String, _ names: String) { all.formUnion(spellings(suffixes, names)) }
    // Integers of 8, 16 and 32 bits.
    add("b,w,l", "adc add and cmp cmpxchg dec div idiv imul inc mov mul neg not or rcl rcr rol ror sal sar sbb shl shr")
    add("b,w,l", "sub test xadd xchg xor cmps ins lods movs outs scas stos in out")
    add(
      "w,l", "bsf bsr bt btc btr bts shld shrd lea push pop movsb movzb lar lsl lds les lfs lgs lss bound sldt str smsw"
    )
    add("l", "bswap movsw movzw")
    add("w,l", "pushf popf")
    add("w,l", "pusha popa pushaw pushal popaw popal")
    // Flow.
    add(",w,l", "call jmp ret lcall ljmp lret iret enter leave")
    for condition in ["a", "ae", "b", "be", "e", "g", "ge", "l", "le", "ne", "no", "np", "ns", "o", "p", "s"] {
      all.insert("j" + condition)
      all.insert("set" + condition)
    }
    add("", "jcxz jecxz loop loope loopne int int3 into nop pause ud2 hlt wait fwait")
    // Flags, conversions, decimal digits, tables.
    add("", "clc cld cli cmc stc std sti lahf sahf cbtw cwtl cwtd cltd aaa aad aam aas daa das xlatb")
    // Of an operating system.
    add("", "arpl clts cpuid invd invlpg lgdtl lgdtw lidtl lidtw lldtw lmsww ltrw rdmsr rdtsc rsm sgdtl sgdtw sidtl")
    add("", "sidtw verr verrw verw verww wbinvd wrmsr cmpxchg8b")
    // x87 of the 387; a suffix tells the size in memory: s 32 bits, l 64 bits, t 80 bits; of integers s 16, l 32, ll 64.
    add(",s,l", "fadd fcom fcomp fdiv fdivr fmul fst fsub fsubr")
    add(",s,l,t", "fld fstp")
    add("s,l", "fiadd ficom ficomp fidiv fidivr fimul fist fisub fisubr")
    add("s,l,ll", "fild fistp")
    add("", "f2xm1 fabs faddp fbld fbstp fchs fclex fnclex fcompp fcos fdecstp fdivp fdivrp ffree fincstp finit fninit")
    add("", "fld1 fldcw fldenv fldl2e fldl2t fldlg2 fldln2 fldpi fldz fmulp fnop fnsave fnstcw fnstenv fnstsw fpatan")
    add("", "fprem fprem1 fptan frndint frstor fscale fsin fsincos fsqrt fstcw fstenv fstsw fsubp fsubrp ftst fucom")
    add("", "fucomp fucompp fxam fxch fxtract fyl2x fyl2xp1")
    return InstructionSet(
      name: "i586", mnemonics: all,
      prefixes: ["lock", "rep", "repe", "repne", "data16", "addr16", "cs", "ds", "es", "fs", "gs", "ss"])
  }()

  /// What AMD64 began with (AMD64 Architecture Programmer's Manual, volumes 3 and 4; x86-64-v1 of the psABI): the
  /// Pentium's with 64-bit operands, CMOV, FXSAVE, SYSCALL, MMX, SSE and SSE2. SSE3 and all later ones are refused, and
  /// so are `endbr64` and what only an operating system executes.
  public static let x86_64: InstructionSet = {
    var all = i586.mnemonics
    func add(_ suffixes: String, _ names: String) { all.formUnion(spellings(suffixes, names)) }
    // Not in 64-bit mode.
    all.subtract(["aaa", "aad", "aam", "aas", "daa", "das", "into", "arpl", "ldsl", "ldsw", "lesl", "lesw"])
    all.subtract(spellings(",w,l,aw,al", "pusha popa bound"))
    // 64-bit operands.
    add(
      "q", "adc add and cmp cmpxchg dec div idiv imul inc mov movabs mul neg not or rcl rcr rol ror sal sar sbb shl shr"
    )
    add("q", "sub test xadd xchg xor cmps lods movs scas stos bsf bsr bt btc btr bts shld shrd lea push pop pushf popf")
    add("q", "bswap call jmp ret lret iret enter leave movsb movsw movsl movzb movzw")
    add("", "cltq cqto jrcxz movabsb movabsw movabsl syscall")
    // Of the Pentium Pro and its followers.
    for condition in ["a", "ae", "b", "be", "e", "g", "ge", "l", "le", "ne", "no", "np", "ns", "o", "p", "s"] {
      add("w,l,q", "cmov" + condition)
    }
    add("w,l", "nop")
    add("", "fcmovb fcmovbe fcmove fcmovnb fcmovnbe fcmovne fcmovnu fcmovu fcomi fcompi fucomi fucompi")
    add(",64", "fxsave fxrstor")
    // MMX, of which SSE2 has most again for its own registers.
    add("b,w,d", "padd pcmpeq pcmpgt psub")
    add("w,d,q", "psll psrl")
    add("", "movd movq paddq psubq packssdw packsswb packuswb paddsb paddsw paddusb paddusw pand pandn pmaddwd pmulhw")
    add("", "pmullw por psrad psraw psubsb psubsw psubusb psubusw pxor emms maskmovq movntq pshufw movdq2q movq2dq")
    add("bw,wd,dq", "punpckh punpckl")
    // SSE and SSE2: packed and scalar numbers of 32 and 64 bits.
    add("ps,pd,ss,sd", "add div max min mul sqrt sub")
    add("ps,pd", "and andn mova movh movl movmsk movnt movu or shuf unpckh unpckl xor")
    for kind in ["ps", "pd", "ss", "sd"] {
      for relation in ["", "eq", "lt", "le", "unord", "neq", "nlt", "nle", "ord"] {
        all.insert("cmp\(relation)\(kind)")
      }
    }
    add("s,d", "comis movs ucomis")
    add("", "movhlps movlhps rcpps rcpss rsqrtps rsqrtss")
    add(",l,q", "cvtsi2ss cvtsi2sd cvtss2si cvtsd2si cvttss2si cvttsd2si")
    add(
      "", "cvtdq2pd cvtdq2ps cvtpd2dq cvtpd2pi cvtpd2ps cvtpi2pd cvtpi2ps cvtps2dq cvtps2pd cvtps2pi cvtsd2ss cvtss2sd")
    add(
      "", "cvttpd2dq cvttpd2pi cvttps2dq cvttps2pi movdqa movdqu movntdq pavgb pavgw pextrw pinsrw pmaxsw pmaxub pminsw"
    )
    add("", "pminub pmovmskb pmulhuw pmuludq psadbw pshufd pshufhw pshuflw pslldq psrldq punpckhqdq punpcklqdq")
    add("", "ldmxcsr stmxcsr lfence mfence sfence clflush prefetchnta prefetcht0 prefetcht1 prefetcht2")
    add("l,q", "movnti")
    return InstructionSet(name: "x86-64", mnemonics: all, prefixes: i586.prefixes.union(["rex64"]))
  }()
}

/// Each name with each suffix, an empty one included when the list has it.
private func spellings(_ suffixes: String, _ names: String) -> Set<String> {
  var all: Set<String> = []
  for name in names.split(separator: " ") {
    for suffix in suffixes.split(separator: ",", omittingEmptySubsequences: false) { all.insert("\(name)\(suffix)") }
  }
  return all
}
