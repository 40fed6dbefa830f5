import Bytes

/// The name of a user in a file as /etc/passwd is (passwd(5)): `name:password:uid:…`, a line each; nil if it has none for this uid.
public func userName(of user: UInt32, in passwd: [UInt8]) -> [UInt8]? {
  for line in passwd.split(separator: UInt8(ascii: "\n")) {
    let fields = line.split(separator: UInt8(ascii: ":"), maxSplits: 3, omittingEmptySubsequences: false)
    if fields.count == 4, !fields[0].isEmpty, decimal(fields[2]) == UInt64(user) { return [UInt8](fields[0]) }
  }
  return nil
}
