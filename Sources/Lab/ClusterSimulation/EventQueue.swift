import Bytes

/// What is to happen, the earliest first; of things at the same time, what was put in first. A binary heap of places, so that
/// events themselves stay where they are.
struct EventQueue<Event> {
  private struct Entry {
    let time: UInt64
    let order: UInt64
    let place: Int

    func precedes(_ other: Entry) -> Bool { time != other.time ? time < other.time : order < other.order }
  }

  private var heap: [Entry] = []
  private var events: [Event?] = []
  private var free: [Int] = []
  private var count: UInt64 = 0

  var nextTime: UInt64? { heap.first?.time }

  mutating func insert(_ event: Event, at time: UInt64) {
    count += 1
    let entry = Entry(time: time, order: count, place: free.popLast() ?? events.count)
    if entry.place == events.count { events.append(event) } else { events[entry.place] = event }
    var hole = heap.count
    heap.append(entry)
    while hole > 0 {
      let parent = (hole - 1) / 2
      guard entry.precedes(heap[parent]) else { break }
      heap[hole] = heap[parent]
      hole = parent
    }
    heap[hole] = entry
  }

  mutating func popFirst() -> (time: UInt64, event: Event)? {
    guard let first = heap.first, let last = heap.popLast(), let event = events[first.place] else { return nil }
    events[first.place] = nil
    free.append(first.place)
    guard !heap.isEmpty else { return (first.time, event) }
    var hole = 0
    while 2 * hole + 1 < heap.count {
      var child = 2 * hole + 1
      if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
      guard heap[child].precedes(last) else { break }
      heap[hole] = heap[child]
      hole = child
    }
    heap[hole] = last
    return (first.time, event)
  }
}

extension SplitMix64 {
  /// Whether something that happens `thousandths` times of a thousand happens now.
  mutating func happens(_ thousandths: UInt64) -> Bool { thousandths > 0 && next() % 1000 < thousandths }

  mutating func number(in range: ClosedRange<UInt64>) -> UInt64 {
    range.lowerBound + next() % (range.upperBound - range.lowerBound + 1)
  }
}
