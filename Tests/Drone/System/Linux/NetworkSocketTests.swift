import Addresses
import Glibc
import Linux
import Netlink
import TestSupport
import Testing

/// Sockets between two networks joined by a cable.
@Suite(.enabled(if: NetworkThread.isPossible, "needs root, iproute2 and nftables"), .serialized)
struct NetworkSocketTests {
  private let left = IPv4Address(10, 0, 0, 1)
  private let right = IPv4Address(10, 0, 0, 2)

  @Test(
    "where everything must be in ESP, a connection that bypasses comes to stand, its accepted end too, and no other does"
  )
  func bypass() throws {
    let (here, there) = try joined()
    try demand(in: here, own: left, peer: right)
    try demand(in: there, own: right, peer: left)
    let address = right
    for (port, listening, calling, stands) in [
      (3278, .bypass, .bypass, true), (3279, .asPoliciesSay, .bypass, false), (3280, .bypass, .asPoliciesSay, false),
    ] as [(UInt16, TransformUse, TransformUse, Bool)] {
      let place = SocketAddress(address, port: port)
      let listener = try there.run { Held(try listenStream(on: place, transforms: listening)) }
      let client = try here.run { Held(try connectStream(to: place, transforms: calling)) }
      let ready = waitReady([Interest(client.descriptor.number, .writable)], milliseconds: stands ? 3000 : 300)
      #expect(ready == [stands ? .writable : []], "port \(port)")
      guard stands else { continue }
      #expect(connectionFailure(client.descriptor) == nil)
      guard let server = try acceptStream(listener.descriptor) else {
        Issue.record("nobody came")
        return
      }
      // Both ways, so that the accepted end's own packets are seen to pass.
      for (from, to) in [(client.descriptor.number, server.number), (server.number, client.descriptor.number)] {
        #expect(writeAll(from, [1, 2, 3]))
        #expect(waitReady([Interest(to)], milliseconds: 2000) == [.readable])
      }
      #expect(try server.receiveSome(upTo: 9) == [1, 2, 3])
      #expect(try client.descriptor.receiveSome(upTo: 9) == [1, 2, 3])
    }
  }

  @Test("a question to a group is heard by who joined it there, and answered from the address of that interface")
  func multicast() throws {
    let (here, there) = try joined()
    let group = IPv4Address(239, 192, 0, 1)
    let heard = try there.run {
      try HeldDatagrams(SocketAddress(.unspecified, port: 2727))
    }
    let asking = try here.run { try HeldDatagrams(SocketAddress(.unspecified, port: 2728)) }
    let index = try here.run { try interface() }
    let other = try there.run { try interface() }
    try asking.socket.setMulticast(interface: index, hops: 1, heardHere: false)
    try asking.socket.send([1], to: SocketAddress(group, port: 2727))
    #expect(waitReady([Interest(heard.socket.descriptor)], milliseconds: 100) == [[]])
    try heard.socket.join(group, interface: other)
    try asking.socket.send([2], to: SocketAddress(group, port: 2727))
    #expect(waitReady([Interest(heard.socket.descriptor)], milliseconds: 2000) == [.readable])
    let question = try #require(try heard.socket.receive(upTo: 100))
    #expect(question.bytes == [2])
    #expect(question.destination == group)
    #expect(question.interface == other)
    #expect(question.sender == SocketAddress(left, port: 2728))
    try heard.socket.send([3], to: question.sender, interface: question.interface)
    #expect(waitReady([Interest(asking.socket.descriptor)], milliseconds: 2000) == [.readable])
    #expect(try asking.socket.receive(upTo: 100)?.sender == SocketAddress(right, port: 2727))
    try heard.socket.leave(group, interface: other)
    #expect(throws: SystemError.self) { try heard.socket.leave(group, interface: other) }
  }

  @Test("the way to a host names interface and own address; where there is none, that is said")
  func route() throws {
    let (here, _) = try joined()
    let peer = right
    let (route, index) = try here.run { () throws -> (Route?, Int32) in
      var socket = try NetlinkSocket(.route)
      do {
        _ = try socket.route(to: IPv4Address(192, 0, 2, 1))
        Issue.record("there is no way")
      } catch NetlinkSocketError.refused(let failure, _) {
        #expect(failure.number == 101)  // ENETUNREACH
      }
      return (try socket.route(to: peer), try interface())
    }
    #expect(route?.interface == index)
    #expect(route?.preferredSource == left)
    #expect(route?.gateway == nil)
  }

  private func joined() throws -> (NetworkThread, NetworkThread) {
    let (here, there) = (try NetworkThread(), try NetworkThread())
    try NetworkThread.join(here, "10.0.0.1/24", there, "10.0.0.2/24")
    return (here, there)
  }

  private func demand(in network: NetworkThread, own: IPv4Address, peer: IPv4Address) throws {
    try network.run {
      var socket = try NetlinkSocket(.transform)
      try socket.perform(.set(.require(.outbound, from: .ipv4(own), to: .ipv4(peer)), layout: .native))
      try socket.perform(.set(.require(.inbound, from: .ipv4(peer), to: .ipv4(own)), layout: .native))
    }
  }
}

/// Sockets made on one thread and used on another, by one at a time.
private final class Held: @unchecked Sendable {
  let descriptor: Descriptor
  init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}

private final class HeldDatagrams: @unchecked Sendable {
  let socket: DatagramSocket
  init(_ local: SocketAddress) throws { socket = try DatagramSocket(local) }
}

/// The number of `eth0`.
private func interface() throws -> Int32 {
  var socket = try NetlinkSocket(.route)
  return try socket.links().first { $0.name == Array("eth0".utf8) }?.index ?? 0
}

private func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
  waitWritable(descriptor, milliseconds: 2000) && write(descriptor, bytes, bytes.count) == bytes.count
}
