/// Whether a text is as a pattern asks (fnmatch(3) without flags): `*` stands for any bytes, `?` for any one, `[a-f]` and
/// `[!a-f]` for one of those or none of those, `\` takes the next byte as it is. An unfinished `[` stands for itself.
///
/// Takes at most pattern times text steps.
func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
  var (pattern, text) = (pattern, text)
  // After the last `*`: where the pattern goes on, and from which byte of the text that was tried last.
  var retry: (pattern: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
  while true {
    if pattern.first == UInt8(ascii: "*") {
      pattern = pattern.dropFirst()
      if pattern.isEmpty { return true }
      retry = (pattern, text)
      continue
    }
    if let byte = text.first, let rest = taking(byte, from: pattern) {
      (pattern, text) = (rest, text.dropFirst())
      continue
    }
    if pattern.isEmpty && text.isEmpty { return true }
    guard let (again, from) = retry, !from.isEmpty else { return false }
    retry = (again, from.dropFirst())
    (pattern, text) = (again, from.dropFirst())
  }
}

/// The rest of a pattern whose first part stands for this byte; nil when it does not.
private func taking(_ byte: UInt8, from pattern: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
  guard let first = pattern.first else { return nil }
  let rest = pattern.dropFirst()
  switch first {
  case UInt8(ascii: "?"): return rest
  case UInt8(ascii: "["):
    guard let (isIn, after) = set(byte, rest) else { return byte == first ? rest : nil }
    return isIn ? after : nil
  case UInt8(ascii: "\\"):
    guard let literal = rest.first else { return byte == first ? rest : nil }
    return byte == literal ? rest.dropFirst() : nil
  default: return byte == first ? rest : nil
  }
}

/// What follows a `[`: whether the byte is one of the set, and what comes after its `]`. Nil when there is no `]`.
private func set(_ byte: UInt8, _ pattern: ArraySlice<UInt8>) -> (isIn: Bool, after: ArraySlice<UInt8>)? {
  var rest = pattern
  let isNegated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
  if isNegated { rest = rest.dropFirst() }
  var isIn = false
  var isFirst = true
  while let low = rest.first {
    rest = rest.dropFirst()
    // A `]` that comes first is one of the set.
    if low == UInt8(ascii: "]"), !isFirst { return (isIn != isNegated, rest) }
    isFirst = false
    var high = low
    if rest.first == UInt8(ascii: "-"), let end = rest.dropFirst().first, end != UInt8(ascii: "]") {
      high = end
      rest = rest.dropFirst(2)
    }
    if low <= byte && byte <= high { isIn = true }
  }
  return nil
}
