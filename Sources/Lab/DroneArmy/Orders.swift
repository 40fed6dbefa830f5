import Glibc
import Linux
import Workshop

/// A second command that is connected.
final class Client {
  let socket: Descriptor
  fileprivate var line: [UInt8] = []
  /// The drone whose console the connection has become.
  fileprivate(set) var console: Int?

  init(_ socket: consuming Descriptor) { self.socket = socket }

  /// What does not fit now is lost: a second command that does not read must not hold the army up.
  func send(_ bytes: [UInt8]) { _ = try? socket.sendSome(bytes) }
}

// What a second command or a key asks for.
extension Army {
  func acceptClient(_ listener: borrowing Descriptor) {
    guard let socket = try? acceptStream(listener) else { return }
    // The folder is this user's alone; root may come in everywhere.
    guard let peer = try? peerCredentials(of: socket), peer.user == geteuid() || peer.user == 0, clients.count < 16
    else { return }
    clients.append(Client(socket))
  }

  func serve(_ client: Client, _ now: UInt64) {
    guard let piece = read(client.socket), !piece.isEmpty else { return drop(client) }
    if let console = client.console {
      type(piece, on: console)
      return
    }
    client.line += piece
    guard let end = client.line.firstIndex(of: 10) else {
      if client.line.count > Order.longestLine { drop(client) }
      return
    }
    let answer: Answer
    do throws(Order.Refusal) {
      let order = try Order(line: client.line[..<end])
      if case .console(let number, let rows, let columns) = order { client.console = try attach(number, rows, columns) }
      answer = Answer(text: try perform(order, now))
    } catch {
      answer = Answer(refusal: error)
    }
    client.send(answer.bytes)
    if client.console == nil { drop(client) }
  }

  private struct Answer {
    let bytes: [UInt8]
    init(text: String) { bytes = [Order.done] + text.utf8 }
    init(refusal: Order.Refusal) { bytes = [Order.refused] + (refusal.sentence + "\n").utf8 }
  }

  private func drop(_ client: Client) { clients.removeAll { $0 === client } }

  private func attach(_ number: Int, _ rows: Int, _ columns: Int) throws(Order.Refusal) -> Int {
    let index = try place(of: number)
    guard emulators[index] != nil else { throw Order.Refusal(sentence: "Drone \(number) is off.") }
    setSize(index, rows: rows, columns: columns)
    return index
  }

  private func place(of number: Int) throws(Order.Refusal) -> Int {
    guard plan.numbers.contains(number) else {
      throw Order.Refusal(sentence: "There is no drone \(number): they are numbered from 1 to \(plan.count).")
    }
    return number - 1
  }

  /// Carries out an order and returns the answer to it.
  func perform(_ order: Order, _ now: UInt64) throws(Order.Refusal) -> String {
    switch order {
    case .status(let json): return json ? standingAsJSON(now) : standing(now)
    case .console: return ""
    case .kill(let number):
      let index = try place(of: number)
      guard emulators[index] != nil else { throw Order.Refusal(sentence: "Drone \(number) is off already.") }
      cutPower(index)
      report(number, "has lost its power", now)
      return "Drone \(number) has lost its power.\n"
    case .reboot(let number):
      let index = try place(of: number)
      cutPower(index)
      do { try start(index, now) } catch { throw Order.Refusal(sentence: "\(error)") }
      report(number, "has lost its power and boots", now)
      return "Drone \(number) has lost its power and boots.\n"
    case .unplug(let number), .plug(let number):
      let index = try place(of: number)
      let isIn = order == .plug(number)
      network.plug(index, isIn)
      let words = isIn ? "is plugged in" : "is unplugged"
      report(number, words, now)
      return "Drone \(number) \(words).\n"
    }
  }

  func type(_ bytes: [UInt8], on index: Int) { _ = try? emulators[index]?.console.sendSome(bytes) }

  /// Sets the size of the terminal that shows a drone's console; programs that run there notice.
  func setSize(_ index: Int, rows: Int, columns: Int) {
    _ = try? emulators[index]?.control.sendSome(
      [UInt8]("stty -F /dev/ttyS0 rows \(rows) cols \(columns)\n".utf8))
  }
}
