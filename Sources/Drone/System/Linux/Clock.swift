import CLinux

/// Milliseconds since the kernel started (CLOCK_BOOTTIME); never goes back.
public func millisecondsSinceStart() -> UInt64 {
  var now = timespec()
  guard clock_gettime(CLOCK_BOOTTIME, &now) == 0 else { return 0 }
  return UInt64(clamping: now.tv_sec) &* 1000 &+ UInt64(clamping: now.tv_nsec) / 1_000_000
}

/// The time of day in seconds since 1970 (UTC), as the machine believes it: a Pentium with a dead battery says 1980.
public func secondsSince1970() -> Int64 { linux_clock_get() }

/// The same in milliseconds.
public func millisecondsSince1970() -> UInt64 {
  var now = timespec()
  guard clock_gettime(CLOCK_REALTIME, &now) == 0 else { return 0 }
  return UInt64(clamping: now.tv_sec) &* 1000 &+ UInt64(clamping: now.tv_nsec) / 1_000_000
}

/// Waits for this long; a signal that is not blocked may end it early.
public func pause(milliseconds: Int) {
  _ = poll(nil, 0, Int32(clamping: max(milliseconds, 0)))
}
