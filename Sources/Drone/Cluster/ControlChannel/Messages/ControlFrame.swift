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
    var reader = ByteReader(content.dropFirst(2))
    var isPossible = true
    let message: ControlMessage
    switch type {
    case 1: message = .join(record: reader.remainder())
    case 2: message = .pending(fingerprint: reader.bytes(ControlFrame.fingerprintLength))
    case 3: message = .refused(reason: reader.remainder())
    case 4:
      message = .admitted(certificate: reader.counted(), authority: reader.counted())
    case 5:
      message = .hello(
        Hello(
          cluster: reader.bytes(ControlFrame.fingerprintLength), time: reader.number64(), record: reader.remainder()))
    case 6: message = .mapRequest
    case 7:
      let last = reader.number8()
      isPossible = last <= 1
      message = .map(part: reader.remainder(), isLast: last == 1)
    case 8:
      let offer = TunnelOffer(reading: &reader)
      isPossible = offer.spi >= ControlFrame.lowestSPI
      message = .offer(offer)
    case 9:
      let spi = reader.number32()
      let cipher = TunnelCipher(rawValue: reader.number8())
      isPossible = spi >= ControlFrame.lowestSPI && cipher != nil
      message = .accept(TunnelAccept(spi: spi, cipher: cipher ?? .aes128GCM))
    case 10: message = .ready
    case 11:
      let refusal = TunnelRefusal(rawValue: reader.number8())
      isPossible = refusal != nil
      message = .refuse(refusal ?? .kernel)
    case 12: message = .leave
    default: throw .unknownType(type)
    }
    if reader.isShort { throw .truncated(type: type) }
    if !reader.isAtEnd { throw .excess(type: type) }
    if !isPossible { throw .wrongValue(type: type) }
    self = message
  }
}

extension TunnelOffer {
  fileprivate init(reading reader: inout ByteReader) {
    from = reader.number16()
    to = reader.number16()
    spi = reader.number32()
    counter = reader.number32()
    let numbers = reader.bytes(min(Int(reader.number8()), ControlFrame.mostCiphers))
    ciphers = numbers.compactMap { TunnelCipher(rawValue: $0) }
  }
}
