import CLinux

/// The socket of the machine's log service (syslog(3)).
public let systemLogSocket: Path = "/dev/log"

/// Sends a line to the machine's log service, if one listens. Never waits and never fails: a line that cannot be sent is lost.
public func writeToSystemLog(_ line: [UInt8]) {
  systemLogSocket.withCString { path in
    line.withUnsafeBytes { linux_local_send(path, $0.baseAddress, $0.count) }
  }
}
