import Bytes
import CLinux

/// A system call that failed: which one, on what, and the kernel's error number (errno(3)).
public struct SystemError: Error {
  public let call: StaticString
  /// The path or name concerned; may be empty.
  public let subject: [UInt8]
  public let number: Int32

  public init(_ call: StaticString, _ subject: [UInt8] = [], number: Int32 = linux_errno()) {
    self.call = call
    self.subject = subject
    self.number = number
  }

  /// One phrase: `mount /mnt/boot: No such device`.
  public var text: [UInt8] {
    var out = [UInt8](call)
    if !subject.isEmpty { out += [UInt8](" ") + subject }
    out += [UInt8](": ")
    if let message = strerror(number) { out += bytes(of: message) }
    return out
  }

  /// A non-blocking descriptor has nothing to give or no room now.
  public var wouldBlock: Bool { number == EAGAIN || number == EWOULDBLOCK }
  /// Something is mounted or in use there already.
  public var isBusy: Bool { number == EBUSY }
  /// Another socket has the address and port.
  public var isTaken: Bool { number == EADDRINUSE }
  /// This connection's addresses and ports are in use, or ended a moment ago.
  public var isUnassignable: Bool { number == EADDRNOTAVAIL }
  public var isDenial: Bool { number == EACCES || number == EPERM }
  public var isMissing: Bool { number == ENOENT }
  /// There is no hardware for it.
  public var isWithoutDevice: Bool { number == ENODEV }
  /// Nobody reads it any more.
  public var isBrokenPipe: Bool { number == EPIPE }
  /// Nobody listens there.
  public var isRefusal: Bool { number == ECONNREFUSED }
}

/// ETIMEDOUT.
public let timedOut: Int32 = ETIMEDOUT
