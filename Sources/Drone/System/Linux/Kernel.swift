import CLinux
import ProcessControl

/// The node's name (gethostname(2)).
public func hostName() -> [UInt8] {
  var name = [UInt8](repeating: 0, count: 256)
  guard name.withUnsafeMutableBytes({ linux_host_name($0.baseAddress, $0.count - 1) }) == 0 else { return [] }
  return [UInt8](name.prefix { $0 != 0 })
}

/// Sets the node's name; root only.
public func setHostName(_ name: [UInt8]) throws(SystemError) {
  guard name.withUnsafeBytes({ linux_set_host_name($0.baseAddress, $0.count) }) == 0 else {
    throw SystemError("sethostname", name)
  }
}

/// Bytes from the kernel's generator; nil while it has not gathered enough entropy, unless `wait` is set.
public func randomBytes(_ count: Int, wait: Bool = false) -> [UInt8]? {
  let wanted = min(max(count, 0), 256)
  let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
    filled = max(linux_random(buffer.baseAddress, wanted, wait ? 1 : 0), 0)
  }
  return bytes.count == wanted ? bytes : nil
}

/// The kernel's log as text, oldest first, at most the last 64 KiB.
public func kernelLog() -> [UInt8] {
  let readAll: Int32 = 3  // SYSLOG_ACTION_READ_ALL, syslog(2)
  return [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
    let got = buffer.withMemoryRebound(to: CChar.self) { klogctl(readAll, $0.baseAddress, Int32($0.count)) }
    count = max(Int(got), 0)
  }
}

/// Lets the kernel print only messages more urgent than `level` on its consoles (syslog(2): 4 is errors and worse).
public func setKernelConsoleLevel(_ level: Int32) {
  let setLevel: Int32 = 8  // SYSLOG_ACTION_CONSOLE_LEVEL
  _ = klogctl(setLevel, nil, level)
}

/// Ends everything at once; returns only if the kernel refuses.
public func endMachine(_ end: MachineEnd) {
  switch end {
  case .restart: _ = linux_restart()
  case .halt: _ = linux_halt()
  case .powerOff: _ = linux_power_off()
  }
}

/// Makes Ctrl-Alt-Del a SIGINT to process 1 instead of an instant restart.
public func catchCtrlAltDel() { _ = linux_catch_ctrl_alt_del() }

/// Writes what is cached of every file system to its medium.
public func synchronize() { sync() }
