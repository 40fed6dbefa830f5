import Bytes

/// What is to happen, the earliest first; of things at the same time, what was put in first. A binary heap.
struct EventQueue<Event> {
  private struct Entry {
    let time: UInt64
    let order: UInt64
    let event: Event

    func precedes(_ other: Entry) -> Bool { time != other.time ? time < other.time : order < other.order }
  }

  private var entries: [Entry] = []
  private var count: UInt64 = 0

  var nextTime: UInt64? { entries.first?.time }

  mutating func insert(_ event: Event, at time: UInt64) {
    count += 1
    entries.append(Entry(time: time, order: count, event: event))
    var place = entries.count - 1
    while place > 0 {
      let parent = (place - 1) / 2
      guard entries[place].precedes(entries[parent]) else { break }
      entries.swapAt(place, parent)
      place = parent
    }
  }

  mutating func popFirst() -> (time: UInt64, event: Event)? {
    guard let first = entries.first, let last = entries.popLast() else { return nil }
    if !entries.isEmpty {
      entries[0] = last
      var place = 0
      while true {
        var least = place
        for child in [2 * place + 1, 2 * place + 2]
        where child < entries.count && entries[child].precedes(entries[least]) {
          least = child
        }
        if least == place { break }
        entries.swapAt(place, least)
        place = least
      }
    }
    return (first.time, first.event)
  }
}

extension SplitMix64 {
  /// Whether something that happens `thousandths` times of a thousand happens now.
  mutating func happens(_ thousandths: UInt64) -> Bool { thousandths > 0 && next() % 1000 < thousandths }

  mutating func number(in range: ClosedRange<UInt64>) -> UInt64 {
    range.lowerBound + next() % (range.upperBound - range.lowerBound + 1)
  }
}
