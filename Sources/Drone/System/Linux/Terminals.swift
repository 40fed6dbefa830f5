import Addresses
import CLinux

/// Whether a serial port by this name has hardware behind it: the driver makes /dev/ttyS0–3 for ports that may not exist.
public func serialPortExists(_ device: Path) -> Bool {
  guard let port = try? Descriptor(device, .nonBlocking) else { return false }
  return linux_serial_type(port.number) > 0
}

/// Sets a serial line's speed in baud, also for programs that open the line later.
public func setSerialSpeed(_ device: Path, baud: UInt32) throws(SystemError) {
  let port = try Descriptor(device, .nonBlocking)
  guard linux_terminal_speed(port.number, baud) == 0 else { throw SystemError("set speed of", device.bytes) }
}

/// Keeps a terminal open for the life of the process. The last close of a serial line waits until everything has been
/// sent: with one more holder, no other close is the last.
public func keepOpen(_ terminal: Path) {
  _ = terminal.withCString { linux_open($0, O_RDWR | O_NONBLOCK | O_NOCTTY, 0) }
}

/// Writes to a terminal without ever being held up by it: what does not go within `milliseconds` is dropped.
public func writeToTerminal(_ device: Path, _ bytes: [UInt8], milliseconds: Int = 300) {
  guard let terminal = try? Descriptor(device, .writeNonBlocking) else { return }
  let end = millisecondsSinceStart() &+ UInt64(clamping: milliseconds)
  var done = 0
  while done < bytes.count {
    do {
      done += try terminal.writeSome(bytes, from: done)
    } catch {
      let now = millisecondsSinceStart()
      guard error.wouldBlock, now < end, waitWritable(terminal.number, milliseconds: Int(end - now)) else { return }
    }
  }
}

/// The IPv4 addresses that this node has on interfaces that are up, loopback left out.
public func ownAddresses() -> [IPv4Address] {
  var found = [UInt32](repeating: 0, count: 32)
  let count = found.withUnsafeMutableBufferPointer { linux_addresses($0.baseAddress, Int32($0.count)) }
  return found.prefix(max(0, Int(count))).map { IPv4Address(bits: UInt32(bigEndian: $0)) }
}
