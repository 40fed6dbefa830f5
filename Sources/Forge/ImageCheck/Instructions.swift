import SystemPackage
import Target
import Toolchain
import Workshop

/// An instruction that the target's first processor lacks.
struct ForeignInstruction: Equatable {
  /// `cmovnel`, or `<unknown>` for bytes that are no instruction.
  var mnemonic: String
  /// The symbol it lies under; empty in a stripped program.
  var function: String
  /// Bytes from the function's beginning, or the address without one.
  var offset: UInt64
}

/// Decodes every section of instructions in a program file and returns those that `allowed` does not have.
///
/// Throws `BuildError` when the disassembler is missing, fails or decodes nothing.
func foreignInstructions(in program: FilePath, allowed: InstructionSet) async throws -> [ForeignInstruction] {
  let listing = try await tool(
    Toolchain.found().disassembler.string,
    ["--disassemble", "--no-show-raw-insn", "--disassembler-options=att", program.string]
  ).output(limit: 512 << 20)
  let (found, decoded) = foreignInstructions(listing: listing, allowed: allowed)
  guard decoded > 0 else { throw BuildError.input("llvm-objdump found no instruction in \(program).") }
  return found
}

/// Reads a listing. Its lines are `004010b4 <function>:` and `  4010b4:      <tab>mnemonic<tab>operands`; a prefix stands
/// in the mnemonic's place, the instruction behind it or on the next line.
func foreignInstructions(
  listing: [UInt8], allowed: InstructionSet
) -> (found: [ForeignInstruction], decoded: Int) {
  var found: [ForeignInstruction] = []
  var function = (name: "", address: UInt64(0))
  var decoded = 0
  // Most lines repeat few mnemonics.
  var known: [ArraySlice<UInt8>: Bool] = [:]
  for line in listing.split(separator: UInt8(ascii: "\n")) {
    if line.first == UInt8(ascii: " ") {
      let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: true)
      guard fields.count >= 2 else { continue }
      decoded += 1
      var words = fields[1...]
      while let word = words.first {
        let name = word.prefix { $0 != UInt8(ascii: " ") }
        if known[name] == nil { known[name] = allowed.allows(String(decoding: name, as: UTF8.self)) }
        if known[name] == true { break }
        let text = String(decoding: name, as: UTF8.self)
        if allowed.allowsPrefix(text) {
          words = words.dropFirst()
          continue
        }
        let digits = fields[0].drop { $0 == UInt8(ascii: " ") }.prefix { $0 != UInt8(ascii: ":") }
        let address = UInt64(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0
        found.append(
          ForeignInstruction(mnemonic: text, function: function.name, offset: address &- function.address))
        break
      }
    } else if line.last == UInt8(ascii: ":"), let open = line.firstIndex(of: UInt8(ascii: "<")),
      let address = UInt64(String(decoding: line[..<open].dropLast(), as: UTF8.self), radix: 16)
    {
      let name = String(decoding: line[(open + 1)...].dropLast(2), as: UTF8.self)
      // A stripped program's sections stand in for functions, and would only mislead.
      function = name.hasPrefix(".") ? ("", 0) : (name, address)
    }
  }
  return (found, decoded)
}

/// One finding for each function and mnemonic, at most `limit` and one that counts the rest.
func findings(_ foreign: [ForeignInstruction], at place: String, set: String, limit: Int = 20) -> [Finding] {
  var findings: [Finding] = []
  var seen: Set<[String]> = []
  for instruction in foreign where seen.insert([instruction.function, instruction.mnemonic]).inserted {
    let offset = "0x" + String(instruction.offset, radix: 16)
    let where_ = instruction.function.isEmpty ? "at \(offset)" : "in \(instruction.function)+\(offset)"
    let what =
      instruction.mnemonic == "<unknown>"
      ? "bytes that are no instruction" : "\(instruction.mnemonic), which is newer than \(set)"
    findings.append(Finding(.instruction, place, "\(what), \(where_)"))
  }
  guard findings.count > limit else { return findings }
  let rest = findings.count - limit
  return findings.prefix(limit) + [Finding(.instruction, place, "and \(rest) more such instructions")]
}
