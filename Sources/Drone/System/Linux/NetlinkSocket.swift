import Addresses
import Bytes
import CLinux
import Netlink

/// Why a request over netlink gave no result.
public enum NetlinkSocketError: Error {
  /// The socket itself failed.
  case system(SystemError)
  /// The kernel refused the request; of a batch, the change with this index, counted from 0.
  case refused(NetlinkFailure, change: Int)
  /// The kernel's answer makes no sense.
  case unreadable(NetlinkParseError)
  /// No answer within the time.
  case noAnswer
  /// Messages were lost because they came faster than they were read: what is known must be asked for again.
  case lost
  /// The request is empty or too long for its format.
  case unsendable

  /// One phrase: `netlink: File exists (8)`.
  public var text: [UInt8] {
    switch self {
    case .system(let error): return error.text
    case .refused(let failure, let change):
      var out = SystemError("netlink", number: failure.number).text
      if change > 0 {
        out += [UInt8](" in change ")
        appendDecimal(UInt64(clamping: change), to: &out)
      }
      if !failure.explanation.isEmpty { out += [UInt8](" (") + failure.explanation + [UInt8](")") }
      return out
    case .unreadable(let error): return error.text
    case .noAnswer: return [UInt8]("netlink: no answer")
    case .lost: return [UInt8]("netlink: messages were lost")
    case .unsendable: return [UInt8]("netlink: nothing to send, or too much")
    }
  }
}

/// A socket to the kernel's configuration (netlink(7)). One that listens to groups is for events only; requests take a
/// socket of their own, or events would be lost among the answers.
public struct NetlinkSocket: ~Copyable {
  public enum Family: Int32, Sendable {
    /// Interfaces, addresses, routes.
    case route = 0
    /// Security associations and policies.
    case transform = 6
    /// The packet filter.
    case netfilter = 12
  }

  private let socket: Descriptor
  private var sequence: UInt32 = 0
  /// The longest wait for an answer. The kernel answers before send(2) returns, so this only guards against the absurd.
  private static let patience = 3000
  /// The kernel makes the datagrams of a list as large as the reader's buffer, up to this.
  private static let room = 1 << 15

  /// - Parameter groups: the events to listen to, as `RouteGroups.rawValue` or `TransformGroups.rawValue`.
  public init(_ family: Family, groups: UInt32 = 0) throws(NetlinkSocketError) {
    guard let socket = Descriptor(linux_netlink_open(family.rawValue, groups)) else {
      throw .system(SystemError("netlink"))
    }
    self.socket = socket
  }

  /// For waiting on: readable when there is something to take.
  public var descriptor: Int32 { socket.number }

  /// Sends a request and waits until the kernel has carried it out.
  public mutating func perform(_ request: NetlinkRequest) throws(NetlinkSocketError) { _ = try ask(request) }

  /// Sends a request, waits until the kernel has carried it out, and returns its answer.
  public mutating func ask(_ request: NetlinkRequest) throws(NetlinkSocketError) -> [NetlinkMessage] {
    guard !request.body.overflowed else { throw .unsendable }
    var request = request
    request.flags.insert(.acknowledge)
    let number = next()
    try send(request.encoded(sequence: number))
    var said: [NetlinkMessage] = []
    while true {
      for message in try receive(within: NetlinkSocket.patience) where message.sequence == number {
        switch try reply(message) {
        case .acknowledged: return said
        case .failed(let failure): throw .refused(failure, change: 0)
        case .message(let answer): said.append(answer)
        default: break
        }
      }
    }
  }

  /// Asks for a list and gives its messages; asks again if it changed while it was being read.
  public mutating func list(_ request: NetlinkRequest) throws(NetlinkSocketError) -> [NetlinkMessage] {
    for _ in 0..<4 {
      if let found = try listOnce(request) { return found }
    }
    throw .lost
  }

  /// Nil if the list changed meanwhile.
  private mutating func listOnce(_ request: NetlinkRequest) throws(NetlinkSocketError) -> [NetlinkMessage]? {
    let number = next()
    try send(request.encoded(sequence: number))
    var found: [NetlinkMessage] = []
    var interrupted = false
    while true {
      for message in try receive(within: NetlinkSocket.patience) where message.sequence == number {
        interrupted = interrupted || message.flags.contains(.dumpInterrupted)
        switch try reply(message) {
        case .message(let entry): found.append(entry)
        case .done: return interrupted ? nil : found
        case .failed(let failure): throw .refused(failure, change: 0)
        case .overrun: throw .lost
        case .acknowledged, .nothing: break
        }
      }
    }
  }

  /// Makes all changes of a batch at once, or none.
  public mutating func perform(_ batch: FilterBatch) throws(NetlinkSocketError) {
    let begin = next()
    guard let bytes = batch.encoded(sequence: begin) else { throw .unsendable }
    let count = UInt32(truncatingIfNeeded: batch.requests.count)
    // Begin, the changes, end.
    sequence &+= count &+ 1
    try send(bytes)
    while true {
      for message in try receive(within: NetlinkSocket.patience) {
        let place = message.sequence &- begin
        guard place <= count else { continue }
        switch try reply(message) {
        // The first failure is the cause; one with the begin's number is the commit's own.
        case .failed(let failure): throw .refused(failure, change: Int(place) - 1)
        case .acknowledged where place == count: return
        default: break
        }
      }
    }
  }

  /// Events of the kernel. Waits for at most this many milliseconds; empty if there are none.
  public func events(within milliseconds: Int) throws(NetlinkSocketError) -> [NetlinkMessage] {
    do {
      return try receive(within: milliseconds)
    } catch .noAnswer {
      return []
    }
  }

  /// Reads the kernel's events, without waiting and within a bound for each turn: what is left makes the
  /// descriptor readable again.
  /// - Returns: false if some of it was lost because there was no room, or could not be read.
  public func takeEvents(_ body: (NetlinkMessage) -> Void) -> Bool {
    takeAll({ () throws(NetlinkSocketError) in try events(within: 0) }, body)
  }

  func takeAll<Message>(
    _ read: () throws(NetlinkSocketError) -> [Message], _ body: (Message) -> Void
  ) -> Bool {
    var isWhole = true
    for _ in 0..<64 {
      do throws(NetlinkSocketError) {
        let messages = try read()
        if messages.isEmpty { return isWhole }
        for message in messages { body(message) }
      } catch {
        isWhole = false
        if case .system = error { return false }
      }
    }
    return isWhole
  }

  private mutating func next() -> UInt32 {
    sequence &+= 1
    return sequence
  }

  private func send(_ bytes: [UInt8]) throws(NetlinkSocketError) {
    let went = bytes.withUnsafeBytes { linux_send(socket.number, $0.baseAddress, $0.count) }
    guard went == bytes.count else { throw .system(SystemError("netlink")) }
  }

  /// One datagram's messages.
  private func receive(within milliseconds: Int) throws(NetlinkSocketError) -> [NetlinkMessage] {
    guard waitReadable([socket.number], milliseconds: milliseconds).first == true else { throw .noAnswer }
    var failure: SystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: NetlinkSocket.room) { buffer, count in
      let got = linux_netlink_receive(socket.number, buffer.baseAddress, buffer.count)
      if got < 0 { failure = SystemError("netlink") }
      count = max(got, 0)
    }
    if let failure {
      if failure.number == ENOBUFS || failure.number == EMSGSIZE { throw .lost }
      throw failure.wouldBlock ? .noAnswer : .system(failure)
    }
    do {
      return try NetlinkMessage.list(in: bytes)
    } catch {
      throw .unreadable(error)
    }
  }

  private func reply(_ message: NetlinkMessage) throws(NetlinkSocketError) -> NetlinkReply {
    do {
      return try NetlinkReply(message)
    } catch {
      throw .unreadable(error)
    }
  }
}

extension NetlinkSocket {
  /// All interfaces, in the order of their numbers.
  public mutating func links() throws(NetlinkSocketError) -> [Link] {
    var found: [Link] = []
    for case .link(let link) in try routeMessages(.listLinks) { found.append(link) }
    return found
  }

  /// All IPv4 addresses.
  public mutating func addresses() throws(NetlinkSocketError) -> [InterfaceAddress] {
    var found: [InterfaceAddress] = []
    for case .address(let address) in try routeMessages(.listAddresses) { found.append(address) }
    return found
  }

  /// All IPv4 routes of all tables.
  public mutating func routes() throws(NetlinkSocketError) -> [Route] {
    var found: [Route] = []
    for case .route(let route) in try routeMessages(.listRoutes) { found.append(route) }
    return found
  }

  /// Interfaces, IPv4 addresses and routes.
  public mutating func network() throws(NetlinkSocketError) -> MachineNetwork {
    MachineNetwork(links: try links(), addresses: try addresses(), routes: try routes())
  }

  /// How packets to a host leave. Refused with ENETUNREACH if there is no way.
  public mutating func route(to host: IPv4Address) throws(NetlinkSocketError) -> Route? {
    for case .route(let route) in try NetlinkSocket.read(ask(.findRoute(to: host))) { return route }
    return nil
  }

  /// Events of interfaces, addresses and routes. Waits for at most this many milliseconds.
  public func routeEvents(within milliseconds: Int) throws(NetlinkSocketError) -> [RouteMessage] {
    try NetlinkSocket.read(try events(within: milliseconds))
  }

  private mutating func routeMessages(_ request: NetlinkRequest) throws(NetlinkSocketError) -> [RouteMessage] {
    try NetlinkSocket.read(try list(request))
  }

  private static func read(_ messages: [NetlinkMessage]) throws(NetlinkSocketError) -> [RouteMessage] {
    var found: [RouteMessage] = []
    do {
      for message in messages { found.append(try RouteMessage(message)) }
    } catch {
      throw .unreadable(error)
    }
    return found
  }
}
