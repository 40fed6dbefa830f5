import Addresses
import BootServer
import DroneLayout
import Linux

/// The HTTP server's sockets. Connections pass beside the IPsec policies, as transfers by TFTP do: a member that boots again
/// knows nothing of its association.
final class HTTPSockets {
  private final class Socket {
    let descriptor: Descriptor
    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
  }

  private var server: HTTPServer
  private let contents: ServedContent
  private let listener: Descriptor
  private var calls = [Socket?](repeating: nil, count: HTTPServer.most)

  init(_ network: ServedNetwork, _ files: [HTTPServer.File], _ contents: ServedContent) throws(SystemError) {
    server = HTTPServer(network, files: files)
    self.contents = contents
    listener = try listenStream(
      on: SocketAddress(network.own, port: ClusterPorts.bootFiles), backlog: 32, transforms: .bypass)
  }

  var nextDue: UInt64? { server.nextDue }

  /// What is waited for: as many each time, `ready` gets what came of them.
  var interests: [Interest] {
    [Interest(server.hasRoom ? listener.number : -1)]
      + calls.indices.map { place in
        Interest(calls[place]?.descriptor.number ?? -1, server.isSending(place) ? .writable : .readable)
      }
  }

  /// Does what can be done without waiting.
  /// - Parameter ready: for each of `interests`, whether it came.
  func advance(_ ready: ArraySlice<Readiness>, _ now: UInt64, _ tell: (BootNews) -> Void) {
    for (place, came) in ready.dropFirst().enumerated() where !came.isEmpty { go(on: place, now, tell) }
    if ready.first?.isEmpty == false { accept(now) }
  }

  func step(_ now: UInt64, _ tell: (BootNews) -> Void) {
    perform(server.step(at: now), tell)
    for place in calls.indices where server.isSending(place) { send(on: place, now, tell) }
  }

  private func accept(_ now: UInt64) {
    for _ in 0..<HTTPServer.most where server.hasRoom {
      guard let descriptor = try? acceptStream(listener) else { return }
      guard let peer = peerAddress(of: descriptor) else { continue }
      let socket = Socket(descriptor)
      switch server.admit(peer.address, at: now) {
      case .place(let place), .instead(of: let place): calls[place] = socket
      case .refused: break
      }
    }
  }

  private func go(on place: Int, _ now: UInt64, _ tell: (BootNews) -> Void) {
    guard let call = calls[place] else { return }
    if !server.isSending(place) {
      do throws(SystemError) {
        guard let bytes = try call.descriptor.receiveSome(upTo: 4096) else { return }
        perform(server.receive(bytes, on: place, at: now), tell)
      } catch {
        return perform(server.end(place), tell)
      }
    }
    send(on: place, now, tell)
  }

  private func send(on place: Int, _ now: UInt64, _ tell: (BootNews) -> Void) {
    // A bound for each turn keeps one client from holding up the others.
    for _ in 0..<8 where server.isSending(place) {
      guard let call = calls[place] else { return }
      let bytes = server.next(on: place) { contents.read($0, $1, $2) }
      guard let bytes, let went = try? call.descriptor.sendSome(bytes) else { return perform(server.end(place), tell) }
      if went == 0 { return }
      perform(server.sent(went, on: place, at: now), tell)
    }
  }

  private func perform(_ commands: [HTTPServer.Command], _ tell: (BootNews) -> Void) {
    for command in commands {
      switch command {
      case .close(let place): calls[place] = nil
      case .news(let news): tell(news)
      }
    }
  }
}
