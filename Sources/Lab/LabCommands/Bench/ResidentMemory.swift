import VirtualMachine

extension VirtualMachine {
  /// What a process holds in memory, and how much of that is its own, which the root's files in memory are not:
  /// `512 kB, its own 120 kB`.
  ///
  /// - Parameter process: its number, or a shell's word for it.
  func residentMemory(of process: String) async throws -> String {
    // `VmRSS:	     464 kB`, then `RssAnon:	…` (proc_pid_status(5)).
    let lines = try await run("grep -E 'VmRSS|RssAnon' /proc/\(process)/status").output
    return lines.split { $0.isWhitespace }.filter { Int($0) != nil }.joined(separator: " kB, its own ") + " kB"
  }
}
