import Addresses

/// The machines of a simulated cluster: where each is, and which reach each other.
public struct MachineTable: RandomAccessCollection {
  private var all: [Machine] = []
  private var byAddress: [UInt32: Int] = [:]

  public var startIndex: Int { 0 }
  public var endIndex: Int { all.count }

  public internal(set) subscript(index: Int) -> Machine {
    _read { yield all[index] }
    _modify { yield &all[index] }
  }

  /// A machine that is off; its index. Addresses go up from 10.0.0.1 unless one is given.
  mutating func add(at address: IPv4Address?) -> Int {
    let number = UInt64(all.count) + 1
    let address = address ?? IPv4Address(bits: 0x0A00_0000 + UInt32(truncatingIfNeeded: number))
    all.append(Machine(mac: MACAddress(bits: 0x5254_0000_0000 | number) ?? .zero, address: address, own: address))
    byAddress[address.bits] = all.count - 1
    return all.count - 1
  }

  mutating func move(_ index: Int, to address: IPv4Address) {
    // Another one may have its former address by now.
    if byAddress[all[index].address.bits] == index { byAddress[all[index].address.bits] = nil }
    all[index].address = address
    byAddress[address.bits] = index
  }

  /// Who has this address now.
  func index(at address: IPv4Address) -> Int? { byAddress[address.bits] }

  func index(of mac: MACAddress) -> Int? {
    let index = Int(mac.bits & 0xFFFF_FFFF) - 1
    return all.indices.contains(index) ? index : nil
  }

  /// Whether packets can pass between two of them.
  func areJoined(_ a: Int, _ b: Int) -> Bool { all[a].part == all[b].part }

  /// Whether both are on, and neither stands still, so that they answer each other.
  func areInTouch(_ a: Int, _ b: Int, at now: UInt64) -> Bool {
    areJoined(a, b) && all[a].isOn && all[b].isOn && all[a].pausedUntil <= now && all[b].pausedUntil <= now
  }
}
