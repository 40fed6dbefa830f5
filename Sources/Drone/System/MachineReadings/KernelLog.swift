import Bytes

/// Firmware that a driver asked for and did not get.
public struct MissingFirmware: Equatable, Sendable {
  /// `r8169`
  public let driver: [UInt8]
  /// The device's name on its bus: `0000:02:00.0`.
  public let device: [UInt8]
  /// `rtl_nic/rtl8168g-2.fw`
  public let file: [UInt8]

  public init(driver: [UInt8], device: [UInt8], file: [UInt8]) {
    self.driver = driver
    self.device = device
    self.file = file
  }
}

/// The firmware that the kernel's log says is missing, each file of each device once:
/// `r8169 0000:02:00.0: Direct firmware load for rtl_nic/rtl8168g-2.fw failed with error -2`. The driver of a card that is
/// up already puts its interface behind the device: `tg3 0000:02:00.0 eth0: …`.
public func missingFirmware(kernelLog: [UInt8]) -> [MissingFirmware] {
  let phrase = [UInt8]("Direct firmware load for ")
  var found: [MissingFirmware] = []
  for line in kernelLog.split(separator: UInt8(ascii: "\n")) {
    guard let start = position(of: phrase, in: line) else { continue }
    let file = [UInt8](line[(start + phrase.count)...].prefix { $0 != UInt8(ascii: " ") })
    var words = line[..<start].split(separator: UInt8(ascii: " "))
    // `<4>[`, `1.23]` and the like come first: the driver is the word before the first one with a colon inside and digits.
    while let word = words.last, !isBusName(word) { words.removeLast() }
    guard words.count >= 2, let device = words.popLast(), let driver = words.last else { continue }
    let missing = MissingFirmware(
      driver: [UInt8](driver), device: [UInt8](device.last == UInt8(ascii: ":") ? device.dropLast() : device),
      file: file)
    if !found.contains(missing) { found.append(missing) }
  }
  return found
}

/// Why the kernel unpacked only a part of its root (init/initramfs.c, do_populate_rootfs): `write error` where memory ended. Nil when it
/// says nothing of that.
public func rootUnpackingFailure(kernelLog: [UInt8]) -> [UInt8]? {
  let phrase = [UInt8]("Initramfs unpacking failed: ")
  for line in kernelLog.split(separator: UInt8(ascii: "\n")) {
    if let start = position(of: phrase, in: line) { return [UInt8](line[(start + phrase.count)...]) }
  }
  return nil
}

/// `0000:02:00.0` or `00:05`, with or without a colon behind: a digit first and a colon inside.
private func isBusName(_ word: ArraySlice<UInt8>) -> Bool {
  guard let first = word.first, hexadecimalDigit(first) != nil else { return false }
  return word.dropLast().contains(UInt8(ascii: ":"))
}

/// Where the bytes first occur.
private func position(of needle: [UInt8], in line: ArraySlice<UInt8>) -> Int? {
  guard !needle.isEmpty, line.count >= needle.count else { return nil }
  return (line.startIndex...(line.endIndex - needle.count)).first { line[$0...].starts(with: needle) }
}
