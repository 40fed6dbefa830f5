import Addresses

/// A TFTP server (RFC 1350, 2347 to 2349, 7440) that serves a fixed table of files and stores none, without sockets and
/// clock.
///
/// There is no file system behind it: a name is in the table or it is not. Each transfer has a port of its own, and there
/// are as many transfers as ports; a client that asks when all are busy gets no answer and asks again.
///
/// Blocks are read when they are sent, and again when they are repeated. An acknowledgement has blocks repeated only if
/// what is open was sent once, and so was the window before: copies of blocks beget copies of acknowledgements, which must
/// not beget blocks in turn (RFC 1123 §4.2.3.1). What is lost beyond that is repeated when its time has come.
public struct TFTPServer: Sendable {
  public struct File: Equatable, Sendable {
    /// Without a slash at its beginning.
    public let name: [UInt8]
    /// In bytes.
    public let size: Int

    public init(_ name: [UInt8], size: Int) {
      self.name = name
      self.size = size
    }
  }

  /// The other side of a transfer.
  public struct Peer: Hashable, Sendable {
    public let address: IPv4Address
    public let port: UInt16

    public init(_ address: IPv4Address, port: UInt16) {
      self.address = address
      self.port = port
    }
  }

  public enum Command: Equatable, Sendable {
    /// Send from the port for requests.
    case answer([UInt8], to: Peer)
    /// Send from the transfer port of this index.
    case send([UInt8], to: Peer, from: Int)
    case news(BootNews)
  }

  /// Returns this many bytes of a file of the table, from an offset; nil when it cannot be read.
  public typealias Reader = (_ file: Int, _ offset: Int, _ count: Int) -> [UInt8]?

  private struct Transfer {
    let peer: Peer
    let request: TFTPRequest
    let file: Int
    let blockSize: Int
    /// Blocks that are sent before an acknowledgement is waited for.
    let window: Int
    /// The number of the block that ends the file: the first one that is shorter than the others, perhaps empty.
    let last: Int
    /// The acknowledgement of options, which is sent before the first block; nil without.
    let options: [UInt8]?
    /// The client has acknowledged something.
    var hasAnswered = false
    /// The client has all blocks up to this one.
    var acknowledged = 0
    /// The block that was sent last; 0 while only the options were. What lies between is open: a window at most.
    var sent = 0
    /// Some of what is open was sent before.
    var isRepeated = false
    /// Acknowledgements of what the client has may come several times.
    var mayHearCopies = false
    /// Milliseconds; nil for growing ones.
    let fixedInterval: UInt64?
    var due: UInt64
    var interval: UInt64
    var triesLeft = TFTPServer.tries
    /// How much of the file has been reported as sent, in tenths.
    var reportedTenths = 0

    /// The client has gone on: it has all its time again.
    mutating func begin(at now: UInt64) {
      interval = fixedInterval ?? TFTPServer.firstInterval
      due = now &+ interval
      triesLeft = sent == last ? TFTPServer.triesOfLast : TFTPServer.tries
    }
  }

  private static let firstInterval: UInt64 = 1000
  private static let longestInterval: UInt64 = 8000
  /// How often a window is sent before the transfer is abandoned.
  private static let tries = 6
  /// The same for the last window of a transfer that went well so far.
  private static let triesOfLast = 3
  private static let mostOfOneAddress = 4

  public let network: ServedNetwork
  public let files: [File]
  private var transfers: [Transfer?]
  private var nextPort = 0

  /// - Parameter ports: how many transfers there can be at a time.
  public init(_ network: ServedNetwork, files: [File], ports: Int) {
    self.network = network
    self.files = files
    transfers = [Transfer?](repeating: nil, count: max(ports, 1))
  }

  /// When `step` is due; nil without transfers.
  public var nextDue: UInt64? { transfers.compactMap { $0?.due }.min() }

  /// Receives a packet to the port for requests.
  public mutating func receive(request bytes: [UInt8], from peer: Peer, at now: UInt64, read: Reader) -> [Command] {
    // Others could only be made to be sent what they did not ask for.
    guard network.contains(peer.address), let message = TFTPMessage(bytes) else { return [] }
    switch message {
    case .write: return [.answer(TFTPMessage.failure(.accessViolation, "nothing is stored here"), to: peer)]
    case .acknowledgement, .error: return []
    case .read(let request):
      guard let file = files.firstIndex(where: { $0.name == request.name }) else {
        return [.answer(TFTPMessage.failure(.notFound, "no such file"), to: peer)]
      }
      guard request.isOctet else {
        return [.answer(TFTPMessage.failure(.undefined, "only mode octet is served"), to: peer)]
      }
      return begin(request, file, peer, now, read)
    }
  }

  private mutating func begin(
    _ request: TFTPRequest, _ file: Int, _ peer: Peer, _ now: UInt64, _ read: Reader
  ) -> [Command] {
    var free: Int?
    var ofAddress = 0
    for step in transfers.indices {
      let index = (nextPort + step) % transfers.count
      guard let other = transfers[index] else {
        if free == nil { free = index }
        continue
      }
      if other.peer == peer {
        // The request was sent twice.
        if other.request == request, !other.hasAnswered { return [] }
        // The client begins anew: it knows nothing of the old transfer.
        transfers[index] = nil
        if free == nil { free = index }
        continue
      }
      if other.peer.address == peer.address { ofAddress += 1 }
    }
    guard let port = free, ofAddress < TFTPServer.mostOfOneAddress else { return [] }
    let fixed = request.timeout.map { UInt64($0) * 1000 }
    let interval = fixed ?? TFTPServer.firstInterval
    let blockSize = request.blockSize ?? TFTPRequest.usualBlock
    let size = files[file].size
    let options = request.acknowledgement(size: size)
    var transfer = Transfer(
      peer: peer, request: request, file: file, blockSize: blockSize, window: request.window ?? 1,
      last: size / blockSize + 1, options: options, fixedInterval: fixed, due: now &+ interval, interval: interval)
    if options == nil { transfer.sent = min(transfer.window, transfer.last) }
    guard let packets = packets(of: transfer, behind: 0, read) else {
      return [.answer(TFTPMessage.failure(.undefined, "the file cannot be read"), to: peer)]
    }
    nextPort = (port + 1) % transfers.count
    transfers[port] = transfer
    return [.news(.sent(peer.address, file: files[file].name, percent: 0))]
      + packets.map { .send($0, to: peer, from: port) }
  }

  /// Receives a packet to a transfer's port.
  public mutating func receive(
    _ bytes: [UInt8], on port: Int, from peer: Peer, at now: UInt64, read: Reader
  ) -> [Command] {
    guard transfers.indices.contains(port), var transfer = transfers[port], let message = TFTPMessage(bytes) else {
      return []
    }
    guard transfer.peer == peer else {
      // An error answered by an error would be answered by an error.
      if case .error = message { return [] }
      guard network.contains(peer.address) else { return [] }
      // Somebody else's transfer must not end (RFC 1350 §4).
      return [.send(TFTPMessage.failure(.unknownTransfer, "not your transfer"), to: peer, from: port)]
    }
    switch message {
    case .error:
      transfers[port] = nil
      // Boot ROMs ask for the size and then end the transfer before it began.
      return transfer.acknowledged == 0 ? [] : [.news(.broken(peer.address, file: files[transfer.file].name))]
    case .acknowledgement(let number): return receive(number, &transfer, port, now, read)
    case .read, .write: return []
    }
  }

  private mutating func receive(
    _ number: UInt16, _ transfer: inout Transfer, _ port: Int, _ now: UInt64, _ read: Reader
  ) -> [Command] {
    // How many of the open blocks have arrived. An old number, also of the round before, is far more than are open.
    let open = transfer.sent - transfer.acknowledged
    let arrived = Int(number &- UInt16(truncatingIfNeeded: transfer.acknowledged))
    guard arrived <= open else { return [] }
    // Without an open block it was the options that arrived.
    if arrived == open {
      transfer.hasAnswered = true
      transfer.acknowledged = transfer.sent
      transfer.mayHearCopies = transfer.isRepeated
      transfer.isRepeated = false
      return go(on: &transfer, behind: transfer.acknowledged, port, now, read)
    }
    // A client that misses a block says what it has before that (RFC 7440 §4), and most say so for each block behind it.
    // With single blocks such a word is always a copy.
    let isRepeatable = transfer.window > 1 && !transfer.isRepeated
    guard arrived > 0 || isRepeatable && !transfer.mayHearCopies else { return [] }
    transfer.hasAnswered = true
    transfer.acknowledged += arrived
    // Else only new blocks follow.
    let former = isRepeatable ? transfer.acknowledged : transfer.sent
    if isRepeatable { transfer.isRepeated = true }
    return go(on: &transfer, behind: former, port, now, read)
  }

  /// Opens the window behind what the client has, and sends its blocks behind this one.
  private mutating func go(
    on transfer: inout Transfer, behind former: Int, _ port: Int, _ now: UInt64, _ read: Reader
  ) -> [Command] {
    let file = files[transfer.file]
    if transfer.acknowledged == transfer.last {
      transfers[port] = nil
      return [.news(.sent(transfer.peer.address, file: file.name, percent: 100))]
    }
    transfer.sent = min(transfer.acknowledged + transfer.window, transfer.last)
    transfer.begin(at: now)
    var commands = send(transfer, behind: former, port, read)
    let tenths = tenths(UInt64(transfer.acknowledged) * UInt64(transfer.blockSize), of: file.size)
    // That the last block has arrived is reported above, once: before an empty one all tenths are there already.
    if transfers[port] != nil, tenths > transfer.reportedTenths, tenths < 10 {
      transfers[port]?.reportedTenths = tenths
      commands.append(.news(.sent(transfer.peer.address, file: file.name, percent: UInt8(clamping: tenths * 10))))
    }
    return commands
  }

  /// Sends what is open behind a block, and ends the transfer where the file cannot be read.
  private mutating func send(
    _ transfer: Transfer, behind former: Int, _ port: Int, _ read: Reader
  ) -> [Command] {
    guard let packets = packets(of: transfer, behind: former, read) else {
      transfers[port] = nil
      return [
        .send(TFTPMessage.failure(.undefined, "the file cannot be read"), to: transfer.peer, from: port),
        .news(.broken(transfer.peer.address, file: files[transfer.file].name)),
      ]
    }
    transfers[port] = transfer
    return packets.map { .send($0, to: transfer.peer, from: port) }
  }

  /// What is open behind a block: the options, or data; nil where the file cannot be read.
  private func packets(of transfer: Transfer, behind former: Int, _ read: Reader) -> [[UInt8]]? {
    if transfer.sent == 0, let options = transfer.options { return [options] }
    var packets: [[UInt8]] = []
    var block = former
    while block < transfer.sent {
      let offset = block * transfer.blockSize
      let count = max(0, min(transfer.blockSize, files[transfer.file].size - offset))
      guard let content = count == 0 ? [] : read(transfer.file, offset, count), content.count == count else {
        return nil
      }
      block += 1
      packets.append(TFTPMessage.data(UInt16(truncatingIfNeeded: block), content))
    }
    return packets
  }

  /// Repeats packets that got no answer in time, and abandons transfers whose client does not answer at all.
  public mutating func step(at now: UInt64, read: Reader) -> [Command] {
    var commands: [Command] = []
    for port in transfers.indices {
      guard var transfer = transfers[port], transfer.due <= now else { continue }
      transfer.triesLeft -= 1
      if transfer.triesLeft <= 0 {
        transfers[port] = nil
        let file = files[transfer.file].name
        // Many ROMs go away without acknowledging the end, and the network may lose that.
        let hasAll = transfer.sent == transfer.last && transfer.hasAnswered
        commands.append(
          .news(
            hasAll
              ? .sent(transfer.peer.address, file: file, percent: 100) : .broken(transfer.peer.address, file: file)))
        continue
      }
      if transfer.fixedInterval == nil { transfer.interval = min(transfer.interval * 2, TFTPServer.longestInterval) }
      transfer.due = now &+ transfer.interval
      transfer.isRepeated = true
      commands += send(transfer, behind: transfer.acknowledged, port, read)
    }
    return commands
  }
}
