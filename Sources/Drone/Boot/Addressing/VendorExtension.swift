import Bytes

/// One vendor extension of BOOTP, or option of DHCP (RFC 1533 §2): a code, a length byte and that many bytes.
public struct VendorExtension: Equatable, Sendable {
  public struct Code: Hashable, Sendable {
    public let number: UInt8

    public init(_ number: UInt8) { self.number = number }

    public static let subnetMask = Code(1)
    public static let routers = Code(3)
    public static let nameServers = Code(6)
    public static let hostName = Code(12)
    public static let domain = Code(15)
    public static let mtu = Code(26)
    public static let timeServers = Code(42)
    // From here on only in DHCP (RFC 2132 §9).
    public static let requestedAddress = Code(50)
    /// What servers of the client's class have for it (RFC 2132 §8.4): options within an option.
    public static let vendorOptions = Code(43)
    /// In seconds.
    public static let leaseTime = Code(51)
    /// More options stand in the fields `file` (1), `sname` (2) or both (3).
    public static let overload = Code(52)
    public static let messageType = Code(53)
    public static let serverIdentifier = Code(54)
    /// The codes that a client asks for.
    public static let parameterList = Code(55)
    /// What the client is: boot ROMs say `PXEClient:Arch:…`.
    public static let vendorClass = Code(60)
    public static let clientIdentifier = Code(61)
    public static let bootServer = Code(66)
    public static let bootFile = Code(67)
    /// RFC 3442.
    public static let classlessRoutes = Code(121)
    /// The same as 121, of servers that had it before there was a standard.
    public static let oldClasslessRoutes = Code(249)
    /// What the client boots as (RFC 4578 §2.1); 0 is a PC with a BIOS.
    public static let architecture = Code(93)
    /// Which machine the client is, a type and its UUID (RFC 4578 §2.3).
    public static let machineIdentifier = Code(97)
  }

  public let code: Code
  public let value: [UInt8]

  static let padding: UInt8 = 0
  static let endMark: UInt8 = 255

  /// Nil for the codes of padding and end mark, and for more than 255 bytes.
  public init?(_ code: Code, _ value: [UInt8]) {
    guard code.number != VendorExtension.padding, code.number != VendorExtension.endMark, value.count <= 255 else {
      return nil
    }
    self.code = code
    self.value = value
  }

  /// Reads up to the end mark, the end of the bytes, or an extension that is longer than what is left.
  static func list(_ bytes: ArraySlice<UInt8>) -> [VendorExtension] {
    var reader = ByteReader<ReadingError>(bytes)
    var out: [VendorExtension] = []
    while let code = try? reader.uint8(), code != endMark {
      if code == padding { continue }
      guard let length = try? reader.uint8(), let value = try? reader.bytes(Int(length)),
        let item = VendorExtension(Code(code), [UInt8](value))
      else { break }
      out.append(item)
    }
    return out
  }

  var bytes: [UInt8] { [code.number, UInt8(value.count)] + value }
}
