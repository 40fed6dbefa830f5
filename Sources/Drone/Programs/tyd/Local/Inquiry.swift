import Bytes
import Linux
import TydCommand

/// What came of an order.
enum OrderOutcome {
  case done([UInt8])
  /// A sentence.
  case refused([UInt8])
  /// No tyd runs on this node.
  case nobody
}

/// Sends an order to the tyd that runs here and waits for what it answers.
func ask(_ order: TydCommand.Order) -> OrderOutcome {
  let inquiry = Inquiry(order)
  while true {
    if let outcome = inquiry.outcome(within: Int(clamping: Inquiry.patience)) { return outcome }
  }
}

/// An order to the tyd that runs here, and what has come of it so far.
final class Inquiry {
  private let socket: OpenSocket
  private var answer: [UInt8] = []
  private let end: UInt64

  /// In milliseconds.
  static let patience: UInt64 = 10_000
  private static let longest = 4 << 20

  private enum OpenSocket: ~Copyable {
    case open(Descriptor)
    case failed(OrderOutcome)
  }

  init(_ order: TydCommand.Order) {
    end = millisecondsSinceStart() &+ Inquiry.patience
    do throws(SystemError) {
      let socket = try connectLocal(Places().socket)
      try socket.write(order.line)
      self.socket = .open(socket)
    } catch {
      socket = .failed(Inquiry.outcome(of: error))
    }
  }

  private static func outcome(of error: SystemError) -> OrderOutcome {
    error.isMissing || error.isRefusal ? .nobody : .refused(error.text)
  }

  /// What came of it, or nil if nothing has within so many milliseconds.
  func outcome(within milliseconds: Int) -> OrderOutcome? {
    switch socket {
    case .failed(let outcome): return outcome
    case .open(let socket): return receive(socket, until: millisecondsSinceStart() &+ UInt64(clamping: milliseconds))
    }
  }

  private func receive(_ socket: borrowing Descriptor, until due: UInt64) -> OrderOutcome? {
    do throws(SystemError) {
      while answer.count < Inquiry.longest {
        let now = millisecondsSinceStart()
        guard now < end else { return .refused([UInt8]("the tyd that runs here does not answer.")) }
        let wait = due > now ? min(due, end) &- now : 0
        guard waitReadable([socket.number], milliseconds: Int(clamping: wait)).first == true else {
          if now >= due { return nil }
          continue
        }
        guard let part = try socket.receiveSome(upTo: 16 << 10) else { continue }
        if part.isEmpty { break }
        answer += part
      }
    } catch {
      return Inquiry.outcome(of: error)
    }
    guard let status = answer.first else { return .refused([UInt8]("the tyd that runs here ended.")) }
    let text = [UInt8](answer.dropFirst())
    return status == UInt8(ascii: "0") ? .done(text) : .refused(text)
  }
}
