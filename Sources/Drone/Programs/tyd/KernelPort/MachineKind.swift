import Bytes
import DroneLayout
import Integrity
import Linux

/// What this machine is, decided once where the program starts.
enum MachineKind {
  case drone
  /// A full Linux, with a packet filter of its own.
  case host

  /// A drone runs from the root that the kernel unpacked into its rootfs, and process 1 was started from there. A full Linux
  /// mounts another root over that one, and no file that somebody makes under /run changes it.
  static var current: MachineKind {
    guard let text = try? readFile("/proc/1/mountinfo", limit: 1 << 18),
      let root = MountTable(text: text).mounts.last(where: { $0.point.spells("/") }), root.type.spells("rootfs"),
      let program = try? symbolicLink("/proc/1/exe"), program.spells(ProgramPath.initialization)
    else { return .host }
    return .drone
  }
}
