import Addresses
import Testing

@testable import Media

@Suite("The boot medium")
struct BootMediumTests {
  func names(_ devices: [(String, Bool)], asked: String = "cdrom") -> [String] {
    let list = devices.map { BlockDevice(Array($0.0.utf8), isRemovable: $0.1) }
    return mediumCandidates(list, asked: Array(asked.utf8)).map { String(decoding: $0.name, as: UTF8.self) }
  }

  @Test("CD drives come first, then what can be unplugged, then disks; memory, loops and floppies never")
  func order() {
    let devices = [
      ("loop0", false), ("ram0", false), ("fd0", true), ("sda", false), ("sda1", false), ("sdb1", true), ("sdb", true),
      ("sr1", true), ("sr0", true),
    ]
    #expect(names(devices) == ["sr0", "sr1", "sdb", "sdb1", "sda", "sda1"])
  }

  @Test("a disk comes before its partitions, which on a hybrid image's stick begin with the same bytes")
  func wholeDiskFirst() {
    #expect(names([("sda1", true), ("sda2", true), ("sda", true)]) == ["sda", "sda1", "sda2"])
    #expect(names([("nvme0n1p1", false), ("nvme0n1", false)]) == ["nvme0n1", "nvme0n1p1"])
    #expect(names([("mmcblk0p1", true), ("mmcblk0", true)]) == ["mmcblk0", "mmcblk0p1"])
  }

  @Test("a device that exists by the asked name is the only candidate")
  func exact() {
    #expect(names([("sr0", true), ("sda1", false)], asked: "sda1") == ["sda1"])
    #expect(names([("sr0", true), ("fd0", true)], asked: "fd0") == ["fd0"])
    #expect(names([], asked: "sda1") == [])
  }

  @Test("an ISO 9660 volume is known by its primary volume descriptor")
  func iso() {
    var sector = [UInt8](repeating: 0, count: 2048)
    sector.replaceSubrange(0..<7, with: [1, 0x43, 0x44, 0x30, 0x30, 0x31, 1])
    #expect(isISO9660(sector))
    #expect(!isISO9660(Array(sector.dropLast())))
    sector[0] = 255  // the descriptor that ends the list
    #expect(!isISO9660(sector))
    #expect(!isISO9660([]))
  }

  @Test("a FAT volume is known by its boot sector", arguments: [54, 82])
  func vfat(_ offset: Int) {
    var sector = [UInt8](repeating: 0, count: 512)
    sector.replaceSubrange(offset..<(offset + 3), with: Array("FAT".utf8))
    #expect(!isVFAT(sector))
    sector[510] = 0x55
    sector[511] = 0xAA
    #expect(isVFAT(sector))
    #expect(!isVFAT(Array(sector.dropLast())))
  }
}
