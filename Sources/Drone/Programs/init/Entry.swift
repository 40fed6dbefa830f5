import DroneLayout
import Bytes
import Linux

/// Where every program of the drone starts. They are one file; the name it is started by says which one is meant.
@_cdecl("init_main")  // SwiftPM links the function of this name, <product>_main, as the program's `main`
public func entry(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
  let words = commandLine(count, arguments)
  let name = [UInt8]((words.first ?? []).split(separator: UInt8(ascii: "/")).last ?? [])
  let rest = [[UInt8]](words.dropFirst())
  // The kernel knows all of them by the file's name.
  if processID != 1 { setProcessName(name) }
  return switch InitProgram(name: name) {
  case .network: runNetwork(.ofThisBoot())
  case .lease: runLease(rest)
  case .fixHosts: runFixHosts(rest)
  case .filter: runFilter(rest)
  case .certaintyd: runCertaintyd(rest)
  case .medium: runMedium(.ofThisBoot())
  case .modules: runModules(.ofThisBoot())
  case .greeting: runGreeting(.ofThisBoot())
  case .systemLog: runSystemLog(.ofThisBoot())
  case .entropy: runEntropy()
  case .sync: runSync()
  case nil: runInit(rest)
  }
}

private func runSync() -> Int32 {
  synchronize()
  return 0
}
