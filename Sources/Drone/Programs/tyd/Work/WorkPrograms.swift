import Bytes
import DroneLayout
import Linux

extension WorkProgram {
  /// Runs the program and gives its exit status.
  func run(_ arguments: [[UInt8]]) -> Int32 {
    switch self {
    case .mosrun: runMosrun(arguments)
    case .mosd: runMosd(arguments)
    case .mps: runMps(arguments)
    case .mkill: runMkill(arguments)
    }
  }

  /// Says what went wrong in the program's own name.
  func fail(_ sentence: [UInt8], status: Int32 = 1) -> Int32 {
    writeStandardError([UInt8](name) + [UInt8](": ") + sentence + [UInt8]("\n"))
    return status
  }
}
