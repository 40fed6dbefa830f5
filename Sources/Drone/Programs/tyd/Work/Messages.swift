import Bytes
import Jobs
import Linux

/// A socket that is read in messages with their length in front, and waits for whole ones.
struct MessageStream {
  let held: OpenSocket

  init(_ socket: OpenSocket) {
    held = socket
    socket.descriptor.setWaiting(true)
  }

  private var number: Int32 { held.descriptor.number }

  /// Exactly so many bytes; nil at the end, after an error, or when they have not come within so many milliseconds.
  func receive(count: Int, milliseconds: Int) -> [UInt8]? {
    let end = millisecondsSinceStart() &+ UInt64(clamping: milliseconds)
    var out: [UInt8] = []
    while out.count < count {
      let now = millisecondsSinceStart()
      guard now < end, waitReadable([number], milliseconds: Int(clamping: end &- now)).first == true,
        let part = try? held.descriptor.read(upTo: min(count - out.count, 64 << 10)), !part.isEmpty
      else { return nil }
      out += part
    }
    return out
  }

  /// The next message, at most `limit` bytes.
  func receiveMessage(limit: Int, milliseconds: Int) -> [UInt8]? {
    guard let head = receive(count: 4, milliseconds: milliseconds) else { return nil }
    let length = UInt32(networkOrder: head)
    guard length <= UInt32(clamping: limit) else { return nil }
    return receive(count: Int(length), milliseconds: milliseconds)
  }

  /// False when it does not go.
  func send(_ bytes: [UInt8]) -> Bool {
    var done = 0
    while done < bytes.count {
      guard let went = try? held.descriptor.sendSome(bytes, from: done) else { return false }
      if went == 0, !waitWritable(number, milliseconds: 10_000) { return false }
      done += went
    }
    return true
  }

  func sendMessage(_ message: [UInt8]) -> Bool { send(lengthPrefixed(message)) }
}

/// A descriptor that several may hold.
final class OpenSocket {
  let descriptor: Descriptor
  init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

  /// What has come: nil when there is nothing now, empty when nothing more will come.
  func receive(upTo limit: Int) -> [UInt8]? {
    do throws(SystemError) { return try descriptor.receiveSome(upTo: limit) } catch { return [] }
  }
}

/// What came over a local socket, perhaps with a descriptor; nil when nothing is there now or the socket failed.
func receiveHandover(_ socket: borrowing Descriptor, upTo limit: Int) -> (bytes: [UInt8], socket: OpenSocket?)? {
  guard let handover = (try? socket.receiveHandover(upTo: limit)) ?? nil else { return nil }
  let bytes = handover.bytes
  guard let descriptor = handover.taken() else { return (bytes, nil) }
  return (bytes, OpenSocket(descriptor))
}
