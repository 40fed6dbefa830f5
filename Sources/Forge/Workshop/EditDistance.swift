/// How many bytes have to be changed, put in or taken out to make one word of another (Levenshtein): what was meant by a name that
/// is not there is a near one.
public func editDistance(_ one: some Collection<UInt8>, _ other: some Collection<UInt8>) -> Int {
  var row = Array(0...other.count)
  for (index, byte) in one.enumerated() {
    var diagonal = row[0]
    row[0] = index + 1
    for (column, wanted) in other.enumerated() {
      let change = diagonal + (byte == wanted ? 0 : 1)
      diagonal = row[column + 1]
      row[column + 1] = min(change, row[column] + 1, row[column + 1] + 1)
    }
  }
  return row[other.count]
}
