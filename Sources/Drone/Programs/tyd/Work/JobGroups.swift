import Addresses
import Bytes
import Jobs
import Linux
import MachineReadings

/// The control groups in which jobs run (the kernel's cgroup-v2.rst): what they use together is bounded, and each by itself.
struct JobGroups {
  /// The folder of the group of all jobs.
  let root: Path

  /// A job has at most so many processes and threads.
  private static let mostProcesses: StaticString = "4096"
  /// Half of what the node's own programs get of a processor that both want (cpu.weight, 100 is usual).
  private static let weight: StaticString = "50"

  /// Mounts the groups for the calling process's mount namespace, unless they are there already, and makes the one of all jobs.
  /// Throws where the kernel has none that are free.
  init(_ folder: Path) throws(SystemError) {
    let usual: Path = "/sys/fs/cgroup"
    let top: Path
    if exists(usual / "cgroup.controllers") {
      // On a full Linux systemd has them, and gives mosd's service a part (Delegate=).
      let own = (try? readFile("/proc/self/cgroup", limit: 4096)) ?? []
      let path = own.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: [UInt8]("0::")) } ?? []
      top = Path(usual.bytes + path.dropFirst(3))
      // Processes and controllers exclude each other in one group: mosd itself moves down.
      try makeDirectory(top / "mosd")
      try writeFile(top / "mosd" / "cgroup.procs", [UInt8]("0"))
    } else {
      top = folder
      try makeDirectory(folder, permissions: 0o700)
      if !exists(folder / "cgroup.controllers") {
        try mountFileSystem([UInt8]("mosd"), on: folder, type: [UInt8]("cgroup2"))
      }
    }
    root = top / "jobs"
    try JobGroups.hand(down: top)
    try makeDirectory(root)
    try JobGroups.hand(down: root)
    // Those of a mosd that crashed: their memory is not free yet.
    clear {}
    let machine = readMachine()
    // What is kept for the node itself besides what it uses now, in KiB: a tenth, and no less than tyd and the shells need.
    let kept = max(machine.memoryTotal / 10, 8 << 10)
    let free = machine.memoryAvailable
    let most = UInt64(free > 2 * kept ? free - kept : free / 2) << 10
    try writeFile(root / "memory.max", decimalText(most))
    try? writeFile(root / "cpu.weight", [UInt8](JobGroups.weight))
  }

  private static func hand(down folder: Path) throws(SystemError) {
    try writeFile(folder / "cgroup.subtree_control", [UInt8]("+memory +pids +cpu"))
  }

  /// Makes a group for a job, whose name it has: whoever writes `0` there is in it.
  func make(_ name: JobName) throws(SystemError) -> OpenSocket {
    let group = root / name.text
    try makeDirectory(group)
    try writeFile(group / "pids.max", [UInt8](JobGroups.mostProcesses))
    // Whoever is over ends as a whole: half a job is no result.
    try? writeFile(group / "memory.oom.group", [UInt8]("1"))
    return OpenSocket(try Descriptor(group / "cgroup.procs", .write))
  }

  /// Those of all jobs, by their texts.
  var names: [[UInt8]] { directoryEntries(root).filter { JobName($0) != nil } }

  /// A job has ended. While one of its processes is there, its group stays.
  func remove(_ name: [UInt8]) { try? removeDirectory(root / name) }

  /// Waits until no job has a group any more, five seconds at most; `collect` takes ended children meanwhile.
  func clear(_ collect: () -> Void) {
    for _ in 0..<100 {
      collect()
      for name in names { remove(name) }
      if names.isEmpty { return }
      pause(milliseconds: 50)
    }
  }

  /// What a job has used of processors, in milliseconds, and uses of memory, in KiB.
  func usage(_ name: JobName) -> (processor: UInt64, memory: UInt64) {
    let times = (try? readFile(root / name.text / "cpu.stat", limit: 4096)) ?? []
    let line = times.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: [UInt8]("usage_usec ")) }
    let memory = (try? readFile(root / name.text / "memory.current", limit: 64)) ?? []
    return (
      (line.flatMap { decimal($0.dropFirst(11)) } ?? 0) / 1000,
      (decimal(memory.prefix { $0 != UInt8(ascii: "\n") }) ?? 0) >> 10
    )
  }

  /// Sends each process of a job a signal; false when there is none.
  func signal(_ signal: UInt8, _ name: JobName) -> Bool {
    let processes = (try? readFile(root / name.text / "cgroup.procs", limit: 1 << 20)) ?? []
    var found = false
    for line in processes.split(separator: UInt8(ascii: "\n")) {
      guard let number = decimal(line), let process = UInt32(exactly: number) else { continue }
      if signalProcess(process, signal) { found = true }
    }
    return found
  }
}
