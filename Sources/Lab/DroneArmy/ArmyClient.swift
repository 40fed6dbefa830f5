import Glibc
import Linux
import Workshop

/// A second command: sends an order to the running army.
public struct ArmyClient: Sendable {
  public let folder: RunFolder

  public init(_ folder: RunFolder) { self.folder = folder }

  /// Sends an order and returns the army's answer. Throws a sentence when there is no army, or when it refuses.
  public func give(_ order: Order) throws -> String {
    try folder.requireShort()
    let answer: [UInt8]
    do throws(SystemError) {
      let socket = try connected()
      try socket.write([UInt8]((order.line + "\n").utf8))
      answer = try Self.wholeAnswer(socket)
    } catch {
      throw Self.sentence(error)
    }
    let text = String(decoding: answer.dropFirst(), as: UTF8.self)
    guard answer.first == Order.done else {
      throw BuildError.input(text.isEmpty ? "The army ended before it answered." : String(text.dropLast()))
    }
    return text
  }

  /// Makes this terminal the console of a drone until Ctrl-A x is typed or the army ends.
  public func console(_ number: Int) throws {
    try folder.requireShort()
    let terminal = UserTerminal(plain: false)
    guard terminal.isInteractive else {
      throw BuildError.input("A console needs a terminal.")
    }
    let (rows, columns) = terminal.size
    do throws(SystemError) {
      let socket = try connected()
      try socket.write([UInt8]((Order.console(number, rows: rows, columns: columns).line + "\n").utf8))
      _ = waitReadable([socket.number], milliseconds: 5000)
      let first = try socket.read(upTo: 1)
      guard first.first == Order.done else {
        let refusal = try Self.wholeAnswer(socket)
        throw SystemError("console", [UInt8](refusal.dropLast()), number: 0)
      }
      terminal.write("The console of drone \(number) follows. Ctrl-A x leaves it.\n")
      terminal.finish()
      terminal.takeKeys(whole: true)
      defer { terminal.restore() }
      try socket.write([10])
      var escaped = false
      while true {
        let ready = waitReadable([STDIN_FILENO, socket.number], milliseconds: nil)
        if ready[1] {
          guard let piece = try socket.receiveSome(upTo: 64 << 10) else { continue }
          if piece.isEmpty { break }
          terminal.write(piece)
          terminal.finish()
        }
        if ready[0] {
          let typed = terminal.typed()
          if typed.isEmpty { break }
          var bytes: [UInt8] = []
          var leaves = false
          for byte in typed {
            if escaped, byte == UInt8(ascii: "x") { leaves = true }
            if escaped || byte != KeyReader.prefix { bytes.append(byte) }
            escaped = !escaped && byte == KeyReader.prefix
          }
          if leaves { break }
          try socket.write(bytes)
        }
      }
      terminal.write("\r\n")
      terminal.finish()
    } catch {
      guard error.number != 0 else { throw BuildError.input(String(decoding: error.subject, as: UTF8.self)) }
      throw Self.sentence(error)
    }
  }

  private func connected() throws(SystemError) -> Descriptor {
    try connectLocal(Path([UInt8](folder.socket.string.utf8)))
  }

  private static func wholeAnswer(_ socket: borrowing Descriptor) throws(SystemError) -> [UInt8] {
    var answer: [UInt8] = []
    while waitReadable([socket.number], milliseconds: 10_000)[0] {
      guard let piece = try socket.receiveSome(upTo: 64 << 10) else { continue }
      if piece.isEmpty { break }
      answer += piece
      guard answer.count < 1 << 20 else { break }
    }
    return answer
  }

  private static func sentence(_ error: SystemError) -> BuildError {
    if error.isMissing || error.isRefusal { return .input("No army is running. `make army` starts one.") }
    return .input("\(String(decoding: error.text, as: UTF8.self)).")
  }
}
