import DroneLayout
import Addresses
import Bytes

/// The computers that booted from this node and how far each one got, as `tyd --status` shows them. Only the latest are kept.
public struct BootTable: Sendable {
  public struct Boot: Equatable, Sendable {
    public let hardware: MACAddress
    public var address: IPv4Address
    /// The last requested file; empty before the first.
    public var file: [UInt8] = []
    /// How much of it has arrived, in per cent.
    public var percent: UInt8 = 0
    public var isBroken = false
    /// How often a root arrived whole.
    public var completed: UInt32 = 0
    /// When it last sent something, in milliseconds.
    public var heard: UInt64
  }

  public static let most = 256

  /// In the order in which they first appeared.
  public private(set) var boots: [Boot] = []
  /// Computers that fetched everything.
  public private(set) var completed: UInt32 = 0

  public init() {}

  /// Records a report of the server.
  /// - Returns: a line for the log, or nil.
  public mutating func record(_ news: BootNews, at now: UInt64) -> [UInt8]? {
    switch news {
    case .ready, .role: return nil
    case .note(let text): return text
    case .leased(let hardware, let address, let client):
      let isNew = !boots.contains { $0.hardware == hardware && $0.address == address }
      lease(hardware, address, at: now)
      guard client == .rom || isNew else { return nil }
      return hardware.text + [UInt8](client == .rom ? " boots as " : " has ") + address.text
    case .sent(let address, let file, let percent):
      guard let index = boots.firstIndex(where: { $0.address == address }) else { return nil }
      boots[index].file = file
      boots[index].percent = percent
      boots[index].isBroken = false
      boots[index].heard = now
      guard percent == 100, ServedFile.isLast(file) else { return nil }
      boots[index].completed &+= 1
      completed &+= 1
      return address.text + [UInt8](" has the kernel and its root")
    case .broken(let address, let file):
      guard let index = boots.firstIndex(where: { $0.address == address }) else { return nil }
      boots[index].isBroken = true
      boots[index].heard = now
      return address.text + [UInt8](" stopped fetching ") + file
    }
  }

  private mutating func lease(_ hardware: MACAddress, _ address: IPv4Address, at now: UInt64) {
    boots.removeAll { $0.address == address && $0.hardware != hardware }
    if let index = boots.firstIndex(where: { $0.hardware == hardware }) {
      boots[index].address = address
      boots[index].heard = now
      return
    }
    if boots.count >= BootTable.most {
      var oldest = boots.startIndex
      for index in boots.indices where boots[index].heard < boots[oldest].heard { oldest = index }
      boots.remove(at: oldest)
    }
    boots.append(Boot(hardware: hardware, address: address, heard: now))
  }

  /// The cards' addresses, as lines of `KnownAddress`, for a run after a crash.
  public var known: [UInt8] { boots.flatMap { KnownAddress($0.hardware, $0.address).line } }

  /// Reads such lines back and ignores others.
  public mutating func remember(_ lines: [UInt8], at now: UInt64) {
    for line in lines.split(separator: UInt8(ascii: "\n")).prefix(BootTable.most) {
      if let known = KnownAddress(line: [UInt8](line)) { lease(known.hardware, known.address, at: now) }
    }
  }
}
