/// The intervals of the protocol, in milliseconds, and why they are what they are.
///
/// **Death.** A node pings its successor on the ring of ids every `ping`. The answer is awaited for `direct`, then up to three
/// nodes with a tunnel to the target are asked to ping it, for `indirect`. After that the target is suspected, everywhere at
/// once since news floods the neighbour links, and unless it speaks up within `suspicion` it is dead:
///
///     ping + direct + indirect + suspicion + flood = 1000 + 300 + 500 + 1700 + 1000 = 4500 ms at most, on a LAN
///
/// While a successor is suspect, the next one is pinged as often, and a predecessor from which nothing came for `silence` is
/// pinged by its successor, so a run of neighbours that die together is seen from both of its ends.
/// While a probe waits for help, the next one beyond its target is probed already, so a run of neighbours that die together
/// takes little longer than one.
/// A neighbour that never answered since it became one has `grace` for its tunnel to be made. A node whose helpers do not answer
/// either doubts its own network and waits up to three times as long for answers, as after the death of all but one.
///
/// **Rest.** Over a second a node sends 1 ping to its successor and 1 answer to its predecessor, and half a ping and half
/// an answer for the other links: 3 datagrams of 18 bytes, 80 with ESP (AES-GCM, 16 bytes of ICV), UDP and IP.
/// Vitals (load, free memory) of one node take 6 to 8 bytes and are sent about 3.5 times by every node. Each node issues them
/// every `vitals(n)` = max(2 s, n · 100 ms), so all nodes together issue at most 10 a second whatever their number:
///
///     3 · 80 + 10 · 3.5 · 7 + 3 · 6 ≈ 500 bytes/s for each node from 20 nodes on
///
/// The price is age: a view of n nodes is up to n · 100 ms plus the way through the rings old (1,000 nodes: about two minutes).
/// A node whose vitals hardly changed issues them only every fourth time.
enum Timing {
  /// Between pings to the successor on the ring of ids.
  static let ping: UInt64 = 1000
  /// Until an answer is missed, and until the help of others has failed too.
  static let direct: UInt64 = 300
  static let indirect: UInt64 = 500
  /// For the other links: first they are pinged so often, since those who could help must make a tunnel for it first.
  static let farAttempts = 3
  static let indirectFar: UInt64 = 1200
  /// Until a suspect is dead.
  static let suspicion: UInt64 = 1700
  /// Until a silent predecessor is pinged.
  static let silence: UInt64 = 1600
  /// For the tunnel to a new neighbour.
  static let grace: UInt64 = 5000
  /// Between pings to the other neighbours, in turn.
  static let farPing: UInt64 = 2000
  /// Urgent news waits this long for company, and leaves for `batch` neighbours at a time.
  static let flush: UInt64 = 50
  static let nextFlush: UInt64 = 100
  static let batch = 4
  /// Between two comparisons of what two nodes know, and for how long nothing must have changed.
  static let comparison: UInt64 = 2000
  static let quiet: UInt64 = 2000
  /// How often a node considers trying a dead one again. So many of all live nodes do it each time, whatever their number.
  static let retry: UInt64 = 10_000
  static let retriers = 20
  /// The same for those that are not remembered any longer.
  static let strayRetry: UInt64 = 600_000
  /// How long dead nodes and those that left are remembered.
  static let deadMemory: UInt64 = 24 * 3_600_000
  static let leftMemory: UInt64 = 3_600_000
  static let sweep: UInt64 = 60_000
  /// Calls that come later than this mean that the process stood still and knows nothing of the time between.
  static let stall: UInt64 = 300

  /// The next time after `now`, in step with the last one unless that is long ago.
  static func next(_ last: UInt64, every interval: UInt64, after now: UInt64) -> UInt64 {
    let next = last &+ interval
    return next > now ? next : now &+ interval
  }

  static func vitals(nodes: Int) -> UInt64 { max(2000, UInt64(clamping: nodes) * 100) }
}
