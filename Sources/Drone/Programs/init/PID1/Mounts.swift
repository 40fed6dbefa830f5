import DroneLayout
import Bytes
import Linux
import MachineReadings
import MemoryBudget
import Reporting

/// A file system that the drone lives on besides its root.
private struct View {
  let type: StaticString
  let folder: StaticString
  var flags: MountFlags = [.noSetuid, .noExecution, .noDevices]
  var options: StaticString = ""
  /// Nil for one that takes no memory.
  var limit: ((FileSystemLimits) -> FileSystemLimits.Limit)?
}

/// Mounts the kernel's views and what may change while the drone runs; returns the folders for which that failed.
func mountKernelViews() -> [SystemError] {
  let views = [
    View(type: "proc", folder: "/proc"),
    View(type: "sysfs", folder: "/sys"),
    View(type: "devtmpfs", folder: "/dev", flags: [.noSetuid], options: "mode=0755"),
    View(type: "devpts", folder: "/dev/pts", flags: [.noSetuid, .noExecution], options: "mode=0620,ptmxmode=0666"),
    View(
      type: "tmpfs", folder: "/dev/shm", flags: [.noSetuid, .noDevices], options: "mode=1777", limit: { $0.shm }),
    View(type: "tmpfs", folder: "/run", options: "mode=0755", limit: { $0.run }),
    View(type: "tmpfs", folder: "/tmp", flags: [.noSetuid, .noDevices], options: "mode=1777", limit: { $0.tmp }),
  ]
  setCreationMask(0o022)
  var failures: [SystemError] = []
  for view in views {
    let folder = Path([UInt8](view.folder))
    do {
      if !exists(folder) { try makeDirectory(folder) }
      // Known once /proc is there.
      let limit = memoryLimits().flatMap { limits in view.limit.map { [UInt8](",") + $0(limits).options } } ?? []
      try mountFileSystem(
        [UInt8](view.type), on: folder, type: [UInt8](view.type), flags: view.flags,
        options: [UInt8](view.options) + limit)
    } catch {
      // The kernel may have mounted devtmpfs itself.
      if !error.isBusy { failures.append(error) }
    }
  }
  failures += limitKernelsOwn()
  try? makeDirectory(Path(DronePath.network))
  try? makeDirectory(servicesFolder, permissions: 0o700)
  return failures
}

/// The kernel has made /dev and the root, which are limited afterwards. A root that it made for the word `root=` is ramfs, which
/// knows no limits.
private func limitKernelsOwn() -> [SystemError] {
  guard let limits = memoryLimits() else { return [] }
  var failures: [SystemError] = []
  do {
    try mountFileSystem(
      [UInt8]("devtmpfs"), on: "/dev", type: [UInt8]("devtmpfs"), flags: [.noSetuid, .remount],
      options: limits.dev.options)
  } catch { failures.append(error) }
  guard let root = fileSystemUse(of: "/"), root.size > 0 else { return failures }
  let limit = limits.root(used: root.size - root.free, inodes: root.inodes - root.freeInodes)
  do {
    try mountFileSystem([UInt8]("rootfs"), on: "/", type: [UInt8]("rootfs"), flags: .remount, options: limit.options)
  } catch { failures.append(error) }
  return failures
}

/// Nil when the kernel does not say how much memory there is.
private func memoryLimits() -> FileSystemLimits? {
  var machine = MachineReadings()
  machine.read(meminfo: (try? readFile("/proc/meminfo")) ?? [])
  return machine.memoryTotal > 0 ? FileSystemLimits(total: machine.memoryTotal) : nil
}

func reportMounts(_ failures: [SystemError]) {
  if failures.isEmpty {
    var text = [UInt8]("/proc /sys /dev /run /tmp")
    if let limits = memoryLimits() {
      text += [UInt8]("; at most ")
      appendDecimal(limits.tmp.size, to: &text)
      text += [UInt8](" KB in /tmp, ")
      appendDecimal(limits.run.size, to: &text)
      text += [UInt8](" KB in /run")
    }
    report(.ok, "mounts", text)
  }
  for failure in failures { report(.failed, "mounts", failure.text) }
}
