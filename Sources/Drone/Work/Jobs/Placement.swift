import Bytes

/// A node that a job might run on.
public struct Candidate: Equatable, Sendable {
  public var id: UInt16
  /// How many programs want a processor, in hundredths.
  public var load: UInt32
  /// At least 1 counts.
  public var processors: UInt32
  /// In KiB.
  public var freeMemory: UInt64
  /// Jobs that this home node has put there and that its told load does not show yet.
  public var placed: UInt32

  public init(id: UInt16, load: UInt32, processors: UInt32, freeMemory: UInt64, placed: UInt32 = 0) {
    self.id = id
    self.load = load
    self.processors = processors
    self.freeMemory = freeMemory
    self.placed = placed
  }

  /// How busy each of its processors would be, in hundredths; more when memory is short.
  var cost: UInt64 {
    let wanted = UInt64(load) + 100 * UInt64(placed) + 100
    let cost = wanted / UInt64(max(processors, 1))
    return freeMemory < Candidate.littleMemory ? cost + 100 * 1000 : cost
  }

  /// With less than this, in KiB, a node is taken when there is no other.
  private static let littleMemory: UInt64 = 16 << 10
}

/// The order in which nodes are asked for room. Of many the better one of two that chance names comes first, so that home nodes that
/// do not know of each other do not all take the same one; few are simply sorted.
/// - Parameter random: two numbers from chance.
public func orderOfAsking(_ candidates: [Candidate], random: (UInt32, UInt32)) -> [UInt16] {
  var sorted = candidates
  sorted.sort { ($0.cost, $0.id) < ($1.cost, $1.id) }
  guard sorted.count > fewNodes else { return sorted.map { $0.id } }
  let count = UInt32(clamping: sorted.count)
  let better = Int(min(random.0 % count, random.1 % count))
  let first = sorted.remove(at: better)
  return [first.id] + sorted.map { $0.id }
}

private let fewNodes = 8
