/// The instructions that every processor of a target has, by the mnemonics that `llvm-objdump -M att` prints.
///
/// A list of what is allowed, so that what nobody thought of is refused.
public struct InstructionSet: Sendable {
  /// As a message names it: `i586`.
  public let name: String
  private let mnemonics: Set<String>
  private let prefixes: Set<String>

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
    func add(_ suffixes: String, _ names: String) {
      for name in names.split(separator: " ") {
        for suffix in suffixes.split(separator: ",", omittingEmptySubsequences: false) {
          all.insert("\(name)\(suffix)")
        }
      }
    }
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
}
