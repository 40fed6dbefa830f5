import Foundation

/// What a long run says of itself: how far each reader is, now and then, and in the file that `DRONEFORGE_FUZZ_REPORT` names one line for
/// each that is done: cases, seconds of processor time, name. Without that variable it says nothing.
struct FuzzProgress {
  private let name: String
  private let cases: Int
  private let report: String?
  private let start: Double
  private var told: ContinuousClock.Instant

  /// Between two lines of one reader.
  private static let pause = Duration.seconds(20)

  /// `ClusterProtocol streams` for the function `streams()` in `FuzzTests/ClusterProtocolFuzzTests.swift`.
  static func name(_ file: String, _ function: String) -> String {
    let suite = file.split(separator: "/").last.map { $0.replacingOccurrences(of: "FuzzTests.swift", with: "") } ?? ""
    return suite + " " + function.prefix { $0 != "(" }
  }

  init(of name: String, cases: Int) {
    self.name = name
    self.cases = cases
    report = ProcessInfo.processInfo.environment["DRONEFORGE_FUZZ_REPORT"]
    start = FuzzProgress.processorSeconds
    told = .now
  }

  mutating func tell(_ done: Int) {
    guard report != nil, told.duration(to: .now) >= FuzzProgress.pause else { return }
    told = .now
    FuzzProgress.write("\(name): \(done) of \(cases)\n", to: .standardError)
  }

  func end(after done: Int) {
    guard let report else { return }
    let seconds = String(format: "%.1f", FuzzProgress.processorSeconds - start)
    FuzzProgress.write("\(name): done, \(seconds) s\n", to: .standardError)
    guard let file = FileHandle(forWritingAtPath: report) else { return }
    _ = try? file.seekToEnd()
    FuzzProgress.write("\(done)\t\(seconds)\t\(name)\n", to: file)
  }

  private static func write(_ line: String, to file: FileHandle) { try? file.write(contentsOf: Data(line.utf8)) }

  /// Of this thread: readers run beside each other.
  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
