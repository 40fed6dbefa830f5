import ProcessControl

/// What a signal orders process 1 to do with the drone. certaintyd sends SIGTERM, the kernel SIGINT for Ctrl-Alt-Del, halt and
/// poweroff SIGUSR1 and SIGUSR2.
struct Order {
  let end: MachineEnd
  let reason: StaticString

  /// Nil for a signal that orders nothing.
  init?(signal number: Int32) {
    switch Signal(rawValue: number) {
    case .terminate: self.init(.restart, "SIGTERM")
    case .interrupt: self.init(.restart, "Ctrl-Alt-Del")
    case .user1: self.init(.halt, "SIGUSR1")
    case .user2: self.init(.powerOff, "SIGUSR2")
    case .powerFailure: self.init(.powerOff, "the power is failing")
    case .hangUp, .kill, .quit, .resume, .stop, .backgroundRead, .resize, nil: return nil
    }
  }

  private init(_ end: MachineEnd, _ reason: StaticString) {
    self.end = end
    self.reason = reason
  }
}
