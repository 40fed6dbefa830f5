import Addresses

/// How the kernel lays out its XFRM structures (include/uapi/linux/xfrm.h).
///
/// They hold numbers of 64 bits, which i386 aligns to four bytes and every other machine to eight. The fields of all
/// structures stand at the same places all the same; what differs is the padding at their ends. A kernel of 64 bits refuses
/// the other layout, so it is a property of the machine that the message is for.
public struct TransformLayout: Equatable, Sendable {
  /// The multiple of which the size of a structure with 64-bit numbers is: 4 or 8.
  let alignment: Int

  /// - Parameter longAlignment: the alignment of `__u64` in a C structure, in bytes.
  public init(longAlignment: Int) { alignment = longAlignment == 4 ? 4 : 8 }

  public static let i386 = TransformLayout(longAlignment: 4)
  public static let x86_64 = TransformLayout(longAlignment: 8)

  /// A size with its padding at the end.
  func padded(_ size: Int) -> Int { (size + alignment - 1) & ~(alignment - 1) }

  /// `struct xfrm_usersa_info`: 217 bytes of fields.
  var associationSize: Int { padded(217) }
  /// `struct xfrm_userpolicy_info`: 164 bytes of fields.
  var policySize: Int { padded(164) }
  /// `struct xfrm_user_expire`: an association and a byte.
  var expirySize: Int { padded(associationSize + 1) }
  /// `struct xfrm_user_acquire`: 96 bytes, a policy, and four numbers of four bytes.
  var acquireSize: Int { padded(96 + policySize + 16) }

  /// `struct xfrm_usersa_id` and `struct xfrm_userpolicy_id` hold no 64-bit numbers.
  static let associationNameSize = 24
  static let policyNameSize = 64
  static let templateSize = 64
}

/// XFRM_MSG_: the types of messages.
enum TransformType {
  static let newAssociation: UInt16 = 0x10
  static let deleteAssociation: UInt16 = 0x11
  static let getAssociation: UInt16 = 0x12
  static let newPolicy: UInt16 = 0x13
  static let deletePolicy: UInt16 = 0x14
  static let getPolicy: UInt16 = 0x15
  static let allocateSPI: UInt16 = 0x16
  static let acquire: UInt16 = 0x17
  static let expire: UInt16 = 0x18
  static let updatePolicy: UInt16 = 0x19
  static let updateAssociation: UInt16 = 0x1A
  static let flushAssociations: UInt16 = 0x1C
  static let flushPolicies: UInt16 = 0x1D
}

/// XFRMA_: the types of attributes.
enum TransformAttribute {
  static let template: UInt16 = 5
  static let association: UInt16 = 6
  static let policy: UInt16 = 7
  static let replay: UInt16 = 10
  static let aead: UInt16 = 18
  static let extendedReplay: UInt16 = 23
}

/// IPPROTO_ESP.
let encapsulatingSecurityPayload: UInt8 = 50

extension InternetAddress {
  /// AF_INET or AF_INET6.
  var family: UInt16 {
    switch self {
    case .ipv4: 2
    case .ipv6: 10
    }
  }

  /// `xfrm_address_t`: room for either version, zeros behind an IPv4 address.
  var transformBytes: [UInt8] {
    let octets = octets
    return octets + [UInt8](repeating: 0, count: 16 - octets.count)
  }

  /// Reads `xfrm_address_t`; nil for a family that is neither.
  init?(transform bytes: ArraySlice<UInt8>, at offset: Int, family: UInt16) {
    let field = bytes.dropFirst(offset)
    switch family {
    case 2:
      guard let address = IPv4Address(octets: field.prefix(4)) else { return nil }
      self = .ipv4(address)
    case 10:
      guard let address = IPv6Address(octets: field.prefix(16)) else { return nil }
      self = .ipv6(address)
    default: return nil
    }
  }

  /// 0.0.0.0 or ::, of this one's version.
  var unspecified: InternetAddress {
    switch self {
    case .ipv4: .ipv4(.unspecified)
    case .ipv6: .ipv6(IPv6Address(high: 0, low: 0))
    }
  }
}
