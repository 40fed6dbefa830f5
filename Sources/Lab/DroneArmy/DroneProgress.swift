/// How far a drone is, by the output of its two serial ports.
struct DroneProgress: Equatable {
  /// Milliseconds of the army's clock; nil as long as it has not happened since the last start.
  private(set) var startedAt: UInt64?
  private(set) var shellAt: UInt64?
  private(set) var memberAt: UInt64?
  /// How often it was started.
  private(set) var starts = 0
  private var isAsked = false
  private var shell = Mark(prompt)
  private var controlShell = Mark(prompt)
  private var member = Mark("tyd is in, yes")

  /// The end of the shell's prompt in the root directory; less of it is found in the kernel's messages, too.
  private static let prompt = ":/# "

  /// For the shell on the second port: reports when this node is in a cluster or has started one. In the echo of the
  /// line the answer does not occur.
  static let question =
    #"until tyd --status --json 2>/dev/null | grep -qE '"state":"(in|alone)"'; do sleep 0.3; done; echo tyd is 'in, yes'"#
    + "\n"

  var isRunning: Bool { startedAt != nil }
  var isMember: Bool { memberAt != nil }

  mutating func start(at now: UInt64) {
    self = DroneProgress(starts: starts + 1, startedAt: now)
  }

  mutating func end() { self = DroneProgress(starts: starts, startedAt: nil) }

  /// Whether the console now shows its first prompt.
  mutating func hear(console piece: [UInt8], at now: UInt64) -> Bool {
    guard isRunning, shellAt == nil, shell.passes(piece) else { return false }
    shellAt = now
    return true
  }

  /// What the second serial port reported.
  enum News {
    /// There is a shell now, of which `question` can be asked.
    case shell
    /// This node is in.
    case member
  }

  mutating func hear(control piece: [UInt8], at now: UInt64) -> News? {
    guard isRunning, memberAt == nil else { return nil }
    if isAsked {
      guard member.passes(piece) else { return nil }
      memberAt = now
      return .member
    }
    isAsked = controlShell.passes(piece)
    return isAsked ? .shell : nil
  }

  /// Milliseconds from the start.
  func sinceStart(_ time: UInt64?) -> UInt64? {
    guard let time, let startedAt, time >= startedAt else { return nil }
    return time - startedAt
  }

  init() {}

  private init(starts: Int, startedAt: UInt64?) {
    self.starts = starts
    self.startedAt = startedAt
  }
}

/// A text that is looked for in a stream that comes in pieces.
struct Mark: Equatable {
  private let text: [UInt8]
  /// The stream's last bytes, with which the text may begin.
  private var carried: [UInt8] = []

  init(_ text: String) { self.text = [UInt8](text.utf8) }

  /// Whether the text ends in this piece.
  mutating func passes(_ piece: [UInt8]) -> Bool {
    let bytes = carried + piece
    carried = bytes.suffix(max(0, text.count - 1))
    guard let first = text.first, bytes.count >= text.count else { return false }
    return (0...(bytes.count - text.count)).contains { start in
      bytes[start] == first && bytes[start..<(start + text.count)].elementsEqual(text)
    }
  }
}

/// Which drone is started next: a few at a time, since each boot takes a whole processor, and a drone that starves looks
/// dead to the others.
struct StartingOrder {
  /// The number of drones that may be between power-on and cluster at the same time.
  let atATime: Int
  /// After this many milliseconds a drone that is not in no longer delays the others.
  static let patience: UInt64 = 120_000

  /// The numbers (indices from 0) to start now.
  func next(_ drones: [DroneProgress], at now: UInt64) -> [Int] {
    let busy = drones.filter { drone in
      guard let start = drone.startedAt, !drone.isMember else { return false }
      return now < start || now - start < Self.patience
    }.count
    return Array(drones.indices.filter { drones[$0].starts == 0 }.prefix(max(0, atATime - busy)))
  }
}
