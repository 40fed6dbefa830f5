import CLinux

/// Unlocks and opens the tray of a CD drive.
public func eject(_ drive: Path) throws(SystemError) {
  let device = try Descriptor(drive, .readNonBlocking)
  guard linux_eject(device.number) == 0 else { throw SystemError("eject", drive.bytes) }
}

/// Whether a CD drive has a disc that can be read. Reading an empty one would only fill the kernel's log with errors.
public func discIsPresent(_ drive: borrowing Descriptor) -> Bool { linux_disc_present(drive.number) != 0 }
