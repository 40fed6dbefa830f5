import CLinux

/// Where the machine's log service takes datagrams (syslog(3)).
public let systemLogSocket: Path = "/dev/log"

/// Hands a line to the machine's log service, if one listens. Never waits and never fails: what does not go is lost.
public func writeToSystemLog(_ line: [UInt8]) {
  systemLogSocket.withCString { path in
    line.withUnsafeBytes { linux_local_send(path, $0.baseAddress, $0.count) }
  }
}
