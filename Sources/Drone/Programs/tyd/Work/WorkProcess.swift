import Jobs
import Linux
import ProcessControl

/// A part of a program's work in a process of its own, which ends with that program, with an empty standard input and pipes as outputs.
final class WorkProcess {
  let number: Int32
  let output: OpenSocket
  /// At its end at once where errors come with the output.
  let error: OpenSocket
  /// Once it has been collected.
  private(set) var end: Ending?

  init(hasErrorApart: Bool, _ body: () -> Int32) throws(SystemError) {
    let outputs = try Pipe()
    let errors = try Pipe()
    switch try forkProcess() {
    case .child:
      dieWithParent()
      redirectOutputs(to: outputs.output.number, error: hasErrorApart ? errors.output.number : outputs.output.number)
      endProcess(body())
    case .parent(let child):
      number = child
      output = OpenSocket(outputs.keepingInput())
      error = OpenSocket(errors.keepingInput())
    }
  }

  /// What it wrote until its end, as far as it is no longer than `limit` bytes; its end is collected.
  func everything(upTo limit: Int) -> [UInt8] {
    var all: [UInt8] = []
    while let part = try? output.descriptor.read(upTo: 64 << 10), !part.isEmpty {
      if all.count < limit { all += part.prefix(limit - all.count) }
    }
    end = waitForChild(number)
    return all
  }
}

extension JobEnd {
  /// Nil for a process that has only been stopped.
  init?(_ ending: Ending) {
    switch ending {
    case .exited(let status): self = .exited(UInt8(truncatingIfNeeded: status))
    case .killed(let signal): self = .killed(signal: UInt8(truncatingIfNeeded: signal))
    case .stopped: return nil
    }
  }
}
