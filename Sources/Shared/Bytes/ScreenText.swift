// Numbers as the screen has them.

/// KiB: in four digits, else in MiB or GiB with at most two before the point.
public func memoryText(_ kibibytes: UInt32) -> [UInt8] {
  if kibibytes < 10_000 { return decimalText(kibibytes) }
  let mebibytes = UInt64(kibibytes) >> 10
  if mebibytes < 1000 { return decimalText(mebibytes) + [UInt8]("m") }
  return decimalText((mebibytes * 10) >> 10, places: 1).prefix(4) + [UInt8]("g")
}

/// Hundredths of a second as `2:43.84`; from 100 minutes on without them, `163:05`, and from 100 hours on in hours, `123h`.
public func timeText(_ hundredths: UInt32) -> [UInt8] {
  let minutes = UInt64(hundredths) / 6000
  if minutes >= 6000 { return decimalText(minutes / 60) + [UInt8]("h") }
  var out = decimalText(minutes) + [UInt8](":")
  let seconds = UInt64(hundredths) % 6000
  if minutes >= 100 {
    if seconds < 1000 { out += [UInt8]("0") }
    return out + decimalText(seconds / 100)
  }
  if seconds < 1000 { out += [UInt8]("0") }
  return out + decimalText(seconds, places: 2)
}

public func counted(_ count: UInt64, _ one: StaticString) -> [UInt8] {
  decimalText(count) + [UInt8](" ") + [UInt8](one) + (count == 1 ? [] : [UInt8]("s"))
}

public func counted(_ count: UInt64, _ one: StaticString, _ several: StaticString) -> [UInt8] {
  decimalText(count) + [UInt8](" ") + [UInt8](count == 1 ? one : several)
}

/// In this many columns, or in as many as it needs.
public func right(_ text: [UInt8], _ width: Int) -> [UInt8] {
  [UInt8](repeating: UInt8(ascii: " "), count: max(0, width - text.count)) + text
}

public func left(_ text: [UInt8], _ width: Int) -> [UInt8] {
  text + [UInt8](repeating: UInt8(ascii: " "), count: max(0, width - text.count))
}
