import Foundation
import Synchronization
import SystemPackage

/// The emulator's process, as the kernel counts it (proc(5)).
final class EmulatorProcess: Sendable {
  /// Where it writes its process number when it has started.
  private let numberFile: FilePath
  private let number = Mutex<Int?>(nil)

  init(numberFile: FilePath) { self.numberFile = numberFile }

  private var folder: String? {
    number.withLock { number in
      if number == nil {
        let text = FileManager.default.contents(atPath: numberFile.string) ?? Data()
        number = Int(String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
      }
      return number.map { "/proc/\($0)" }
    }
  }

  private func numbers(_ file: String) -> [Int] {
    let text = [UInt8](FileManager.default.contents(atPath: file) ?? Data())
    // The name, in parentheses, may hold spaces.
    let fields = text.split(separator: UInt8(ascii: ")")).last ?? []
    return fields.split { $0 <= 0x20 }.compactMap { Int(String(decoding: $0, as: UTF8.self)) }
  }

  private let lastSeen = Mutex(0.0)

  /// Seconds of processor time that it has taken, as far as was seen before it went.
  var processorSeconds: Double {
    // After the name: state (a letter), then 4 to 13; utime and stime are fields 14 and 15, in ticks of 10 ms.
    let fields = folder.map { numbers($0 + "/stat") } ?? []
    return lastSeen.withLock { last in
      if fields.count > 11 { last = max(last, Double(fields[10] + fields[11]) / 100) }
      return last
    }
  }

  /// How long that of its threads which had to has waited for a processor of this computer.
  fileprivate var starved: Duration {
    guard let folder, let threads = try? FileManager.default.contentsOfDirectory(atPath: folder + "/task") else {
      return .zero
    }
    _ = processorSeconds
    // Nanoseconds on a processor, nanoseconds ready and waiting for one, how often.
    let waits = threads.map { thread in
      let fields = numbers("\(folder)/task/\(thread)/schedstat")
      return fields.count > 1 ? fields[1] : 0
    }
    return .nanoseconds(waits.max() ?? 0)
  }

  // MARK: All of this program

  private static let running = Mutex<[ObjectIdentifier: EmulatorProcess]>([:])

  func begin() { Self.running.withLock { $0[ObjectIdentifier(self)] = self } }
  func end() { Self.running.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(self)) } }

  fileprivate static func waits() -> [ObjectIdentifier: Duration] { running.withLock { $0 }.mapValues(\.starved) }
}

/// Time as this program's machines have it: it stands still while one of them waits for a processor of this computer.
///
/// What a test gives a machine to answer is meant for a computer with nothing else to do. On a busy one emulators stand still
/// again and again, and so must the time that is counted.
public struct MachineWatch: Sendable {
  private let start = ContinuousClock.now
  private let before = EmulatorProcess.waits()

  public init() {}

  /// Since the watch was made.
  public var elapsed: Duration {
    let lost = EmulatorProcess.waits().map { emulator, wait in wait - (before[emulator] ?? .zero) }.max() ?? .zero
    return max(.zero, ContinuousClock.now - start - lost)
  }

  /// Whether so much has elapsed. Asked often: nothing of the emulators is read while not even this computer's time is over.
  func isOver(_ bound: Duration) -> Bool { ContinuousClock.now - start >= bound && elapsed >= bound }
}
