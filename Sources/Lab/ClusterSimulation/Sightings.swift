import Addresses

/// When the nodes learned something about those machines that are watched.
struct Sightings {
  private struct Sighting {
    var joined: [Int: UInt64] = [:]
    var gone: [Int: UInt64] = [:]
  }

  private var watched: [MACAddress: Sighting] = [:]

  /// From now on, notes who learns what of a machine.
  mutating func watch(_ mac: MACAddress) { watched[mac] = Sighting() }

  mutating func noteJoined(_ mac: MACAddress, by index: Int, at now: UInt64) { watched[mac]?.joined[index] = now }
  mutating func noteGone(_ mac: MACAddress, by index: Int, at now: UInt64) { watched[mac]?.gone[index] = now }

  /// Milliseconds from `start` until the last of all others saw the machine join; nil while one has not.
  func joined(_ index: Int, since start: UInt64, _ machines: MachineTable) -> UInt64? {
    latest(watched[machines[index].mac]?.joined, but: index, since: start, machines)
  }

  /// The same for its death, leave or removal.
  func gone(_ index: Int, since start: UInt64, _ machines: MachineTable) -> UInt64? {
    latest(watched[machines[index].mac]?.gone, but: index, since: start, machines)
  }

  private func latest(_ times: [Int: UInt64]?, but index: Int, since start: UInt64, _ machines: MachineTable) -> UInt64?
  {
    var latest: UInt64 = 0
    for other in machines.indices where other != index && machines[other].isOn {
      guard let time = times?[other], time >= start else { return nil }
      latest = max(latest, time - start)
    }
    return latest
  }
}
