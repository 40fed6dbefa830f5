import NetworkAddresses

public struct BootLine: Hashable, Sendable {
  /// What to do with the network cards, in the order of the line; never empty.
  public private(set) var interfaces: [InterfaceRequest] = []
  /// The card the drone was booted from, as PXELINUX's `BOOTIF=` names it.
  public private(set) var bootInterface: MACAddress?
  /// What the drone's own words ask for.
  public private(set) var drone = DroneWords()
  /// Everything that cannot be used as written, in the order of the line.
  public private(set) var errors: [BootLineError] = []
  /// The kernel's words in order, `ip=` and the drone's own among them.
  public let words: [BootWord]

  /// Reads a whole line as /proc/cmdline gives it, any bytes.
  public init(_ line: [UInt8]) {
    let splitter = WordSplitter(line)
    words = splitter.words
    for word in words where word.name.spells("ip") || word.name.spells("nfsaddrs") {
      let read = IPWord(word)
      interfaces.append(read.request)
      errors += read.errors
    }
    if interfaces.isEmpty { interfaces = [InterfaceRequest(method: .any)] }
  }

  public var medium: DroneWords.Medium? { drone.medium }
  public var eject: Bool { drone.eject }
  public var tyd: DroneWords.Membership { drone.tyd }
  public var certaintyd: DroneWords.RootWatch { drone.certaintyd }
  public var filter: Bool { drone.filter }
  public var shell: Bool { drone.shell }
  public var debug: Bool { drone.debug }
  public var keymap: [UInt8]? { drone.keymap }
  public var consoles: [DroneWords.Console] { drone.consoles }
  public var syslog: [UInt8]? { drone.syslog }
}
