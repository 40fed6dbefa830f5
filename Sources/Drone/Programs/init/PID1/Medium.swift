import DroneLayout
import BootLine
import Bytes
import Linux
import Media
import Reporting

private let mediumFolder = Path(DronePath.medium)
/// How long a CD may take to spin up, and a USB device to be found.
private let longestWait: UInt64 = 60_000
/// How long a medium that does not look like a drone's is left aside for one that does.
private let patience: UInt64 = 5000

/// Runs `medium`: finds the device behind the boot line's name, makes that name a link to it and mounts it read-only on
/// /mnt/boot; with the word `eject` releases it again and opens its tray. Returns its exit status.
func runMedium(_ line: BootLine) -> Int32 {
  let medium = line.medium ?? DroneWords.Medium(device: [UInt8]("/dev/cdrom"), filesystem: .iso9660)
  guard let device = findAndMount(medium) else {
    report(
      .degraded, "medium",
      medium.device + [UInt8](": no device with a file system ")
        + [UInt8](medium.filesystem.name) + [UInt8](" was found"))
    return 1
  }
  guard line.eject else {
    report(.ok, "medium", device + [UInt8](" on /mnt/boot, read-only"))
    return 0
  }
  do {
    try unmount(mediumFolder)
    if BlockDevice(device, isRemovable: true).isOptical {
      try eject("/dev" / device)
      report(.ok, "medium", device + [UInt8](" ejected"))
    } else {
      report(.ok, "medium", device + [UInt8](" is free and may be taken out"))
    }
    return 0
  } catch {
    report(.degraded, "medium", error.text)
    return 1
  }
}

/// The device's name once its medium is mounted; nil when none was found in time.
private func findAndMount(_ medium: DroneWords.Medium) -> [UInt8]? {
  let start = millisecondsSinceStart()
  while true {
    let waited = millisecondsSinceStart() &- start
    var second: BlockDevice?
    for device in mediumCandidates(blockDevices(), asked: [UInt8](medium.device.dropFirst(5))) {
      guard carries(medium.filesystem, device) else { continue }
      link(medium.device, to: device)
      guard mount(device, medium.filesystem) else { continue }
      if looksLikeDrone() { return device.name }
      try? unmount(mediumFolder)
      if second == nil { second = device }
    }
    if let second, waited >= patience {
      link(medium.device, to: second)
      if mount(second, medium.filesystem) { return second.name }
    }
    if waited >= longestWait { return nil }
    pause(milliseconds: 250)
  }
}

private func blockDevices() -> [BlockDevice] {
  let folder: Path = "/sys/class/block"
  return directoryEntries(folder).filter(isDeviceName).map { name in
    let flag: [UInt8]
    // A partition has no flag of its own: its disk's, one folder up, counts.
    if let own = try? readFile(folder / name / "removable") {
      flag = own
    } else {
      flag = (try? readFile(folder / name / "../removable")) ?? []
    }
    return BlockDevice(name, isRemovable: flag.first == UInt8(ascii: "1"))
  }
}

/// Reads only the sector that tells. An empty drive is an error of the read, and so no.
private func carries(_ type: DroneWords.FileSystem, _ device: BlockDevice) -> Bool {
  let signature: Signature = type == .iso9660 ? .iso9660 : .vfat
  guard let file = try? Descriptor("/dev" / device.name, .readNonBlocking) else { return false }
  if device.isOptical, !discIsPresent(file) { return false }
  guard let sector = try? file.read(at: signature.offset, count: signature.count)
  else { return false }
  return type == .iso9660 ? isISO9660(sector) : isVFAT(sector)
}

/// Makes the boot line's name a link to the device, unless a device has that name.
private func link(_ asked: [UInt8], to device: BlockDevice) {
  guard asked.starts(with: [UInt8]("/dev/")), isDeviceName([UInt8](asked.dropFirst(5))),
    asked != [UInt8]("/dev/") + device.name
  else { return }
  try? makeSymbolicLink(Path(asked), to: device.name)
}

private func mount(_ device: BlockDevice, _ type: DroneWords.FileSystem) -> Bool {
  if !exists(mediumFolder) {
    try? makeDirectory("/mnt")
    try? makeDirectory(mediumFolder)
  }
  do {
    try mountFileSystem(
      ("/dev" / device.name).bytes, on: mediumFolder, type: [UInt8](type.name),
      flags: [.readOnly, .noSetuid, .noDevices])
    return true
  } catch {
    return false
  }
}

private func looksLikeDrone() -> Bool { exists(mediumFolder / MediumPath.folder) }
