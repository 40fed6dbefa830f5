import Bytes

// Numbers as the screen has them.

func decimalText(_ number: UInt64) -> [UInt8] {
  var out: [UInt8] = []
  appendDecimal(number, to: &out)
  return out
}

func signedText(_ number: Int8) -> [UInt8] {
  (number < 0 ? [UInt8]("-") : []) + decimalText(UInt64(number.magnitude))
}

/// A number with this many digits behind the point: 105 with two is `1.05`.
func fraction(_ number: UInt64, digits: Int) -> [UInt8] {
  var out = decimalText(number)
  while out.count <= digits { out.insert(UInt8(ascii: "0"), at: 0) }
  out.insert(UInt8(ascii: "."), at: out.count - digits)
  return out
}

/// KiB: in four digits, else in MiB or GiB with at most two before the point.
func memoryText(_ kibibytes: UInt32) -> [UInt8] {
  if kibibytes < 10_000 { return decimalText(UInt64(kibibytes)) }
  let mebibytes = UInt64(kibibytes) >> 10
  if mebibytes < 1000 { return decimalText(mebibytes) + [UInt8]("m") }
  return fraction((mebibytes * 10) >> 10, digits: 1).prefix(4) + [UInt8]("g")
}

/// Hundredths of a second as `2:43.84`; from 100 minutes on without them, `163:05`, and from 100 hours on in hours, `123h`.
func timeText(_ hundredths: UInt32) -> [UInt8] {
  let minutes = UInt64(hundredths) / 6000
  if minutes >= 6000 { return decimalText(minutes / 60) + [UInt8]("h") }
  var out = decimalText(minutes) + [UInt8](":")
  let seconds = UInt64(hundredths) % 6000
  if minutes >= 100 {
    if seconds < 1000 { out += [UInt8]("0") }
    return out + decimalText(seconds / 100)
  }
  if seconds < 1000 { out += [UInt8]("0") }
  return out + fraction(seconds, digits: 2)
}

func counted(_ count: UInt64, _ one: StaticString) -> [UInt8] {
  decimalText(count) + [UInt8](" ") + [UInt8](one) + (count == 1 ? [] : [UInt8]("s"))
}

func counted(_ count: UInt64, _ one: StaticString, _ several: StaticString) -> [UInt8] {
  decimalText(count) + [UInt8](" ") + [UInt8](count == 1 ? one : several)
}

/// In this many columns, or in as many as it needs.
func right(_ text: [UInt8], _ width: Int) -> [UInt8] {
  [UInt8](repeating: space, count: max(0, width - text.count)) + text
}

func left(_ text: [UInt8], _ width: Int) -> [UInt8] {
  text + [UInt8](repeating: space, count: max(0, width - text.count))
}
