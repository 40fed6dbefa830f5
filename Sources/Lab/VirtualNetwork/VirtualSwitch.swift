import Addresses

/// An Ethernet switch: says to which ports a frame goes. It neither sends nor waits.
///
/// It learns at which port an address is from the frames that come from there, and sends what is for everybody (broadcast,
/// multicast) or for an address that it does not know to all other ports; a frame never goes back to where it came from.
/// What it knows is bounded, by port too, and forgotten after a while (IEEE 802.1D §7.9).
public struct VirtualSwitch: Sendable {
  /// What happened at a port.
  public struct Counters: Equatable, Sendable {
    /// Frames that came in here and went on.
    public var forwarded: UInt64 = 0
    /// Frames shorter than an Ethernet header.
    public var tooShort: UInt64 = 0
    /// Frames that came in while nothing was plugged in here.
    public var unplugged: UInt64 = 0
  }

  private struct Place {
    var port: Int
    var seen: UInt64
  }

  private let ageing: UInt64
  private let addressesPerPort: Int
  private var places: [MACAddress: Place] = [:]
  private var known: [Int]
  private var plugged: [Bool]
  public private(set) var counters: [Counters]

  /// - Parameters:
  ///   - ports: how many there are, numbered from 0; all are plugged in.
  ///   - ageing: milliseconds after which an address that was not heard again is forgotten.
  ///   - addressesPerPort: the most addresses that are learnt at one port.
  public init(ports: Int, ageing: UInt64 = 300_000, addressesPerPort: Int = 16) {
    self.ageing = ageing
    self.addressesPerPort = addressesPerPort
    known = Array(repeating: 0, count: max(ports, 0))
    plugged = Array(repeating: true, count: max(ports, 0))
    counters = Array(repeating: Counters(), count: max(ports, 0))
  }

  public func isPlugged(_ port: Int) -> Bool { plugged.indices.contains(port) && plugged[port] }

  /// Pulls the cable out of a port, or puts it back. What was known of it is forgotten.
  public mutating func plug(_ port: Int, _ isIn: Bool) {
    guard plugged.indices.contains(port) else { return }
    plugged[port] = isIn
    places = places.filter { $0.value.port != port }
    known[port] = 0
  }

  /// How many addresses are known.
  public var knownAddresses: Int { places.count }

  /// The ports, in their order, to which a frame goes that came in at a port.
  /// - Parameter now: milliseconds of a clock that never goes back.
  public mutating func forward(_ frame: [UInt8], from port: Int, at now: UInt64) -> [Int] {
    guard plugged.indices.contains(port) else { return [] }
    guard plugged[port] else {
      counters[port].unplugged &+= 1
      return []
    }
    guard frame.count >= 14, let destination = MACAddress(octets: frame[0..<6]),
      let source = MACAddress(octets: frame[6..<12])
    else {
      counters[port].tooShort &+= 1
      return []
    }
    counters[port].forwarded &+= 1
    learn(source, port, now)
    if !destination.isGroup, let place = place(of: destination, now) {
      return place == port ? [] : [place]
    }
    return plugged.indices.filter { $0 != port && plugged[$0] }
  }

  private mutating func learn(_ address: MACAddress, _ port: Int, _ now: UInt64) {
    guard !address.isGroup else { return }
    if let before = places[address] {
      if before.port != port {
        // It has moved, unless the new port is full: then it is known nowhere, and found by asking everywhere.
        known[before.port] -= 1
        places[address] = nil
      } else {
        places[address]?.seen = now
        return
      }
    }
    if known[port] >= addressesPerPort { forgetOld(now) }
    guard known[port] < addressesPerPort else { return }
    known[port] += 1
    places[address] = Place(port: port, seen: now)
  }

  private mutating func place(of address: MACAddress, _ now: UInt64) -> Int? {
    guard let place = places[address] else { return nil }
    if now >= place.seen, now - place.seen <= ageing { return place.port }
    known[place.port] -= 1
    places[address] = nil
    return nil
  }

  private mutating func forgetOld(_ now: UInt64) {
    for (address, place) in places where now > place.seen && now - place.seen > ageing {
      known[place.port] -= 1
      places[address] = nil
    }
  }
}

extension MACAddress {
  /// Broadcast or multicast: the lowest bit of the first byte (IEEE 802 §8.2.2).
  var isGroup: Bool { bits >> 40 & 1 == 1 }
}
