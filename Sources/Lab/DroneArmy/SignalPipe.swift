import Dispatch
import Glibc
import Linux

/// Signals as bytes that can be waited for: the program's other threads take signals, too, so none is blocked.
final class SignalPipe {
  private let pipe: Linux.Pipe
  private let sources: [any DispatchSourceSignal]

  /// Catches the signals; throws when there are no descriptors left.
  init(_ signals: [Int32]) throws(SystemError) {
    let pipe = try Linux.Pipe()
    let output = pipe.output.number
    self.pipe = pipe
    sources = signals.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(output, &byte, 1)
      }
      source.resume()
      return source
    }
    signal(SIGPIPE, SIG_IGN)
  }

  deinit { for source in sources { source.cancel() } }

  /// Readable when a signal has come.
  var number: Int32 { pipe.input.number }

  /// The signals that have come; to be called when there are some.
  func next() -> [Int32] { ((try? pipe.input.read(upTo: 64)) ?? []).map { Int32($0) } }
}
