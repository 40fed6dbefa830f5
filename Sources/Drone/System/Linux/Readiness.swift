import CLinux

/// What can be done with a descriptor without waiting.
public struct Readiness: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// There are bytes, or the end, or a connection to accept.
  public static let readable = Readiness(rawValue: 1)
  /// There is room, or a connection that was begun stands.
  public static let writable = Readiness(rawValue: 2)
  /// The other end is gone or something failed; the next read or write says what. Always reported.
  public static let broken = Readiness(rawValue: 4)
}

/// A descriptor, and what is waited for with it.
public struct Interest: Sendable {
  public var descriptor: Int32
  public var readiness: Readiness

  public init(_ descriptor: Int32, _ readiness: Readiness = .readable) {
    self.descriptor = descriptor
    self.readiness = readiness
  }
}

/// Waits until something that is wanted can be done, or the time has passed, or a signal came.
/// - Parameters:
///   - wanted: negative descriptors are left out.
///   - milliseconds: the longest wait; nil for ever.
/// - Returns: what can be done, in the order of `wanted`; nothing at all after a time-out.
public func waitReady(_ wanted: [Interest], milliseconds: Int?) -> [Readiness] {
  var list = wanted.map { one in
    var events = 0
    if one.readiness.contains(.readable) { events |= Int(POLLIN) }
    if one.readiness.contains(.writable) { events |= Int(POLLOUT) }
    return pollfd(fd: one.descriptor, events: Int16(truncatingIfNeeded: events), revents: 0)
  }
  let bound = Int32(clamping: milliseconds ?? -1)
  let count = list.withUnsafeMutableBufferPointer { poll($0.baseAddress, nfds_t($0.count), bound) }
  guard count > 0 else { return wanted.map { _ in [] } }
  return list.map { one in
    var ready: Readiness = []
    let found = Int(one.revents)
    if found & Int(POLLIN) != 0 { ready.insert(.readable) }
    if found & Int(POLLOUT) != 0 { ready.insert(.writable) }
    if found & Int(POLLERR | POLLHUP | POLLNVAL) != 0 { ready.insert(.broken) }
    return ready
  }
}
