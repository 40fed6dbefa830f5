import BootLine
import Bytes
import DroneLayout
import KernelModules
import Linux
import ProcessControl
import Reporting
import Supervision

/// How long after its start a drone looks for devices that show themselves late, as those on USB do, in milliseconds.
private let patience: UInt64 = 10_000
/// Devices come in groups: after the first one so long is waited for the others.
private let groupPause = 30

/// Loads what the computer's devices need, and waits until that is done for those that are there. What comes later is served beside
/// the steps that follow.
func startModules(_ supervisor: inout Supervisor) {
  do {
    let pipe = try Pipe()
    supervisor.keep([UInt8]("modules"), ownProgram(.modules), .never, announcement: pipe.output.number)
    let ready = pipe.keepingInput()
    let outcome = supervisor.run(until: millisecondsSinceStart() &+ 10_000, readable: ready.number)
    if outcome == .timedOut { report(.degraded, "modules", "not all loaded yet; it goes on behind the shells") }
  } catch {
    report(.failed, "modules", error.text)
  }
}

/// The table of the modules that this image brings along. Throws why it cannot be used, as a phrase.
func readModuleTable() throws(Refusal) -> ModuleTable {
  let file = Path(DronePath.moduleTable)
  let text: [UInt8]
  do throws(SystemError) {
    text = try readFile(file, limit: ModuleTable.largest)
  } catch {
    throw Refusal(reason: error.text)
  }
  do throws(ModuleTable.ParseError) {
    return try ModuleTable(text: text)
  } catch {
    throw Refusal(reason: file.bytes + [UInt8](" cannot be used: ") + error.text)
  }
}

/// Runs `modules`: loads what every drone needs and what the devices ask for, goes on for those that show themselves late, and then
/// closes the kernel to further modules, unless the boot line keeps it open. Gives the exit status.
func runModules(_ line: BootLine) -> Int32 {
  let start = millisecondsSinceStart()
  do throws(Refusal) {
    var loader = Loader(try readModuleTable())
    let news: DeviceNews
    do throws(SystemError) { news = try DeviceNews() } catch { throw Refusal(reason: error.text) }
    loader.begin()
    loader.serveDevices()
    report(
      loader.failed.isEmpty ? .ok : .degraded, "modules",
      [UInt8]("\(loader.loaded) loaded in \(millisecondsSinceStart() &- start) ms") + loader.complaint)
    announceReady()
    while true {
      let now = millisecondsSinceStart()
      let end = start &+ patience
      if !line.keepsModulesOpen, now >= end { break }
      guard waitReadable([news.descriptor], milliseconds: line.keepsModulesOpen ? nil : Int(clamping: end &- now))[0]
      else { continue }
      pause(milliseconds: groupPause)
      news.drain()
      loader.serveDevices()
    }
    close(loader)
    return 0
  } catch {
    report(.failed, "modules", error.reason + [UInt8]("; devices that need one do not work"))
    announceReady()
    return 1
  }
}

/// No further module, and no room taken by those that nobody needed.
private func close(_ loader: Loader) {
  do throws(SystemError) {
    try closeKernelToModules()
  } catch {
    return report(.degraded, "modules", [UInt8]("the kernel stays open to more: ") + error.text)
  }
  let folder = Path(DronePath.modules)
  for name in directoryEntries(folder) { removeFile(folder / name) }
  report(
    loader.failed.isEmpty ? .ok : .degraded, "modules",
    [UInt8]("\(loader.loaded) loaded; the kernel takes no more") + loader.complaint)
}

/// Loads modules and counts them.
private struct Loader {
  private var loading: ModuleLoading
  private(set) var loaded: UInt64 = 0
  private(set) var failed: [[UInt8]] = []

  init(_ table: ModuleTable) { loading = ModuleLoading(table) }

  mutating func begin() { load(loading.begin()) }

  /// Until no device asks for more: a bus that was found by one look is looked at by the next.
  mutating func serveDevices() {
    for _ in 0..<16 {
      var any = false
      for modalias in presentDevices() {
        let modules = loading.receive(modalias: modalias)
        any = any || !modules.isEmpty
        load(modules)
      }
      if !any { return }
    }
  }

  /// What failed, behind a count.
  var complaint: [UInt8] {
    failed.isEmpty ? [] : [UInt8]("; not ") + [UInt8](failed.joined(separator: [UInt8](", ")))
  }

  private mutating func load(_ modules: [ModuleTable.Module]) {
    for module in modules {
      do throws(SystemError) {
        try loadModule(Path(DronePath.modules) / module.file)
        loaded &+= 1
      } catch  where error.isWithoutDevice {
        // A driver of a chip that this computer has not, as a watchdog's.
      } catch {
        failed.append(error.text)
      }
    }
  }
}

/// What each device calls itself, bus after bus, on each in the order of its addresses.
private func presentDevices() -> [[UInt8]] {
  var out: [[UInt8]] = []
  let buses: Path = "/sys/bus"
  for bus in directoryEntries(buses).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
    let devices = buses / bus / "devices"
    for device in directoryEntries(devices).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      guard let text = try? readFile(devices / device / "modalias", limit: 4096) else { continue }
      let modalias = [UInt8](text.prefix { $0 != UInt8(ascii: "\n") })
      if !modalias.isEmpty { out.append(modalias) }
    }
  }
  return out
}

extension ModuleTable.ParseError {
  /// The error as a phrase.
  fileprivate var text: [UInt8] {
    switch self {
    case .heading: [UInt8]("it is no table of modules")
    case .line(let number): [UInt8]("line ") + decimalText(number) + [UInt8](" is no entry")
    case .cut: [UInt8]("its end is missing")
    case .tooMany: [UInt8]("it has too many modules")
    case .repeated(let name): [UInt8]("it has two modules ") + name
    case .missing(let name): [UInt8]("it has no module ") + name + [UInt8](", which others need")
    }
  }
}
