import Bytes
import MachineReadings

/// The processes of this machine, those of the kernel included, in no order; at most `limit` of them. One that ends meanwhile is
/// left out.
public func readProcesses(limit: Int = 4096) -> [ProcessReading] {
  let folder: Path = "/proc"
  var found: [ProcessReading] = []
  for name in directoryEntries(folder) where decimal(name) != nil {
    // The numbers and a name of at most 64 bytes take less than 1 KiB.
    guard found.count < limit, let text = try? readFile(folder / name / "stat", limit: 2048),
      let reading = ProcessReading(stat: text)
    else { continue }
    found.append(reading)
  }
  return found
}

extension ListedProcess {
  /// As whom a process acts, and what it shares, besides what the look saw; nothing of one that has ended.
  public init(reading process: ProcessLook.Process) {
    var name: [UInt8] = []
    appendDecimal(UInt64(process.reading.process), to: &name)
    let folder = "/proc" as Path / name
    let status = (try? readFile(folder / "status", limit: 4096)) ?? []
    let statm = (try? readFile(folder / "statm", limit: 256)) ?? []
    let cgroup = (try? readFile(folder / "cgroup", limit: 1024)) ?? []
    self.init(
      process, user: ProcessReading.user(status: status) ?? 0, shared: ProcessReading.shared(statm: statm),
      job: ProcessReading.job(cgroup: cgroup))
  }
}
