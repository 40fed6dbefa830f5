import Foundation
import Synchronization

/// What this computer has to spare, by the kernel's own count (proc(5)).
final class ComputerLoad: Sendable {
  static let processors = max(1, ProcessInfo.processInfo.activeProcessorCount)

  /// Of all processors, in the kernel's ticks since it started.
  private struct Ticks {
    var idle = 0
    var all = 0
  }
  private let last = Mutex(Ticks())

  /// Whether, since this was asked last, most of a processor had nothing to do (it boots one machine, and a group's machines
  /// boot together but seldom work together), and memory is free for so many machines: half a gibibyte each, for the guest
  /// and for what the emulator keeps of translated code.
  func hasRoom(forMachines count: Int) -> Bool {
    guard let now = Self.ticks(), let free = Self.freeMemory() else { return false }
    let spent = last.withLock { last in
      defer { last = now }
      return Ticks(idle: now.idle - last.idle, all: now.all - last.all)
    }
    let idle = Double(spent.idle) / Double(max(1, spent.all)) * Double(Self.processors)
    return idle >= 0.6 && free >= count * 512
  }

  private static func text(_ file: String) -> Substring {
    Substring(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
  }

  /// `cpu  136756 0 27672 33105 1231 …`: user, nice, system, idle, waiting for a disk, …
  private static func ticks() -> Ticks? {
    let numbers = text("/proc/stat").prefix { $0 != "\n" }.split(separator: " ").compactMap { Int($0) }
    guard numbers.count > 4 else { return nil }
    return Ticks(idle: numbers[3] + numbers[4], all: numbers.prefix(8).reduce(0, +))
  }

  /// In MiB.
  private static func freeMemory() -> Int? {
    let line = text("/proc/meminfo").split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    return line?.split(separator: " ").compactMap { Int($0) }.first.map { $0 / 1024 }
  }
}
