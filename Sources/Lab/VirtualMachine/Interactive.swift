import Foundation

extension MachineConfiguration {
  /// How a person looks at a machine from a terminal.
  public enum View: Sendable {
    /// The screen, drawn as text; serial port and monitor are one key away.
    case screen
    /// The serial port, with nothing between it and the terminal.
    case serial
  }

  /// What a person must know to leave, and to get about.
  public static func directions(_ view: View) -> String {
    switch view {
    case .screen:
      "Keys: Alt-1 screen, Alt-2 monitor (type \"quit\" there to leave), Alt-3 serial console. Esc and a digit do the same."
    case .serial:
      "The serial console follows. Leave with Ctrl-A X; Ctrl-A H lists what else there is."
    }
  }

  /// Becomes the emulator: this program's terminal, signals and process number are then the emulator's.
  ///
  /// Returns only when the emulator cannot be started, with the reason.
  public func become(_ view: View) -> String {
    let words = [target.emulator.program] + arguments(view == .screen ? .screen : .terminal)
    var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    pointers.append(nil)
    // A thread of Swift's blocks signals, and the emulator would never hear that it is to end.
    var none = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, nil)
    execvp(target.emulator.program, pointers)
    return String(cString: strerror(errno))
  }
}
