import Bytes

/// How full a file system is.
public struct FileSystemUse: Equatable, Sendable {
  /// In KiB.
  public let size: UInt64
  public let free: UInt64
  /// How many files it may have; 0 when it has no limit for them.
  public let inodes: UInt64
  public let freeInodes: UInt64

  public init(size: UInt64, free: UInt64, inodes: UInt64, freeInodes: UInt64) {
    self.size = size
    self.free = free
    self.inodes = inodes
    self.freeInodes = freeInodes
  }

  /// Less than a thirty-second is left, and less than 64 KiB.
  var isFull: Bool { size > 0 && free < min(size / 32, 64) || lacksInodes }
  var lacksInodes: Bool { inodes > 0 && freeInodes < min(inodes / 32, 16) + 1 }
  /// At least an eighth is left, or 256 KiB.
  var hasRoom: Bool { free >= min(size / 8, 256) && freeInodes >= min(inodes / 8, 64) }
}

/// Where memory is short on a drone, as sentences for people. Each shortage is told once; a file system must have some room
/// again before it is told anew.
public struct ShortageWatch: Sendable {
  /// What is looked at: file systems in memory, by their folders.
  public static var folders: [StaticString] { ["/tmp", "/run", "/dev/shm", "/dev", "/"] }

  /// What was found at one moment.
  public struct Look: Sendable {
    /// As `folders`; nil for one that cannot be read.
    public var uses: [FileSystemUse?]
    /// In KiB; 0 for unknown.
    public var memoryTotal: UInt64 = 0
    public var memoryAvailable: UInt64 = 0
    /// How many programs the kernel has ended for want of memory since the machine started.
    public var killed: UInt64 = 0

    public init(uses: [FileSystemUse?]) { self.uses = uses }

    /// Reads /proc/vmstat's line `oom_kill NUMBER`.
    public mutating func read(vmstat text: [UInt8]) {
      for line in text.split(separator: UInt8(ascii: "\n")) {
        let words = line.split(separator: UInt8(ascii: " "))
        if words.count == 2, words[0].spells("oom_kill") { killed = decimal(words[1]) ?? 0 }
      }
    }

    var isShortOfMemory: Bool { memoryTotal > 0 && memoryAvailable < memoryTotal / 32 }
  }

  private var told: [Bool] = []
  private var toldMemory = false
  private var toldKilled: UInt64 = 0

  public init() {}

  /// What is short now.
  public static func shortages(_ look: Look) -> [[UInt8]] {
    var watch = ShortageWatch()
    return watch.news(look)
  }

  /// What is short now and was not at the last look.
  public mutating func news(_ look: Look) -> [[UInt8]] {
    var out: [[UInt8]] = []
    while told.count < look.uses.count { told.append(false) }
    for (index, use) in look.uses.enumerated() {
      guard let use, index < Self.folders.count else { continue }
      if use.isFull, !told[index] {
        told[index] = true
        out.append(Self.sentence(Self.folders[index], use))
      } else if use.hasRoom {
        told[index] = false
      }
    }
    if look.isShortOfMemory, !toldMemory {
      toldMemory = true
      var text = [UInt8]("only ")
      appendDecimal(look.memoryAvailable, to: &text)
      text += [UInt8](" of ")
      appendDecimal(look.memoryTotal, to: &text)
      out.append(text + [UInt8](" KB are left; end a program or remove files from /tmp"))
    } else if look.memoryAvailable >= look.memoryTotal / 16 {
      toldMemory = false
    }
    if look.killed > toldKilled {
      var text = [UInt8]("the kernel has ended ")
      appendDecimal(look.killed - toldKilled, to: &text)
      text += look.killed - toldKilled == 1 ? [UInt8](" program") : [UInt8](" programs")
      out.append(text + [UInt8](" for want of memory"))
      toldKilled = look.killed
    }
    return out
  }

  private static func sentence(_ folder: StaticString, _ use: FileSystemUse) -> [UInt8] {
    var text = [UInt8](folder) + [UInt8](" is full: ")
    if use.lacksInodes {
      appendDecimal(use.inodes - min(use.freeInodes, use.inodes), to: &text)
      text += [UInt8](" of ")
      appendDecimal(use.inodes, to: &text)
      text += [UInt8](" files")
    } else {
      appendDecimal(use.size - min(use.free, use.size), to: &text)
      text += [UInt8](" of ")
      appendDecimal(use.size, to: &text)
      text += [UInt8](" KB")
    }
    return text + [UInt8]("; what is written there fails until something is removed")
  }
}
