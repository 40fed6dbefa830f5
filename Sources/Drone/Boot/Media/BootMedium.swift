import Bytes

/// The bytes that identify a file system: `count` from `offset` on.
public struct Signature: Sendable {
  public let offset: Int64
  public let count: Int

  /// The primary volume descriptor of a CD (ECMA-119 §6.2.1): sector 16 of 2048 bytes.
  public static let iso9660 = Signature(offset: 32_768, count: 2048)
  /// The boot sector of a FAT volume.
  public static let vfat = Signature(offset: 0, count: 512)
}

/// Whether the sector is a primary volume descriptor: type 1, `CD001`, version 1 (ECMA-119 §8.4).
public func isISO9660(_ sector: [UInt8]) -> Bool {
  sector.count == Signature.iso9660.count && sector.starts(with: [1] + [UInt8]("CD001") + [1])
}

/// Whether the sector starts a FAT12, FAT16 or FAT32 volume (FAT specification 1.03: the type's name at 54 or 82).
public func isVFAT(_ sector: [UInt8]) -> Bool {
  guard sector.count == Signature.vfat.count, sector[510] == 0x55, sector[511] == 0xAA else { return false }
  let name = [UInt8]("FAT")
  return sector[54..<57].elementsEqual(name) || sector[82..<85].elementsEqual(name)
}

/// A block device of the machine: its name below /dev and whether its medium can be taken out.
public struct BlockDevice: Equatable, Sendable {
  public let name: [UInt8]
  public let isRemovable: Bool

  public init(_ name: [UInt8], isRemovable: Bool) {
    self.name = name
    self.isRemovable = isRemovable
  }

  /// A CD or DVD drive.
  public var isOptical: Bool { name.starts(with: [UInt8]("sr")) }

  /// Smaller comes first; nil is never read: memory, loops, and floppies, which are slow and noisy.
  var rank: Int? {
    if isOptical { return 0 }
    for prefix: StaticString in ["ram", "loop", "fd", "zram", "dm-", "md"] where name.starts(with: [UInt8](prefix)) {
      return nil
    }
    return isRemovable ? 1 : 2
  }
}

/// Where the boot medium may be, likeliest first: CD drives, then what can be unplugged, then the rest.
/// - Parameter asked: the name that the boot line gives. If there is a device of that name, it alone counts.
public func mediumCandidates(_ devices: [BlockDevice], asked: [UInt8]) -> [BlockDevice] {
  if let exact = devices.first(where: { $0.name == asked }) { return [exact] }
  var found: [BlockDevice] = []
  for rank in 0...2 {
    var some = devices.filter { $0.rank == rank }
    some.sort { $0.name.lexicographicallyPrecedes($1.name) }
    found += some
  }
  return found
}
