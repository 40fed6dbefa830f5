import Addresses

/// What a DHCP message is (RFC 2132 §9.6).
public enum DHCPMessageType: UInt8, Sendable {
  case discover = 1
  case offer = 2
  case request = 3
  case decline = 4
  case acknowledgement = 5
  case refusal = 6
  case release = 7
  case inform = 8
}

extension BOOTPMessage {
  /// Adds an extension; one that cannot be is left out.
  public mutating func add(_ code: VendorExtension.Code, _ value: [UInt8]) {
    if let item = VendorExtension(code, value) { extensions.append(item) }
  }

  /// DHCPDECLINE: the address that this server leased is somebody else's, so it must lease another (RFC 2131 §4.4.4, the
  /// fields by table 5).
  ///
  /// - Parameters:
  ///   - transaction: Any number: nobody answers.
  ///   - identifier: What the client called itself when it got the lease (RFC 2132 §9.14), its type in front.
  public static func decline(
    _ address: IPv4Address, leasedBy server: IPv4Address, hardware: MACAddress, identifier: [UInt8], transaction: UInt32
  ) -> BOOTPMessage {
    var message = BOOTPMessage(operation: .request, transaction: transaction, clientHardware: hardware)
    message.add(.messageType, [DHCPMessageType.decline.rawValue])
    message.add(.requestedAddress, address.octets)
    message.add(.serverIdentifier, server.octets)
    message.add(.clientIdentifier, identifier)
    return message
  }
}
