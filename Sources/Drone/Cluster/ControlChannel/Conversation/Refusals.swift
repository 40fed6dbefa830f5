import ChannelFailure

/// Why others were turned away, and how often: `refused` of `tyd --status --json`.
public struct Refusals: Equatable, Sendable {
  /// No TLS, an old one, or no certificate.
  public var notTLS13: UInt32 = 0
  public var wrongCluster: UInt32 = 0
  public var expired: UInt32 = 0
  public var removed: UInt32 = 0
  /// Another machine with its hardware address is a live member.
  public var sameHardware: UInt32 = 0
  /// It speaks in clear where this node demands IPsec, or the other way round.
  public var otherProtection: UInt32 = 0
  public var malformed: UInt32 = 0
  public var slow: UInt32 = 0
  /// Connections from one address, or from all strangers.
  public var tooMany: UInt32 = 0
  /// Datagrams of the membership that came from no member.
  public var strangers: UInt32 = 0

  public init() {}

  /// Each counter with the name that it is shown by.
  public var all: [(name: StaticString, count: UInt32)] {
    [
      ("notTLS13", notTLS13), ("wrongCluster", wrongCluster), ("expired", expired), ("removed", removed),
      ("sameHardware", sameHardware), ("otherProtection", otherProtection), ("malformed", malformed), ("slow", slow),
      ("tooMany", tooMany), ("strangers", strangers),
    ]
  }

  /// A connection that somebody made to this node ended so.
  public mutating func count(_ reason: ClosedReason) {
    switch reason {
    case .noTLS, .oldVersion, .otherProtocol, .noCertificate: notTLS13 &+= 1
    case .wrongAuthority, .notMember, .badCertificate: wrongCluster &+= 1
    // It knows another authority: a node of another cluster sees that first.
    case .refused(alert: TLSAlert.unknownAuthority): wrongCluster &+= 1
    case .expired, .notYetValid: expired &+= 1
    case .tooSlow, .flooded: slow &+= 1
    case .tooLarge, .damaged: malformed &+= 1
    case .finished, .closedHere, .cutOff, .refused, .failedHere: break
    }
  }

  /// Somebody said something to which this node objects.
  public mutating func count(_ objection: Objection) {
    switch objection {
    case .unreadable, .unexpected, .noHello, .otherKey, .tooMuch: malformed &+= 1
    case .otherCluster: wrongCluster &+= 1
    case .removed: removed &+= 1
    case .sameHardware: sameHardware &+= 1
    case .otherProtection: otherProtection &+= 1
    case .notIn: break
    }
  }
}
