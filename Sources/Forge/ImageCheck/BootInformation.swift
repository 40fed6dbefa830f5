/// Checks the table that mkisofs's `-boot-info-table` writes into bytes 8 to 63 of a boot loader: where the volume
/// descriptor and the loader itself lie, its length and checksum (mkisofs(8), "EL TORITO BOOT INFORMATION TABLE").
///
/// `loader`: the file's bytes as the file system gives them; `sector`: where the boot catalogue says it is.
func checkBootInformation(_ image: some ByteSource, loader: [UInt8], sector: Int) -> [Finding] {
  var findings: [Finding] = []
  func wrong(_ reason: String) { findings.append(Finding(.bootInformation, "boot loader", reason)) }
  guard loader.count >= 64 else { return [Finding(.bootInformation, "boot loader", "it is too short for the table")] }
  if image.part(sector * Volume.sector, loader.count).map({ $0.elementsEqual(loader) }) != true {
    wrong("the boot catalogue points at something else, in sector \(sector)")
  }
  if let place = loader.long(8), place != Volume.firstDescriptor {
    wrong("its table has the volume descriptor in sector \(place) instead of 16")
  }
  if let place = loader.long(12), place != sector { wrong("its table has it in sector \(place) instead of \(sector)") }
  if let length = loader.long(16), length != loader.count {
    wrong("its table has a length of \(length) bytes instead of \(loader.count)")
  }
  // Of 32-bit words from byte 64, the last filled up with zeros.
  let sum = stride(from: 64, to: loader.count, by: 4).reduce(UInt32(0)) { sum, offset in
    let word = loader[offset..<min(offset + 4, loader.count)]
    return sum &+ word.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
  if let checksum = loader.long(20), checksum != sum {
    wrong("its table's checksum is \(checksum) instead of \(sum): the file is damaged")
  }
  if loader[24..<64].contains(where: { $0 != 0 }) { wrong("the table's reserved bytes are not zero") }
  return findings
}
