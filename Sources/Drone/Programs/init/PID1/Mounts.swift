import DroneLayout
import Bytes
import Linux
import Reporting

/// A file system that the drone lives on besides its root.
private struct View {
  let type: StaticString
  let folder: StaticString
  var flags: MountFlags = [.noSetuid, .noExecution, .noDevices]
  var options: StaticString = ""
}

/// Mounts the kernel's views and what may change while the drone runs; returns the folders for which that failed.
func mountKernelViews() -> [SystemError] {
  let views = [
    View(type: "proc", folder: "/proc"),
    View(type: "sysfs", folder: "/sys"),
    View(type: "devtmpfs", folder: "/dev", flags: [.noSetuid], options: "mode=0755"),
    View(type: "devpts", folder: "/dev/pts", flags: [.noSetuid, .noExecution], options: "mode=0620,ptmxmode=0666"),
    View(type: "tmpfs", folder: "/dev/shm", flags: [.noSetuid, .noDevices], options: "mode=1777"),
    View(type: "tmpfs", folder: "/run", options: "mode=0755"),
    View(type: "tmpfs", folder: "/tmp", flags: [.noSetuid, .noDevices], options: "mode=1777"),
  ]
  setCreationMask(0o022)
  var failures: [SystemError] = []
  for view in views {
    let folder = Path([UInt8](view.folder))
    do {
      if !exists(folder) { try makeDirectory(folder) }
      try mountFileSystem(
        [UInt8](view.type), on: folder, type: [UInt8](view.type), flags: view.flags, options: [UInt8](view.options))
    } catch {
      // The kernel may have mounted devtmpfs itself.
      if !error.isBusy { failures.append(error) }
    }
  }
  try? makeDirectory(Path(DronePath.network))
  try? makeDirectory(servicesFolder, permissions: 0o700)
  return failures
}

func reportMounts(_ failures: [SystemError]) {
  if failures.isEmpty { report(.ok, "mounts", "/proc /sys /dev /run /tmp") }
  for failure in failures { report(.failed, "mounts", failure.text) }
}
