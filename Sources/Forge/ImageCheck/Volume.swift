/// A CD's volume, as far as it takes to find what boots (ECMA-119 §8.4).
struct Volume: Equatable {
  static let sector = 2048
  /// The volume descriptors begin behind the 16 sectors of the system area (ECMA-119 §6.2.1).
  static let firstDescriptor = 16

  /// 2048-byte sectors of the whole volume.
  var sectors: Int
  /// Where the boot catalogue lies; nil without a boot record.
  var catalogue: Int?

  /// Reads the descriptors and says what is wrong with them; nil when nothing else can be found through them.
  ///
  /// - Parameter end: where the volume should end in `image`; nil for its end.
  static func read(_ image: some ByteSource, end: Int? = nil, _ findings: inout [Finding]) -> Volume? {
    func wrong(_ reason: String) { findings.append(Finding(.volume, "volume", reason)) }
    let start = firstDescriptor * sector
    guard image.count >= start + sector else {
      wrong("the image ends before its volume descriptor")
      return nil
    }
    guard image.byte(start) == 1, image.has("CD001", at: start + 1), image.byte(start + 6) == 1 else {
      wrong("sector 16 holds no primary volume descriptor, so this is no CD image")
      return nil
    }
    // Numbers are there twice, low byte first and high byte first (§7.2.3, §7.3.3).
    var broken: [String] = []
    func word(_ offset: Int, _ name: String) -> Int {
      let value = image.word(start + offset)
      if value == nil || value != image.bigWord(start + offset + 2) { broken.append(name) }
      return Int(value ?? 0)
    }
    func long(_ offset: Int, _ name: String) -> Int {
      let value = image.long(start + offset)
      if value == nil || value != image.bigLong(start + offset + 4) { broken.append(name) }
      return Int(value ?? 0)
    }
    let volume = Volume(sectors: long(80, "space size"))
    _ = word(120, "set size")
    _ = word(124, "sequence number")
    let block = word(128, "block size")
    let tableSize = long(132, "path table size")
    // The root directory's record begins at byte 156: extent at 2, its length at 10 (§9.1).
    let root = long(156 + 2, "root directory's place")
    let rootLength = long(156 + 10, "root directory's length")
    if !broken.isEmpty { wrong("the two notations differ of the \(broken.joined(separator: ", the "))") }
    if block != sector { wrong("its blocks are of \(block) bytes instead of \(sector)") }
    if image.byte(start + 156) != 34 || (image.byte(start + 156 + 25) ?? 0) & 2 == 0 {
      wrong("the root directory's record is damaged")
    }
    let all = volume.sectors * sector
    let end = end ?? image.count
    if image.count < all {
      wrong("the image is cut off: \(image.count) of \(all) bytes are there")
    } else if end < all {
      wrong("the EFI partition begins \(all - end) bytes before the volume's end")
    }
    if end > all { wrong("\(end - all) bytes follow the volume's end") }
    if root < firstDescriptor || root * sector + rootLength > all { wrong("the root directory lies outside") }
    let table = Int(image.long(start + 140) ?? 0)
    if table < firstDescriptor || table * sector + tableSize > all { wrong("the path table lies outside") }

    // The others follow, the last is of type 255 (§8.3).
    var result = volume
    var place = firstDescriptor + 1
    while true {
      let offset = place * sector
      guard place < firstDescriptor + 32, image.part(offset, sector) != nil, image.has("CD001", at: offset + 1) else {
        wrong("the volume descriptors have no end")
        break
      }
      let type = image.byte(offset)
      if type == 255 { break }
      // El Torito §2.0, figure 7.
      if type == 0, image.has("EL TORITO SPECIFICATION", at: offset + 7) {
        result.catalogue = Int(image.long(offset + 0x47) ?? 0)
      }
      place += 1
    }
    return result
  }
}
