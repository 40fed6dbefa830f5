import DroneLayout
import SystemPackage
import Target
import Workshop

/// What a drone's root is made from, apart from what every root has.
public struct RootParts: Sendable {
  /// The drone's own programs; one of them is `/sbin/init`.
  public var programs: [DroneProgram]
  public var busybox: SuppliedFile
  /// BusyBox's applets, as absolute paths of links.
  public var applets: [String]
  /// The folder whose files go into the image as they are.
  public var files: FilePath

  public init(programs: [DroneProgram], busybox: SuppliedFile, applets: [String], files: FilePath) {
    self.programs = programs
    self.busybox = busybox
    self.applets = applets
    self.files = files
  }
}

extension Manifest {
  /// The whole root of a drone.
  ///
  /// A file or program replaces an applet of the same path; any other clash is an error.
  public init(root parts: RootParts, with more: [Entry] = []) throws {
    var entries = fixedEntries + keyboardEntries + more
    for program in parts.programs {
      let place = program.place
      let why = place == .processOne ? "process 1 and the drone's programs" : "a program of the drone"
      entries.append(.file(place.path, .file(program.stripped), executable: true, why: why))
      for link in place.links {
        entries.append(.link(link, to: place.path, why: "a program of the drone, by its own name"))
      }
    }
    entries.append(
      .file(
        "/bin/busybox", .file(parts.busybox.path), executable: true, why: "the everyday commands",
        origin: parts.busybox.origin))
    var taken = Set(entries.map(\.path))
    entries += try filesAsTheyAre(parts.files).filter { $0.kind != .directory || !taken.contains($0.path) }
    taken.formUnion(entries.map(\.path))
    for applet in parts.applets where taken.insert(applet).inserted {
      entries.append(.link(applet, to: "/bin/busybox", why: "a command of BusyBox", origin: parts.busybox.origin))
    }
    try self.init(entries)
  }
}

/// What every root has.
private let fixedEntries: [Entry] = [
  // The kernel makes its root as a tmpfs, which anybody may write to.
  .directory("/", why: "the root itself, writable by root alone"),
  .directory("/bin", why: "everyday commands"),
  .directory("/dev", why: "devtmpfs is mounted here"),
  .directory("/etc", why: "configuration"),
  .directory("/mnt", why: "mount points"),
  .directory("\(DronePath.medium)", why: "the boot medium, when boot= asks for it"),
  .directory("/proc", why: "proc is mounted here"),
  .directory("/root", mode: 0o700, why: "home of the console's user"),
  .directory("/run", why: "tmpfs for all that changes"),
  .directory("/sbin", why: "system programs"),
  .directory("/sys", why: "sysfs is mounted here"),
  .directory("/tmp", why: "tmpfs for anybody's files"),
  .directory("/usr/bin", why: "everyday commands"),
  .directory("/usr/sbin", why: "system programs"),
  .directory("/var", why: "programs look for /var/run and /var/log here"),

  // The kernel opens the console before init has mounted devtmpfs (Documentation/admin-guide/devices.txt).
  .characterDevice("/dev/console", 5, 1, why: "process 1's standard streams"),
  .characterDevice("/dev/null", 1, 3, why: "programs started before devtmpfs is there"),

  .link("/init", to: "sbin/init", why: "what the kernel starts from an initramfs"),
  .link("/etc/hosts", to: "\(DronePath.hosts)", why: "written by fix_hosts"),
  .link("/etc/resolv.conf", to: "\(DronePath.resolver)", why: "written when a lease arrives"),
  .link("/etc/mtab", to: "/proc/mounts", why: "df and mount read it"),
  .link("/var/log", to: "/run/log", why: "syslogd writes here"),
  .link("/var/run", to: "/run", why: "daemons note their process ids here"),
  .link("/var/tmp", to: "/tmp", why: "programs expect it"),
]
