import Addresses
import Foundation
import Glibc
import Linux
import Testing

private struct Missing: Error {}

/// Values that cannot be copied cannot be looked at by `#expect` and `#require`.
private func accepted(_ listener: borrowing Descriptor) throws -> Descriptor {
  guard let socket = try acceptStream(listener) else { throw Missing() }
  return socket
}

private func free(port listener: consuming Descriptor) throws -> SocketAddress {
  guard let place = localAddress(of: listener) else { throw Missing() }
  return place
}

private func place(of socket: borrowing DatagramSocket) throws -> SocketAddress {
  guard let place = socket.local else { throw Missing() }
  return place
}

@Suite("Sockets on the loopback")
struct SocketTests {
  private let loopback = IPv4Address(127, 0, 0, 1)

  @Test("a TCP connection knows both its ends, carries bytes and sees its end")
  func stream() throws {
    let listener = try listenStream(on: SocketAddress(loopback, port: 0))
    let local = localAddress(of: listener)
    let place = try #require(local)
    #expect(throws: Missing.self) { _ = try accepted(listener) }
    let client = try connectStream(to: place, from: loopback)
    setPatience(milliseconds: 5000, of: client)
    #expect(waitReady([Interest(client.number, .writable)], milliseconds: 2000) == [.writable])
    let failure = connectionFailure(client)
    #expect(failure == nil)
    #expect(waitReady([Interest(listener.number)], milliseconds: 2000) == [.readable])
    let server = try accepted(listener)
    let ends = [peerAddress(of: client), peerAddress(of: server), localAddress(of: client)]
    #expect(ends[0] == place)
    #expect(ends[1] == ends[2])
    #expect(try server.receiveSome(upTo: 10) == nil)
    #expect(try client.sendSome([1, 2, 3], from: 1) == 2)
    #expect(waitReady([Interest(server.number)], milliseconds: 2000) == [.readable])
    #expect(try server.receiveSome(upTo: 10) == [2, 3])
    _ = consume client
    #expect(waitReady([Interest(server.number)], milliseconds: 2000).first?.contains(.readable) == true)
    #expect(try server.receiveSome(upTo: 10) == [])
  }

  @Test("a connection to where nobody listens fails with a reason")
  func refused() throws {
    let gone = try free(port: try listenStream(on: SocketAddress(loopback, port: 0)))
    let client = try connectStream(to: gone)
    _ = waitReady([Interest(client.number, .writable)], milliseconds: 2000)
    let (failure, peer) = (connectionFailure(client), peerAddress(of: client))
    #expect(failure?.number == ECONNREFUSED)
    #expect(peer == nil)
  }

  @Test("a sender whose other end is gone gets an error, and no signal")
  func broken() throws {
    let listener = try listenStream(on: SocketAddress(loopback, port: 0))
    let place = localAddress(of: listener)
    let client = try connectStream(to: try #require(place))
    _ = waitReady([Interest(listener.number)], milliseconds: 2000)
    _ = try accepted(listener)
    let failure = #expect(throws: SystemError.self) {
      for _ in 0..<100 {
        _ = try client.sendSome([1])
        pause(milliseconds: 5)
      }
    }
    #expect(failure?.number == EPIPE || failure?.number == ECONNRESET)
  }

  @Test("a datagram says where it came from, where it was sent to and by which interface")
  func datagram() throws {
    let receiver = try DatagramSocket(SocketAddress(.unspecified, port: 0))
    let sender = try DatagramSocket(SocketAddress(loopback, port: 0))
    let (bound, origin) = (try place(of: receiver), try place(of: sender))
    let place = SocketAddress(IPv4Address(127, 0, 0, 9), port: bound.port)
    #expect(try receiver.receive(upTo: 100) == nil)
    try sender.send([1, 2, 3], to: place)
    try sender.send([UInt8](repeating: 9, count: 101), to: place)  // too long: passed over
    try sender.send([], to: place)
    #expect(waitReady([Interest(receiver.descriptor)], milliseconds: 2000) == [.readable])
    let datagram = try #require(try receiver.receive(upTo: 100))
    #expect(datagram.bytes == [1, 2, 3])
    #expect(datagram.sender == origin)
    #expect(datagram.destination == IPv4Address(127, 0, 0, 9))
    #expect(datagram.interface == 1)
    #expect(try receiver.receive(upTo: 100)?.bytes == [])
    #expect(try receiver.receive(upTo: 100) == nil)
    // Answered from the address that was asked.
    try receiver.send([4], to: datagram.sender, from: datagram.destination)
    _ = waitReady([Interest(sender.descriptor)], milliseconds: 2000)
    #expect(try sender.receive(upTo: 100)?.sender.address == IPv4Address(127, 0, 0, 9))
  }

  @Test("nobody else, another user say, gets the port of a datagram socket, at whatever address")
  func ownPort() throws {
    let socket = try DatagramSocket(SocketAddress(.unspecified, port: 0))
    let port = try place(of: socket).port
    let other = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    defer { close(other) }
    var on: Int32 = 1
    #expect(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size)) == 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = loopback.bits.bigEndian
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(other, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    #expect(bound == -1)
    #expect(errno == EADDRINUSE)
  }

  @Test("datagrams to where nobody listens are lost without harm")
  func lost() throws {
    let gone = try place(of: try DatagramSocket(SocketAddress(loopback, port: 0)))
    let sender = try DatagramSocket(SocketAddress(loopback, port: 0))
    for _ in 0..<3 { try sender.send([1], to: gone) }
    #expect(try sender.receive(upTo: 10) == nil)
  }

  @Test("a local socket is its owner's alone, names who connects, and is replaced only when it is dead")
  func local() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("local-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = Path(Array(folder.appendingPathComponent("socket").path.utf8))
    #expect(throws: SystemError.self) { _ = try connectLocal(path) }
    do {
      let listener = try listenLocal(path)
      var information = stat()
      #expect(stat(String(decoding: path.bytes, as: UTF8.self), &information) == 0)
      #expect(information.st_mode & 0o777 == 0o600)
      let busy = #expect(throws: SystemError.self) { _ = try listenLocal(path) }
      #expect(busy?.number == EADDRINUSE)
      let client = try connectLocal(path)
      // The attempt above, then ours.
      _ = try acceptStream(listener)
      let server = try accepted(listener)
      let credentials = try peerCredentials(of: server)
      #expect(credentials.process == getpid() && credentials.user == getuid() && credentials.group == getgid())
      #expect(try client.sendSome([7]) == 1)
      #expect(try server.receiveSome(upTo: 9) == [7])
    }
    let again = try listenLocal(path)
    _ = try connectLocal(path)
    _ = try accepted(again)
    let long = #expect(throws: SystemError.self) { _ = try listenLocal(Path([UInt8](repeating: 97, count: 108))) }
    #expect(long?.number == ENAMETOOLONG)
  }

  @Test("waiting tells apart what can be read, written, and is broken")
  func readiness() throws {
    let pipe = try Linux.Pipe()
    let wanted = [
      Interest(pipe.input.number), Interest(pipe.output.number, .writable), Interest(-1, [.readable, .writable]),
    ]
    #expect(waitReady(wanted, milliseconds: 1000) == [[], .writable, []])
    try pipe.output.write([1])
    #expect(waitReady(wanted, milliseconds: 1000) == [.readable, .writable, []])
    _ = try pipe.input.read(upTo: 1)
    #expect(waitReady([wanted[0]], milliseconds: 0) == [[]])
    let input = pipe.keepingInput()
    #expect(waitReady([Interest(input.number)], milliseconds: 1000) == [.broken])
  }
}
