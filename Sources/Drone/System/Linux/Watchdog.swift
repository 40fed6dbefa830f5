import Bytes
import CLinux

/// An open watchdog: it restarts the machine when it is not fed for `seconds`
/// (Documentation/watchdog/watchdog-api.rst). It stays open, and running, until it is released.
public struct Watchdog: Sendable {
  /// What the driver calls it.
  public let identity: [UInt8]
  /// How long it waits to be fed.
  public let seconds: UInt32
  /// Whether it can be stopped, as far as the driver knows.
  public let stops: Bool
  private let number: Int32

  /// Opens it, which starts it.
  /// - Parameter seconds: the time-out wanted; the device may take another.
  public init(_ device: Path, seconds wanted: UInt32) throws(SystemError) {
    let number = device.withCString { linux_open($0, O_WRONLY, 0) }
    guard number >= 0 else { throw SystemError("open", device.bytes) }
    self.number = number
    var name = [CChar](repeating: 0, count: 33)
    var canStop: Int32 = 0
    let known = name.withUnsafeMutableBufferPointer { linux_watchdog_identity(number, $0.baseAddress, &canStop) == 0 }
    identity = known ? name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) } : device.bytes
    stops = canStop != 0
    var timeout = Int32(clamping: wanted)
    if linux_watchdog_set_timeout(number, &timeout) != 0 { timeout = Int32(clamping: wanted) }
    seconds = UInt32(clamping: max(1, timeout))
  }

  /// The kernel's own timer, which a kernel that hangs wholly stops as well.
  public var isSoftware: Bool { identity.spells("Software Watchdog") }

  public func feed() { _ = linux_watchdog_keep_alive(number) }

  /// Stops it and closes it; false when it cannot be stopped and will restart the machine.
  public func release() -> Bool {
    guard stops else { return false }
    // The magic close: without this letter it goes on when its file is closed.
    var letter = UInt8(ascii: "V")
    let written = CLinux.write(number, &letter, 1) == 1
    return close(number) == 0 && written
  }
}
