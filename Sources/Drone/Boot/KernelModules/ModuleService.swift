/// What the program `modules` does next, once it has loaded what the devices that are there ask for. The kernel is closed to further
/// modules in the end, whatever could not be read: only the boot line keeps it open.
public struct ModuleService: Sendable {
  public enum Step: Equatable, Sendable {
    /// Wait until the kernel tells of a device, at most so many milliseconds (nil: for ever), and load what asks for it.
    case listen(milliseconds: UInt64?)
    /// Look for devices again after so many milliseconds: the kernel's news are not to be had.
    case lookAgain(milliseconds: UInt64)
    /// Close the kernel to further modules, and end.
    case close
    /// There is no more to do, and the kernel stays open.
    case end
  }

  /// How long after the last new device others are waited for that show themselves late, as those on USB do, in milliseconds.
  public static let patience: UInt64 = 10_000
  /// How long after the first look they are waited for at most, however many come, in milliseconds.
  public static let longest: UInt64 = 60_000
  /// Between two looks, where nobody tells of devices.
  static let pause: UInt64 = 1000

  /// There are modules to load, by a table that could be read.
  private let hasTable: Bool
  private let hasNews: Bool
  private let staysOpen: Bool
  private let start: UInt64
  private var lastDevice: UInt64

  /// - Parameters:
  ///   - hasTable: whether the image's table could be read.
  ///   - hasNews: whether the kernel tells of devices.
  ///   - staysOpen: whether the boot line keeps the kernel open.
  ///   - now: when the devices that are there were served, in milliseconds of any clock that `next` gets, too.
  public init(hasTable: Bool, hasNews: Bool, staysOpen: Bool, at now: UInt64) {
    (self.hasTable, self.hasNews, self.staysOpen) = (hasTable, hasNews, staysOpen)
    (start, lastDevice) = (now, now)
  }

  /// Receives that a device showed itself which was not there before: more may follow, as behind a hub.
  public mutating func receiveDevice(at now: UInt64) { lastDevice = now }

  public func next(at now: UInt64) -> Step {
    guard hasTable else { return staysOpen ? .end : .close }
    if staysOpen { return hasNews ? .listen(milliseconds: nil) : .lookAgain(milliseconds: Self.pause) }
    let quiet = now &- lastDevice
    let elapsed = now &- start
    guard quiet < Self.patience, elapsed < Self.longest else { return .close }
    let rest = min(Self.patience - quiet, Self.longest - elapsed)
    return hasNews ? .listen(milliseconds: rest) : .lookAgain(milliseconds: min(rest, Self.pause))
  }
}
