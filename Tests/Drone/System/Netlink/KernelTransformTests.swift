import Addresses
import Bytes
import Linux
import Netlink
import TestSupport
import Testing

/// What a kernel makes of our requests, as iproute2 shows it, and what our reader makes of what it says.
@Suite(.enabled(if: hasTransforms, "needs root, iproute2 and a kernel with XFRM"), .serialized)
struct KernelTransformTests {
  private let own = InternetAddress.ipv4(IPv4Address(10, 0, 0, 1))
  private let peer = InternetAddress.ipv4(IPv4Address(10, 0, 0, 2))

  @Test("policies that we set are what ip(8) shows, set twice they are the same, removed they are gone")
  func policies() throws {
    let network = try NetworkThread()
    let demands = [
      TransformPolicy.require(.outbound, from: own, to: peer, requestID: 3),
      .require(.inbound, from: peer, to: own, requestID: 3),
    ]
    try perform(demands.map { .set($0, layout: .native) }, in: network)
    // A kernel with sub-policies says that these are none.
    let shown = words(try network.command("ip", "xfrm", "policy")).replacing("ptype main ", with: "")
    #expect(
      shown.contains(
        "src 10.0.0.1/32 dst 10.0.0.2/32 dir out priority 0 tmpl src 0.0.0.0 dst 0.0.0.0 proto esp reqid 3 mode transport"
      ), "\(shown)")
    #expect(shown.contains("src 10.0.0.2/32 dst 10.0.0.1/32 dir in priority 0 tmpl"), "\(shown)")
    try perform(demands.map { .set($0, layout: .native) }, in: network)
    let found = try network.run { () throws -> [TransformPolicy] in
      var socket = try NetlinkSocket(.transform)
      return try socket.policies()
    }
    #expect(found.count == 2)
    for demand in demands {
      let kept = found.first { $0.direction == demand.direction }
      #expect(kept?.selector == demand.selector)
      #expect(kept?.templates == demand.templates)
      #expect(kept?.index != 0)
    }
    try perform(demands.map { .remove($0) }, in: network)
    #expect(try network.command("ip", "xfrm", "policy") == "")
  }

  @Test(
    "a packet under a policy asks for keys; abandoned, the next one asks again, and left alone the question expires")
  func acquire() throws {
    let network = try NetworkThread()
    try prepare(network)
    let (sender, events) = try network.run { (try Datagrams(port: 4000), try Listener(.acquire, .expire)) }
    #expect(try network.run { try sender.send([1], to: [10, 0, 0, 2], port: 5000) })
    let first = try #require(try events.next(where: isAcquire))
    guard case .acquire(let acquire) = first else { return }
    #expect(acquire.source == own)
    #expect(acquire.destination == peer)
    #expect(acquire.requestID == 3)
    #expect(acquire.packet.transport == 17)
    #expect(acquire.packet.destinationPort == 5000)
    #expect(acquire.packet.sourcePort == 4000)
    let waiting = try network.run { () throws -> [AssociationStatus] in
      var socket = try NetlinkSocket(.transform)
      let waiting = try socket.associations()
      try socket.abandon(acquire)
      #expect(try socket.associations() == [])
      return waiting
    }
    #expect(waiting.count == 1)
    #expect(waiting.first?.isWaiting == true)
    #expect(waiting.first?.acquireSequence == acquire.sequence)
    #expect(waiting.first?.name.destination == peer)
    #expect(try network.run { try sender.send([2], to: [10, 0, 0, 2], port: 5000) })
    guard case .acquire(let second) = try #require(try events.next(where: isAcquire)) else { return }
    #expect(second.sequence != acquire.sequence)
    // One second was set for how long a question stands.
    let end = try events.next { if case .expired(_, hard: true) = $0 { true } else { false } }
    guard case .expired(let status, hard: true) = end else {
      Issue.record("\(String(describing: end)) is no end")
      return
    }
    #expect(status.isWaiting)
    #expect(status.acquireSequence == second.sequence)
  }

  @Test("what the kernel refuses is refused with its reason, and an unknown association is missing")
  func refusals() throws {
    let network = try NetworkThread()
    try network.run {
      var socket = try NetlinkSocket(.transform)
      let name = SecurityAssociationName(destination: .ipv4(IPv4Address(10, 0, 0, 2)), spi: 0x1000)
      for request in [NetlinkRequest.get(name), .remove(name)] {
        do {
          try socket.perform(request)
          Issue.record("not refused")
        } catch NetlinkSocketError.refused(let failure, _) {
          #expect(failure.number == 3)  // ESRCH
        }
      }
      do {
        try socket.perform(.remove(TransformPolicy.bypass(.outbound)))
        Issue.record("not refused")
      } catch NetlinkSocketError.refused(let failure, _) {
        #expect(failure.number == 2)  // ENOENT
      }
    }
  }

  private func prepare(_ network: NetworkThread) throws {
    try network.command("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other")
    try network.command("ip", "address", "add", "10.0.0.1/24", "dev", "eth0")
    try network.command("ip", "link", "set", "other", "up")
    try network.command("ip", "link", "set", "eth0", "up")
    try network.run {
      try writeFile("/proc/sys/net/core/xfrm_larval_drop", [UInt8]("0"))
      try writeFile("/proc/sys/net/core/xfrm_acq_expires", [UInt8]("1"))
    }
    try perform([.set(.require(.outbound, from: own, to: peer, requestID: 3), layout: .native)], in: network)
  }

  private func isAcquire(_ message: TransformMessage) -> Bool {
    if case .acquire = message { true } else { false }
  }

  private func perform(_ requests: [NetlinkRequest], in network: NetworkThread) throws {
    try network.run {
      var socket = try NetlinkSocket(.transform)
      for request in requests { try socket.perform(request) }
    }
  }
}

private let hasTransforms: Bool = {
  guard NetworkThread.isPossible, var socket = try? NetlinkSocket(.transform) else { return false }
  return (try? socket.policies()) != nil
}()

/// A socket that hears what the kernel says of its own accord.
private final class Listener: @unchecked Sendable {
  // One thread at a time takes from it.
  private let socket: NetlinkSocket

  init(_ groups: TransformGroups...) throws {
    socket = try NetlinkSocket(.transform, groups: TransformGroups(groups).rawValue)
  }

  /// The next message of a kind; nil if none comes within three seconds.
  func next(where wanted: (TransformMessage) -> Bool) throws -> TransformMessage? {
    for _ in 0..<30 {
      for message in try socket.transformEvents(within: 100) where wanted(message) { return message }
    }
    return nil
  }
}

/// Words with one space between them.
private func words(_ text: String) -> String {
  text.split { $0 == " " || $0 == "\n" || $0 == "\t" }.joined(separator: " ")
}
