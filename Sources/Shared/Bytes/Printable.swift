/// The byte itself if it is printable ASCII, else `?`.
public func printable(_ byte: UInt8) -> UInt8 {
  byte >= 0x20 && byte < 0x7F ? byte : UInt8(ascii: "?")
}
