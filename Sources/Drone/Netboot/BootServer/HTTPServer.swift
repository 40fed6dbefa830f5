import Addresses
import Bytes
import HTTP

/// A server of files by HTTP (RFC 9110, 9112) for firmware that boots so, without sockets and clock. It has the same table of
/// names as the TFTP server, and like that no file system behind it.
///
/// A connection is for one request, GET or HEAD, and ends with the answer: EDK II asks for the size by HEAD and connects
/// again. Ranges are passed over, which a server may do (RFC 9110 §14.2). Strangers reach it, so what they can hold is bounded:
/// connections in total and of each address, a request's bytes and time, and the time that a client may take without
/// receiving. When all places are taken, the address that holds most loses its oldest to one that holds fewer.
public struct HTTPServer: Sendable {
  public typealias File = TFTPServer.File
  public typealias Reader = TFTPServer.Reader

  /// What becomes of a new connection.
  public enum Admission: Equatable, Sendable {
    /// It has this place.
    case place(Int)
    /// It has this place, whose former connection is to be closed first.
    case instead(of: Int)
    case refused
  }

  public enum Command: Equatable, Sendable {
    case close(Int)
    case news(BootNews)
  }

  private struct Call {
    let peer: IPv4Address
    let since: UInt64
    var deadline: UInt64
    var request: [UInt8] = []
    /// What precedes the file's content, or all of a refusal; empty before the request is there.
    var head: [UInt8] = []
    var file: Int?
    /// Of the head and the content together, what has been handed to the network.
    var sent = 0
    /// What had been sent when the client got its time.
    var mark = 0
    /// What still comes is read and thrown away, so that the answer is not.
    var isRefused = false
    var reportedTenths = 0
  }

  /// Connections at a time, and those of one address.
  public static let most = 16
  private static let mostOfOneAddress = 4
  /// For the request, and for each further 64 KiB of an answer, in milliseconds.
  static let patience: UInt64 = 10_000
  private static let progress = 64 << 10
  /// Bytes that are read and handed over at a time.
  private static let piece = 32 << 10

  public let network: ServedNetwork
  public let files: [File]
  private var calls = [Call?](repeating: nil, count: HTTPServer.most)

  public init(_ network: ServedNetwork, files: [File]) {
    self.network = network
    self.files = files
  }

  /// When `step` is due; nil without connections.
  public var nextDue: UInt64? { calls.compactMap { $0?.deadline }.min() }

  /// Whether somebody who connects would have a place. Who would not waits to be accepted.
  public var hasRoom: Bool {
    if calls.contains(where: { $0 == nil }) { return true }
    return calls.contains { held(by: $0?.peer) > 1 }
  }

  private func held(by peer: IPv4Address?) -> Int { calls.count { $0 != nil && $0?.peer == peer } }

  // MARK: What comes

  /// Somebody has connected.
  public mutating func admit(_ peer: IPv4Address, at now: UInt64) -> Admission {
    // Others could only be made to be sent what they did not ask for.
    guard network.contains(peer) else { return .refused }
    let own = held(by: peer)
    guard own < HTTPServer.mostOfOneAddress else { return .refused }
    let call = Call(peer: peer, since: now, deadline: now &+ HTTPServer.patience)
    if let free = calls.firstIndex(where: { $0 == nil }) {
      calls[free] = call
      return .place(free)
    }
    var loser: Int?
    for index in calls.indices {
      guard let one = calls[index] else { continue }
      let former = loser.flatMap { calls[$0] }
      let (more, most) = (held(by: one.peer), held(by: former?.peer))
      if former == nil || more > most || more == most && one.since < former?.since ?? 0 { loser = index }
    }
    guard let loser, held(by: calls[loser]?.peer) > own + 1 else { return .refused }
    calls[loser] = call
    return .instead(of: loser)
  }

  /// Bytes have come on a connection; none are its end.
  public mutating func receive(_ bytes: [UInt8], on place: Int, at now: UInt64) -> [Command] {
    guard calls.indices.contains(place), var call = calls[place] else { return [] }
    if bytes.isEmpty { return end(place) }
    guard call.head.isEmpty else { return [] }
    call.request += bytes
    let request = HTTPRequest(call.request)
    if request == .incomplete {
      calls[place] = call
      return []
    }
    call.request = []
    call.deadline = now &+ HTTPServer.patience
    var commands: [Command] = []
    switch request {
    case .incomplete: break
    case .refused(let status, let isHead):
      call.head = HTTPAnswer.refusal(status, isHead: isHead)
      call.isRefused = true
    case .get(let path, let isHead):
      guard let file = files.firstIndex(where: { $0.name.elementsEqual(path.dropFirst()) }) else {
        call.head = HTTPAnswer.refusal(.notFound, isHead: isHead)
        break
      }
      call.head = HTTPAnswer.head(.ok, type: HTTPServer.type(of: files[file].name), count: files[file].size)
      if !isHead {
        call.file = file
        commands.append(.news(.sent(call.peer, file: files[file].name, percent: 0)))
      }
    }
    calls[place] = call
    return commands
  }

  /// Firmware goes by it (UEFI 2.10 §24.7.3.2), or by the name's end.
  private static func type(of name: [UInt8]) -> StaticString {
    name.suffix(4).spells(".efi") ? "application/efi" : "application/octet-stream"
  }

  // MARK: What goes

  /// Whether something is to be sent on a connection; otherwise what comes there is wanted.
  public func isSending(_ place: Int) -> Bool {
    guard calls.indices.contains(place), let call = calls[place] else { return false }
    return call.sent < size(call)
  }

  private func size(_ call: Call) -> Int { call.head.count + (call.file.map { files[$0].size } ?? 0) }

  /// What is to be sent next on a connection; empty for nothing, nil when the file cannot be read.
  public func next(on place: Int, read: Reader) -> [UInt8]? {
    guard calls.indices.contains(place), let call = calls[place] else { return [] }
    if call.sent < call.head.count { return [UInt8](call.head[call.sent...]) }
    guard let file = call.file else { return [] }
    let offset = call.sent - call.head.count
    let count = min(files[file].size - offset, HTTPServer.piece)
    guard count > 0 else { return [] }
    guard let bytes = read(file, offset, count), bytes.count == count else { return nil }
    return bytes
  }

  /// So many bytes of that were handed to the network.
  public mutating func sent(_ count: Int, on place: Int, at now: UInt64) -> [Command] {
    guard calls.indices.contains(place), var call = calls[place], count > 0 else { return [] }
    call.sent += count
    if call.sent &- call.mark >= HTTPServer.progress {
      call.mark = call.sent
      call.deadline = now &+ HTTPServer.patience
    }
    guard call.sent >= size(call) else {
      calls[place] = call
      return progress(of: place)
    }
    call.deadline = now &+ HTTPServer.patience
    calls[place] = call
    // Closing with bytes unread resets a connection.
    if call.isRefused { return [] }
    calls[place] = nil
    guard let file = call.file else { return [.close(place)] }
    return [.news(.sent(call.peer, file: files[file].name, percent: 100)), .close(place)]
  }

  private mutating func progress(of place: Int) -> [Command] {
    guard let call = calls[place], let file = call.file, files[file].size > 0 else { return [] }
    let tenths = tenths(UInt64(max(0, call.sent - call.head.count)), of: files[file].size)
    guard tenths > call.reportedTenths, tenths < 10 else { return [] }
    calls[place]?.reportedTenths = tenths
    return [.news(.sent(call.peer, file: files[file].name, percent: UInt8(clamping: tenths * 10)))]
  }

  /// A connection ended, or its file cannot be read.
  public mutating func end(_ place: Int) -> [Command] {
    guard calls.indices.contains(place), let call = calls[place] else { return [] }
    calls[place] = nil
    guard let file = call.file, call.sent < size(call) else { return [.close(place)] }
    return [.news(.broken(call.peer, file: files[file].name)), .close(place)]
  }

  /// Ends the connections whose time is over.
  public mutating func step(at now: UInt64) -> [Command] {
    var commands: [Command] = []
    for place in calls.indices {
      guard let call = calls[place], call.deadline <= now else { continue }
      guard call.head.isEmpty else {
        commands += end(place)
        continue
      }
      calls[place]?.head = HTTPAnswer.refusal(.tooSlow)
      calls[place]?.isRefused = true
      calls[place]?.deadline = now &+ 1000
    }
    return commands
  }
}
