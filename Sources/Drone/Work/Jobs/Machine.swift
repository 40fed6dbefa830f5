import Bytes

/// A kind of processor that programs are made for, as `e_machine` of an ELF header numbers it (System V ABI, "ELF Header").
public struct ProgramMachine: Hashable, Sendable {
  public let number: UInt16

  public init(number: UInt16) { self.number = number }

  /// EM_386.
  public static let i386 = ProgramMachine(number: 3)
  /// EM_X86_64.
  public static let x86_64 = ProgramMachine(number: 62)

  public var name: [UInt8] {
    switch self {
    case .i386: [UInt8]("i386")
    case .x86_64: [UInt8]("x86_64")
    default: [UInt8]("machine \(number)")
    }
  }

  /// What the node that this program was compiled for runs. Kernels of 64 bits run programs of 32 bits, too.
  public static var native: [ProgramMachine] {
    #if arch(x86_64)
      [.x86_64, .i386]
    #elseif arch(i386)
      [.i386]
    #else
      []
    #endif
  }
}

/// What a file needs to be executed, as its first bytes say.
public enum ExecutableNeed: Equatable, Sendable {
  case machine(ProgramMachine)
  /// A script, and the program that reads it (`#!`, execve(2)).
  case interpreter([UInt8])
  /// Nothing that can be told: a shell may read it.
  case unknown

  /// - Parameter head: the first 256 bytes of the file, or all of it.
  public init(head: [UInt8]) {
    if head.starts(with: [0x7F, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F")]), head.count >= 20 {
      // EI_DATA at 5: 1 has the lowest byte first. e_machine is at 18.
      let low = UInt16(head[18])
      let high = UInt16(head[19])
      self = .machine(ProgramMachine(number: head[5] == 2 ? low << 8 | high : high << 8 | low))
      return
    }
    if head.starts(with: [UInt8(ascii: "#"), UInt8(ascii: "!")]) {
      let line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
      let word = line.drop(while: isBlank).prefix { !isBlank($0) }
      self = word.isEmpty ? .unknown : .interpreter([UInt8](word))
      return
    }
    self = .unknown
  }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
