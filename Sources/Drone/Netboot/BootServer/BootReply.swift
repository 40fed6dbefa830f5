import Addresses
import Addressing
import Bytes
import DroneLayout

// What a DHCP server and a ProxyDHCP server do alike: read a question, and build and send a reply.

extension ServedNetwork {
  /// The question in the payload of a datagram; nil when it is none, or not one of a client on this network.
  /// - Parameter hardware: the server's own card.
  func question(_ payload: [UInt8], to hardware: MACAddress) -> BOOTPMessage? {
    guard let message = BOOTPMessage(payload), message.operation == .request,
      message.clientHardware != hardware, message.clientHardware != .zero, message.clientHardware != .broadcast,
      // Who is elsewhere could only be made to be sent what nobody there asked for.
      message.clientAddress == .unspecified || contains(message.clientAddress)
    else { return nil }
    return message
  }
}

extension BOOTPMessage {
  /// Nil for BOOTP, and for a type that RFC 2132 §9.6 does not have.
  var type: DHCPMessageType? {
    guard let type = value(of: .messageType), type.count == 1 else { return nil }
    return DHCPMessageType(rawValue: type[0])
  }

  /// A reply without what it says. `type`: nil for BOOTP's.
  init(answering question: BOOTPMessage, _ type: DHCPMessageType?, from server: IPv4Address) {
    self.init(operation: .reply, transaction: question.transaction, clientHardware: question.clientHardware)
    wantsBroadcast = question.wantsBroadcast
    clientAddress = question.clientAddress
    guard let type else { return }
    add(.messageType, [type.rawValue])
    add(.serverIdentifier, server.octets)
    // A client drops what has no identifier or another (RFC 6842 §3).
    if let identifier = question.value(of: .clientIdentifier) { add(.clientIdentifier, identifier) }
  }

  /// Adds where the boot file is: a name for TFTP, and for HTTP the whole address and the class without which firmware does not
  /// take it for an answer.
  mutating func addBootFile(on server: IPv4Address, for question: BOOTPMessage) {
    let firmware = ClientFirmware(question)
    serverAddress = server
    switch firmware {
    case .bios, .other: bootFile = [UInt8](NetworkBootFile.pxelinux)
    case .uefi: bootFile = [UInt8](MediumPath.unifiedKernel)
    case .uefiByHTTP:
      bootFile = [UInt8]("http://") + server.text + [UInt8]("/") + [UInt8](MediumPath.unifiedKernel)
      if value(of: .vendorClass) == nil { add(.vendorClass, [UInt8](firmware.bootClass)) }
    }
    // Some boot ROMs look at these and not at the fixed fields.
    let asked = question.value(of: .parameterList) ?? []
    if asked.contains(VendorExtension.Code.bootServer.number) { add(.bootServer, server.text) }
    if asked.contains(VendorExtension.Code.bootFile.number) { add(.bootFile, bootFile) }
  }

  /// The command that sends this reply. It travels (RFC 2131 §4.1) through the kernel, which keeps members' traffic inside
  /// ESP, when the client has an address; otherwise in a frame, since ARP cannot find the client's hardware address.
  func sending(from server: IPv4Address, _ hardware: MACAddress) -> DHCPServer.Command {
    if clientAddress != .unspecified { return .message(bytes, to: clientAddress) }
    let everybody = wantsBroadcast || yourAddress == .unspecified
    return everybody
      ? framed(from: server, hardware, to: .broadcast, .broadcast)
      : framed(from: server, hardware, to: yourAddress, clientHardware)
  }

  func framed(
    from server: IPv4Address, _ hardware: MACAddress, to address: IPv4Address, _ card: MACAddress
  ) -> DHCPServer.Command {
    let datagram = UDPDatagram(
      source: server, destination: address, sourcePort: BOOTPMessage.serverPort,
      destinationPort: BOOTPMessage.clientPort, payload: bytes)
    let frame = EthernetFrame(destination: card, source: hardware, type: .ipv4, payload: datagram?.ipv4 ?? [])
    return .frame(frame.bytes)
  }
}

/// Questions that got no answer. It tells of the 1st, 2nd, 4th, 8th and so on.
struct Misses: Sendable {
  private(set) var count: UInt32 = 0

  /// Counts one, and says for whom and why there was no answer.
  mutating func add(_ client: MACAddress, _ reason: [UInt8]) -> [DHCPServer.Command] {
    count &+= 1
    guard count & (count &- 1) == 0 else { return [] }
    var text = reason + client.text + [UInt8](" (")
    appendDecimal(UInt64(count), to: &text)
    return [.news(.note(text + [UInt8](" such questions so far)")))]
  }
}
