import SystemPackage
import Target
import Workshop

/// Checks a program that is not part of an image: static, for the target's processor, with no memory both writable and
/// executable, and with no instruction that the target's first processor lacks.
///
/// `unstripped` is the same program with symbols, which name functions in the findings. Throws `BuildError` when a file
/// cannot be read or the disassembler fails.
public func checkProgram(_ stripped: FilePath, unstripped: FilePath, for target: DroneTarget) async throws -> [Finding]
{
  let bytes = try contents(of: stripped)
  let place = stripped.lastComponent?.string ?? "program"
  guard let program = Program(bytes) else { return [Finding(.program, place, "it is no ELF program")] }
  let form = checkProgram(
    program, size: bytes.count, at: place, elfClass: target.elfClass, machine: target.elfMachine)
  guard try Program(contents(of: unstripped))?.codeDigest == program.codeDigest else {
    return form + [Finding(.program, place, "it does not hold the instructions of \(unstripped)")]
  }
  let foreign = try await foreignInstructions(in: unstripped, allowed: target.instructions)
  return form + findings(foreign, at: place, set: target.instructions.name)
}
