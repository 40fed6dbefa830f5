import BootLine
import Linux

extension BootLine {
  /// The line that this drone was booted with: the one place where a program reads it. The kernel's file is how process 1 hands
  /// it on. It holds for the whole boot, and no shorter form of an `ip=` word would say all of it.
  static func ofThisBoot() -> BootLine { BootLine((try? readFile("/proc/cmdline", limit: 1 << 16)) ?? []) }
}
