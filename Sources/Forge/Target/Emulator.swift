/// The emulator that boots a target's images in tests: the oldest machine that they must boot on.
public struct Emulator: Sendable {
  /// QEMU's program.
  public let program: String
  /// `-cpu`.
  public let processor: String
  /// `-cpu` for booting from the network: the oldest one with what QEMU's boot ROMs need beside it. They stop at FXSAVE,
  /// which a Pentium lacks; nothing of the drone uses it.
  public let networkBootProcessor: String
  /// Memory in MiB.
  public let memory: Int
}
