import BootLine
import Bytes
import DroneLayout
import KernelModules
import Linux
import ProcessControl
import Reporting
import Supervision

/// Devices come in groups: after the first one so long is waited for the others.
private let groupPause = 30

/// Loads what the computer's devices need, and waits until that is done for those that are there. What comes later is served beside
/// the steps that follow. Gives whether it is done for those that are there.
func startModules(_ supervisor: inout Supervisor) -> Bool {
  do {
    let pipe = try Pipe()
    // One that fails has closed nothing yet.
    supervisor.keep([UInt8]("modules"), ownProgram(.modules), .afterFailure, announcement: pipe.output.number)
    let ready = pipe.keepingInput()
    let outcome = supervisor.run(until: millisecondsSinceStart() &+ 10_000, readable: ready.number)
    guard outcome == .timedOut else { return true }
    report(.degraded, "modules", "not all loaded yet; it goes on behind the shells")
  } catch {
    report(.degraded, "modules", error.text + [UInt8]("; nobody waits until they are loaded"))
    supervisor.keep([UInt8]("modules"), ownProgram(.modules), .afterFailure)
  }
  return false
}

/// Runs `modules`: loads what every drone needs and what the devices ask for, goes on for those that show themselves late, and then
/// closes the kernel to further modules, as `ModuleService` says. Gives the exit status.
func runModules(_ line: BootLine) -> Int32 {
  let start = millisecondsSinceStart()
  // Before the first look, so that none is missed between the two.
  let news = DeviceNews()
  var loader = Loader(readModuleTable())
  if loader.hasTable {
    loader.begin()
    _ = loader.serveDevices()
    numberCards()
    report(
      loader.failed.isEmpty ? .ok : .degraded, "modules",
      [UInt8]("\(loader.loaded) loaded in \(millisecondsSinceStart() &- start) ms") + loader.complaint)
    if !news.isThere {
      report(.degraded, "modules", "the kernel tells of no devices; they are looked for every second")
    }
  }
  announceReady()
  var service = ModuleService(
    hasTable: loader.hasTable, hasNews: news.isThere, staysOpen: line.keepsModulesOpen, at: millisecondsSinceStart())
  while true {
    switch service.next(at: millisecondsSinceStart()) {
    case .listen(let milliseconds):
      guard waitReadable([news.descriptor], milliseconds: milliseconds.map { Int(clamping: $0) })[0] else { continue }
      pause(milliseconds: groupPause)
      news.drain()
    case .lookAgain(let milliseconds): pause(milliseconds: Int(clamping: milliseconds))
    case .close:
      close(loader)
      return 0
    case .end: return 0
    }
    if loader.serveDevices() { service.receiveDevice(at: millisecondsSinceStart()) }
  }
}

/// The table of the modules that this image brings along; nil where it brings none, or none that can be used, which is reported.
private func readModuleTable() -> ModuleTable? {
  let file = Path(DronePath.moduleTable)
  let reason: [UInt8]
  do throws(SystemError) {
    let text = try readFile(file, limit: ModuleTable.largest)
    do throws(ModuleTable.ParseError) {
      return try ModuleTable(text: text)
    } catch {
      reason = file.bytes + [UInt8](" cannot be used: ") + error.text
    }
  } catch {
    if error.isMissing { return nil }
    reason = error.text
  }
  report(.failed, "modules", reason + [UInt8]("; devices that need one do not work"))
  return nil
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
  reportNoCard()
}

/// Loads modules and counts them; none without a table.
private struct Loader {
  let hasTable: Bool
  private var loading: ModuleLoading
  private(set) var loaded: UInt64 = 0
  private(set) var failed: [[UInt8]] = []

  init(_ table: ModuleTable?) {
    hasTable = table != nil
    loading = ModuleLoading(table ?? ModuleTable())
  }

  mutating func begin() { load(loading.begin()) }

  /// Until no device asks for more: a bus that was found by one look is looked at by the next. Gives whether there is a device of a
  /// kind that was not there before.
  mutating func serveDevices() -> Bool {
    let known = loading.devices
    for _ in 0..<16 {
      var any = false
      for modalias in presentDevices() {
        let modules = loading.receive(modalias: modalias)
        any = any || !modules.isEmpty
        load(modules)
      }
      if !any { break }
    }
    return loading.devices > known
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
