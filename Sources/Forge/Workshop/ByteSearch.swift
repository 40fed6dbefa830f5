import Foundation

/// Whether `pattern` occurs anywhere.
public func contains(_ bytes: UnsafeRawBufferPointer, _ pattern: [UInt8]) -> Bool {
  offset(of: pattern, in: bytes) != nil
}

/// Where `pattern` occurs first.
public func offset(of pattern: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
  guard let first = pattern.first, let base = bytes.baseAddress else { return pattern.isEmpty ? 0 : nil }
  var start = 0
  while bytes.count - start >= pattern.count,
    let found = memchr(base + start, Int32(first), bytes.count - start - pattern.count + 1)
  {
    let place = base.distance(to: UnsafeRawPointer(found))
    if memcmp(found, pattern, pattern.count) == 0 { return place }
    start = place + 1
  }
  return nil
}
