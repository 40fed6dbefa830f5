import DroneLayout
import ArgumentParser
import Foundation
import Workshop

/// `droneforge junk`: connections to a node's TCP 3278 that are good for nothing, as many at a time as may wait. `bench` runs
/// it on the network of its machines.
struct Junk: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Throw useless connections at a node; for bench.", shouldDisplay: false)

  @Argument(help: "The node's address.")
  var address: String

  @Argument(help: "How many connections.")
  var count: Int

  @Option(help: "Speak from 192.168.1.200 and so many addresses from there on, each in turn.")
  var sources = 1

  /// What one of them does when it stands; then it waits for the other side to close.
  private enum Kind: Int, CaseIterable {
    /// Bytes that mean nothing.
    case random
    /// Nothing: a handshake that does not begin.
    case silent
    /// The beginning of a handshake, and no more.
    case halfOpen
    /// It closes at once.
    case brief
  }

  private struct Connection {
    let descriptor: Int32
    let kind: Kind
    var isOpen = false
    let deadline: ContinuousClock.Instant
  }

  private static let atOnce = 64
  private static let patience = Duration.seconds(2)

  func run() throws {
    var connections: [Connection] = []
    var begun = 0
    var stood = 0
    var closed = 0
    var generator = SystemRandomNumberGenerator()
    let start = ContinuousClock.now
    while begun < count || !connections.isEmpty {
      while begun < count, connections.count < Self.atOnce {
        connections.append(try connection(begun))
        begun += 1
      }
      var polled = connections.map {
        pollfd(fd: $0.descriptor, events: Int16($0.isOpen ? POLLIN : POLLOUT), revents: 0)
      }
      _ = poll(&polled, nfds_t(polled.count), 50)
      let now = ContinuousClock.now
      var kept: [Connection] = []
      for (index, former) in connections.enumerated() {
        var connection = former
        var isOver = connection.deadline <= now
        if polled[index].revents != 0 {
          if connection.isOpen {
            var bytes = [UInt8](repeating: 0, count: 4096)
            if recv(connection.descriptor, &bytes, bytes.count, 0) <= 0 {
              closed += 1
              isOver = true
            }
          } else if polled[index].revents & Int16(POLLERR | POLLHUP) != 0 {
            isOver = true
          } else {
            connection.isOpen = true
            stood += 1
            let text = bytes(of: connection.kind, using: &generator)
            if !text.isEmpty { _ = Glibc.send(connection.descriptor, text, text.count, Int32(MSG_NOSIGNAL)) }
            if connection.kind == .brief { isOver = true }
          }
        }
        if isOver { close(connection.descriptor) } else { kept.append(connection) }
      }
      connections = kept
    }
    let took = ContinuousClock.now - start
    print("\(stood) stood, \(closed) closed by the node, in \(took.components.seconds) s")
  }

  private func connection(_ number: Int) throws -> Connection {
    let descriptor = socket(
      AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw BuildError.input("No more sockets can be opened.") }
    if sources > 1 { withAddress("192.168.1.\(200 + number % sources)", 0) { _ = bind(descriptor, $0, $1) } }
    withAddress(address, ClusterPorts.control) { _ = connect(descriptor, $0, $1) }
    return Connection(
      descriptor: descriptor, kind: Kind.allCases[number % Kind.allCases.count], deadline: .now + Self.patience)
  }

  private func withAddress(_ text: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Void) {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    inet_pton(AF_INET, text, &address.sin_addr)
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  private func bytes(of kind: Kind, using generator: inout SystemRandomNumberGenerator) -> [UInt8] {
    switch kind {
    case .random: (0..<600).map { _ in UInt8.random(in: 0...255, using: &generator) }
    // A record of 512 bytes with a handshake message (RFC 8446 §5.1), of which the first ones come.
    case .halfOpen: [22, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3] + [UInt8](repeating: 7, count: 32)
    case .silent, .brief: []
    }
  }
}
