import Bytes

/// A message as it goes over the wire: the length of what follows (4 bytes), protocol version (1), type (1), body.
public enum ControlFrame {
  public static let version: UInt8 = 1
  /// The most that the length field may state: from a member, and before the peer has proved to be one.
  public static let memberLimit = 64 * 1024
  public static let strangerLimit = 4 * 1024
  /// The most that a `map` message can carry.
  public static let mapPartLimit = memberLimit - 16

  static let fingerprintLength = 32
  /// SPIs below are reserved (RFC 4303 §2.1).
  static let lowestSPI: UInt32 = 256
  static let mostCiphers = 8
}

extension ControlMessage {
  /// The number in the frame.
  var type: UInt8 {
    switch self {
    case .join: 1
    case .pending: 2
    case .refused: 3
    case .admitted: 4
    case .hello: 5
    case .mapRequest: 6
    case .map: 7
    case .offer: 8
    case .accept: 9
    case .ready: 10
    case .refuse: 11
    case .leave: 12
    }
  }

  /// The whole frame; nil if its content is longer than a frame may be.
  public func encoded() -> [UInt8]? {
    let body = self.body
    let length = 2 + body.count
    guard length <= ControlFrame.memberLimit else { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(4 + length)
    out.append(networkOrder: UInt32(truncatingIfNeeded: length))
    out.append(ControlFrame.version)
    out.append(type)
    return out + body
  }

  private var body: [UInt8] {
    var out: [UInt8] = []
    switch self {
    case .join(let record): return record
    case .pending(let fingerprint): return fingerprint
    case .refused(let reason): return reason
    case .admitted(let certificate, let authority):
      out.append(counted: certificate)
      out.append(counted: authority)
    case .hello(let hello):
      out += hello.cluster
      out.append(networkOrder: hello.time)
      out += hello.record
    case .map(let part, let isLast):
      out.append(isLast ? 1 : 0)
      out += part
    case .offer(let offer):
      out.append(networkOrder: offer.from)
      out.append(networkOrder: offer.to)
      out.append(networkOrder: offer.spi)
      out.append(networkOrder: offer.counter)
      let ciphers = offer.ciphers.prefix(ControlFrame.mostCiphers)
      out.append(UInt8(truncatingIfNeeded: ciphers.count))
      for cipher in ciphers { out.append(cipher.rawValue) }
    case .accept(let accept):
      out.append(networkOrder: accept.spi)
      out.append(accept.cipher.rawValue)
    case .refuse(let refusal): out.append(refusal.rawValue)
    case .mapRequest, .ready, .leave: break
    }
    return out
  }

  /// Reads what follows a frame's length field. Total: any bytes give a message or an error.
  public init(content: ArraySlice<UInt8>) throws(ControlError) {
    guard content.count >= 2 else { throw .tooShort(stated: content.count) }
    let version = content[content.startIndex]
    let type = content[content.startIndex + 1]
    guard version == ControlFrame.version else { throw .unknownVersion(version) }
    var reader = ByteReader<ReadingError>(content.dropFirst(2))
    let message: ControlMessage?
    do throws(ReadingError) {
      message = try ControlMessage(type, reading: &reader)
    } catch {
      switch error {
      case .truncated: throw .truncated(type: type)
      case .value: throw .wrongValue(type: type)
      }
    }
    guard let message else { throw .unknownType(type) }
    guard reader.isAtEnd else { throw .excess(type: type) }
    self = message
  }

  /// Nil for an unknown type.
  private init?(_ type: UInt8, reading reader: inout ByteReader<ReadingError>) throws(ReadingError) {
    switch type {
    case 1: self = .join(record: [UInt8](reader.remainder()))
    case 2: self = .pending(fingerprint: [UInt8](try reader.bytes(ControlFrame.fingerprintLength)))
    case 3: self = .refused(reason: [UInt8](reader.remainder()))
    case 4: self = .admitted(certificate: try reader.counted(), authority: try reader.counted())
    case 5:
      self = .hello(
        Hello(
          cluster: [UInt8](try reader.bytes(ControlFrame.fingerprintLength)), time: try reader.uint64(),
          record: [UInt8](reader.remainder())))
    case 6: self = .mapRequest
    case 7:
      let last = try reader.uint8(upTo: 1)
      self = .map(part: [UInt8](reader.remainder()), isLast: last == 1)
    case 8: self = .offer(try TunnelOffer(reading: &reader))
    case 9:
      let spi = try reader.spi()
      let start = reader.offset
      guard let cipher = TunnelCipher(rawValue: try reader.uint8()) else { throw .value(offset: start) }
      self = .accept(TunnelAccept(spi: spi, cipher: cipher))
    case 10: self = .ready
    case 11:
      let start = reader.offset
      guard let refusal = TunnelRefusal(rawValue: try reader.uint8()) else { throw .value(offset: start) }
      self = .refuse(refusal)
    case 12: self = .leave
    default: return nil
    }
  }
}

extension TunnelOffer {
  fileprivate init(reading reader: inout ByteReader<ReadingError>) throws(ReadingError) {
    from = try reader.uint16()
    to = try reader.uint16()
    spi = try reader.spi()
    counter = try reader.uint32()
    let numbers = try reader.bytes(min(Int(try reader.uint8()), ControlFrame.mostCiphers))
    ciphers = numbers.compactMap { TunnelCipher(rawValue: $0) }
  }
}

extension ByteReader {
  /// Bytes with their count in two bytes before them.
  fileprivate mutating func counted() throws(Failure) -> [UInt8] { [UInt8](try bytes(Int(try uint16()))) }

  fileprivate mutating func uint8(upTo limit: UInt8) throws(Failure) -> UInt8 {
    let start = offset
    let value = try uint8()
    guard value <= limit else { throw .value(offset: start) }
    return value
  }

  fileprivate mutating func spi() throws(Failure) -> UInt32 {
    let start = offset
    let value = try uint32()
    guard value >= ControlFrame.lowestSPI else { throw .value(offset: start) }
    return value
  }
}

extension Array where Element == UInt8 {
  /// Appends bytes with their count before them; what does not fit two bytes of count is cut off.
  fileprivate mutating func append(counted bytes: [UInt8]) {
    let kept = bytes.prefix(Int(UInt16.max))
    append(networkOrder: UInt16(truncatingIfNeeded: kept.count))
    append(contentsOf: kept)
  }
}
