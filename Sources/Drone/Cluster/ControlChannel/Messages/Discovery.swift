import DroneLayout
import Addresses
import Bytes

/// Finding a member without knowing its address ("get-m"): a question to `ClusterPorts.group`, answered to the asker's
/// `ClusterPorts.discoveryAnswer`.
///
/// An answer tells what a stranger may know and nothing else: where to ask, and of which cluster. Whoever answers proves
/// itself only over TLS.
public enum Discovery: Equatable, Sendable {
  /// Is there a member of the cluster whose authority has this fingerprint?
  case question(cluster: [UInt8])
  /// Is there one that can admit whoever has no certificate of the cluster yet?
  case admission(cluster: [UInt8])
  /// One is here.
  case answer(address: IPv4Address, port: UInt16, cluster: [UInt8])

  private static let magic: [UInt8] = [0x74, 0x79, 0x64, 0x6D]  // "tydm"
  private static let version: UInt8 = 1
  /// The length of the longer form; a datagram with more is none of these.
  public static let longest = 4 + 2 + 4 + 2 + ControlFrame.fingerprintLength

  /// The datagram: "tydm", version, 1 for a question, 2 for an answer or 3 for a question by one that must be admitted; in an
  /// answer address and port; the cluster's fingerprint, 32 bytes.
  public var encoded: [UInt8] {
    var out = Discovery.magic + [Discovery.version]
    switch self {
    case .question(let cluster):
      out.append(1)
      out += cluster
    case .admission(let cluster):
      out.append(3)
      out += cluster
    case .answer(let address, let port, let cluster):
      out.append(2)
      out.append(address)
      out.append(networkOrder: port)
      out += cluster
    }
    return out
  }

  /// Whether a member of `cluster` answers this: of the questions by those that must be admitted only one that can.
  public func isAnswered(by cluster: [UInt8], canCertify: Bool) -> Bool {
    self == .question(cluster: cluster) || canCertify && self == .admission(cluster: cluster)
  }

  /// Reads a datagram; nil for anything that is not one of these, to the last byte.
  public init?(_ datagram: [UInt8]) {
    var reader = ByteReader<ReadingError>(datagram)
    guard let read = try? Discovery(reading: &reader), reader.isAtEnd else { return nil }
    self = read
  }

  private init(reading reader: inout ByteReader<ReadingError>) throws(ReadingError) {
    guard try reader.bytes(4).elementsEqual(Discovery.magic), try reader.uint8() == Discovery.version else {
      throw .value(offset: 0)
    }
    let kind = try reader.uint8()
    let start = reader.offset
    switch kind {
    case 1: self = .question(cluster: try Discovery.cluster(&reader))
    case 2:
      let (address, port) = (try reader.ipv4Address(), try reader.uint16())
      guard address.isHostAddress, port != 0 else { throw .value(offset: start) }
      self = .answer(address: address, port: port, cluster: try Discovery.cluster(&reader))
    case 3: self = .admission(cluster: try Discovery.cluster(&reader))
    default: throw .value(offset: start - 1)
    }
  }

  private static func cluster(_ reader: inout ByteReader<ReadingError>) throws(ReadingError) -> [UInt8] {
    [UInt8](try reader.bytes(ControlFrame.fingerprintLength))
  }
}

/// How often a node answers: so that nobody can have it answer others without end.
public struct DiscoveryAllowance: Sendable {
  /// As the packet filter of a drone has it; a full Linux's own filter may let everything through.
  static let perSecond = 20

  private var second: UInt64 = 0
  private var answered = 0

  public init() {}

  /// Whether a question at this time, in milliseconds, is to be answered; it then counts.
  public mutating func admits(at now: UInt64) -> Bool {
    if now / 1000 != second {
      second = now / 1000
      answered = 0
    }
    guard answered < DiscoveryAllowance.perSecond else { return false }
    answered += 1
    return true
  }
}
