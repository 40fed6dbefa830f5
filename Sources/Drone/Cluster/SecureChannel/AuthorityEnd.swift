import Bytes

extension Certificate {
  /// Why this authority is of no use any longer at `time`, the present by this machine's clock in seconds since 1970, and what to
  /// do, as a sentence; nil as long as it lasts.
  public func ending(at time: Int64) -> [UInt8]? {
    guard time >= notAfter else { return nil }
    return [UInt8]("the cluster's authority ended on ") + day(of: notAfter)
      + [UInt8](" and this machine's clock says ") + day(of: time)
      + [UInt8]("; set the clock if it is wrong, else say droneforge cluster rotate and make new images.")
  }
}

/// The day, in UTC, of a time in seconds since 1970, as `2026-01-31`; of one beyond the year 9999 its last.
func day(of time: Int64) -> [UInt8] {
  // Counted from 1 March of the year 0, so that the leap day is the last of its year (146,097 days are 400 years).
  let days = UInt32(max(0, min(time, Certificate.noExpiration)) / 86_400) + 719_468
  let ofEra = days % 146_097
  let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
  let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  // March is month 0; five months have 153 days.
  let month = (5 * ofYear + 2) / 153
  let isNextYear = month > 9
  var out: [UInt8] = []
  appendDecimal(UInt64(days / 146_097 * 400 + yearOfEra + (isNextYear ? 1 : 0)), to: &out)
  for part in [isNextYear ? month - 9 : month + 3, ofYear - (153 * month + 2) / 5 + 1] {
    out += [UInt8(ascii: "-"), UInt8(ascii: "0") + UInt8(part / 10), UInt8(ascii: "0") + UInt8(part % 10)]
  }
  return out
}
