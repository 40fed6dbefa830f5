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
  return switch name {
  case [UInt8]("network"): runNetwork(.ofThisBoot())
  case [UInt8]("lease"): runLease(rest)
  case [UInt8]("fix_hosts"): runFixHosts(rest)
  case [UInt8]("filter"): runFilter(rest)
  case [UInt8]("certaintyd"): runCertaintyd(rest)
  case [UInt8]("medium"): runMedium(.ofThisBoot())
  case [UInt8]("greeting"): runGreeting(.ofThisBoot())
  case [UInt8]("systemlog"): runSystemLog(.ofThisBoot())
  case [UInt8]("entropy"): runEntropy()
  case [UInt8]("sync"): runSync()
  default: runInit(rest)
  }
}

private func runSync() -> Int32 {
  synchronize()
  return 0
}
